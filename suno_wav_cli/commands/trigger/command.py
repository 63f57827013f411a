"""`trigger` from its arguments to its exit code: one callback posted as the service would, and what comes of it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from suno_wav_cli import events
from suno_wav_cli.callbacks.sender import RETRY_AFTER, answer_seconds, deliver, origin
from suno_wav_cli.callbacks.signature import signed_headers
from suno_wav_cli.commands.trigger.request import planned
from suno_wav_cli.commands.trigger.samples import SAMPLES
from suno_wav_cli.commands.trigger.verdict import judge
from suno_wav_cli.errors import ExitCode, NotDelivered
from suno_wav_cli.system.event_loop import run_async

if TYPE_CHECKING:
    from suno_wav_cli.callbacks.sender import CallbackRequest
    from suno_wav_cli.commands.trigger.request import Plan, Request
    from suno_wav_cli.commands.trigger.verdict import Verdict
    from suno_wav_cli.events import Report
    from suno_wav_cli.models import Secret

_PATIENCE = 4
"""The true time is told up to so many times the time that the service waits: a minute."""

_LONGEST_LINE = 200
_LEAST_TOKEN = 16


def list_events(report: Report) -> ExitCode:
    for name, sample in SAMPLES.items():
        report(events.CallbackSample(name=name, description=sample.about))
    return ExitCode.OK


def trigger(request: Request, hmac_key: Secret | None, report: Report) -> ExitCode:
    """Post the callback. Raises UsageError, and NotDelivered where the receiver did not answer as it must."""
    plan = planned(request, hmac_key)
    verdict = run_async(_deliver_all(plan, request, report))
    if not verdict.as_it_must:
        raise NotDelivered("the service would count this callback as failed", verdict.remedy)
    return ExitCode.OK


async def _deliver_all(plan: Plan, request: Request, report: Report) -> Verdict:
    for _ in range(plan.times - 1):
        await _deliver(plan, request, report)
    return await _deliver(plan, request, report)


async def _deliver(plan: Plan, request: Request, report: Report) -> Verdict:
    """Post it until it is received, or until the service would give up."""
    for retry_after in RETRY_AFTER if request.retries else ():
        verdict = await _deliver_once(plan, request.speed, report)
        if verdict.as_it_must:
            return verdict
        report(events.CallbackRetried(seconds=retry_after / request.speed))
        await asyncio.sleep(retry_after / request.speed)
    return await _deliver_once(plan, request.speed, report)


async def _deliver_once(plan: Plan, speed: float, report: Report) -> Verdict:
    signed = _signed(plan)
    report(
        events.CallbackSending(
            name=plan.name,
            method=signed.method,
            receiver=origin(plan.url),
            task_id=plan.task_id,
            signed=plan.key is not None,
        )
    )
    limit = answer_seconds(speed)
    overdue = asyncio.get_running_loop().call_later(limit, report, events.AnswerOverdue(seconds=limit))
    try:
        answer = await deliver(signed, plan.url, limit * _PATIENCE)
    finally:
        overdue.cancel()
    answer = replace(answer, detail=_without_secrets(answer.detail, plan))
    verdict = judge(answer, plan.fault, speed)
    report(
        events.CallbackSent(
            status=answer.status,
            seconds=round(answer.seconds, 3),
            answer=_first_line(answer.body, plan),
            received=verdict.received,
            correctly_refused=verdict.refused_rightly,
            verdict=verdict.text,
        )
    )
    return verdict


def _signed(plan: Plan) -> CallbackRequest:
    if plan.key is None or plan.task_id is None:
        return plan.outgoing
    headers = plan.outgoing.headers + signed_headers(plan.key, plan.task_id, int(time.time()))
    return replace(plan.outgoing, headers=headers)


def _first_line(body: bytes, plan: Plan) -> str:
    text = _without_secrets(body.decode("utf-8", "replace"), plan)
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return line if len(line) <= _LONGEST_LINE else line[:_LONGEST_LINE] + "…"


def _without_secrets(text: str, plan: Plan) -> str:
    """Cut out the key, and the path that some receivers repeat when they do not know it, and what is unguessable in it."""
    parts = urlsplit(plan.url)
    path = parts.path if len(parts.path) > 1 else ""
    tokens = [token for token in (*path.split("/"), parts.query) if len(token) >= _LEAST_TOKEN]
    key = plan.key.value if plan.key is not None else ""
    for secret in (key, path, unquote(path), *tokens):
        text = text.replace(secret, "(hidden)") if secret else text
    return text
