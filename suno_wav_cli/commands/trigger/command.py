"""`trigger` from its request to its exit code: post a callback as the service would."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from suno_wav_cli import events
from suno_wav_cli.callbacks.sender import ServiceTiming, origin, post_callback
from suno_wav_cli.callbacks.signature import signed_headers
from suno_wav_cli.commands.trigger.request import plan_callback
from suno_wav_cli.commands.trigger.samples import SAMPLES
from suno_wav_cli.commands.trigger.verdict import judge_answer
from suno_wav_cli.config.credentials import refuse_ignored
from suno_wav_cli.errors import ExitCode, NotDelivered
from suno_wav_cli.system.event_loop import run_async

if TYPE_CHECKING:
    from suno_wav_cli.callbacks.sender import CallbackRequest
    from suno_wav_cli.commands.trigger.request import PlannedCallback, Request
    from suno_wav_cli.commands.trigger.verdict import AnswerVerdict
    from suno_wav_cli.config.run import Run
    from suno_wav_cli.events import Report

_MAX_WAIT_FACTOR = 4
"""A late answer is waited for four times as long as the service does, and its true time shown."""

_MAX_LINE = 200
_MIN_TOKEN = 16


def list_events(run: Run) -> ExitCode:
    for name, sample in SAMPLES.items():
        run.report(events.CallbackSample(name=name, description=sample.about))
    return ExitCode.OK


def trigger(request: Request, run: Run) -> ExitCode:
    """Post the callback. Raise UsageError, or NotDelivered if the answer is wrong."""
    if request.sign and run.secrets.hmac_key is None:
        refuse_ignored(run.secrets, "hmac_key")
    planned = plan_callback(request, run.secrets.hmac_key)
    timing = replace(ServiceTiming(), answer=request.answer_timeout).at_speed(request.speed)
    verdict = run_async(_post_all(planned, request, timing, run.report))
    if not verdict.is_good:
        raise NotDelivered("the service would count this callback as failed", verdict.remedy)
    return ExitCode.OK


async def _post_all(
    planned: PlannedCallback, request: Request, timing: ServiceTiming, report: Report
) -> AnswerVerdict:
    for _ in range(planned.times - 1):
        await _post_with_retries(planned, request, timing, report)
    return await _post_with_retries(planned, request, timing, report)


async def _post_with_retries(
    planned: PlannedCallback, request: Request, timing: ServiceTiming, report: Report
) -> AnswerVerdict:
    """Post until the callback is received, or until the service would give up."""
    for pause in timing.retries if request.retries else ():
        verdict = await _post_once(planned, timing, report)
        if verdict.is_good:
            return verdict
        report(events.CallbackRetried(seconds=pause))
        await asyncio.sleep(pause)
    return await _post_once(planned, timing, report)


async def _post_once(planned: PlannedCallback, timing: ServiceTiming, report: Report) -> AnswerVerdict:
    callback = _sign(planned)
    report(
        events.CallbackSending(
            name=planned.name,
            method=callback.method,
            receiver=origin(planned.url),
            task_id=planned.task_id,
            signed=planned.key is not None,
        )
    )
    limit = timing.answer
    overdue = asyncio.get_running_loop().call_later(limit, report, events.AnswerOverdue(seconds=limit))
    try:
        answer = await post_callback(callback, planned.url, limit * _MAX_WAIT_FACTOR)
    finally:
        overdue.cancel()
    answer = replace(answer, detail=_hide_secrets(answer.detail, planned))
    verdict = judge_answer(answer, planned.fault, timing)
    report(
        events.CallbackSent(
            status=answer.status,
            seconds=round(answer.seconds, 3),
            answer=_first_line(answer.body, planned),
            received=verdict.received,
            correctly_refused=verdict.correctly_refused,
            verdict=verdict.text,
        )
    )
    return verdict


def _sign(planned: PlannedCallback) -> CallbackRequest:
    if planned.key is None or planned.task_id is None:
        return planned.callback
    headers = planned.callback.headers + signed_headers(planned.key, planned.task_id, int(time.time()))
    return replace(planned.callback, headers=headers)


def _first_line(body: bytes, planned: PlannedCallback) -> str:
    text = _hide_secrets(body.decode("utf-8", "replace"), planned)
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return line if len(line) <= _MAX_LINE else line[:_MAX_LINE] + "…"


def _hide_secrets(text: str, planned: PlannedCallback) -> str:
    """Cut out the key, and the secret path, which some receivers repeat in a 404."""
    parts = urlsplit(planned.url)
    path = parts.path if len(parts.path) > 1 else ""
    tokens = [token for token in (*path.split("/"), parts.query) if len(token) >= _MIN_TOKEN]
    key = planned.key.value if planned.key is not None else ""
    for secret in (key, path, unquote(path), *tokens):
        text = text.replace(secret, "(hidden)") if secret else text
    return text
