"""`trigger` from its arguments to its exit code: one callback posted as the service would, and what comes of it."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from suno_wav_cli import events, recordings
from suno_wav_cli.delivery import RETRY_AFTER, Outgoing, answer_seconds, deliver, end_to_end, origin
from suno_wav_cli.errors import ExitCode, NotDelivered, UsageError
from suno_wav_cli.event_loop import run
from suno_wav_cli.receiver import read_callback
from suno_wav_cli.samples import SAMPLES, outgoing
from suno_wav_cli.signature import is_signature_header, signed_headers
from suno_wav_cli.values import http_url
from suno_wav_cli.verdicts import judge

if TYPE_CHECKING:
    from pathlib import Path

    from suno_wav_cli.events import Report
    from suno_wav_cli.models import Secret
    from suno_wav_cli.verdicts import Verdict

_PATIENCE = 4
"""The true time is told up to so many times the time that the service waits: a minute."""

_LONGEST_LINE = 200
_LEAST_TOKEN = 16


@dataclass(frozen=True)
class Request:
    """`url` is None where it was not given; `event`, `task_id` and `wav_url` are None for their defaults."""

    url: str | None
    event: str | None
    task_id: str | None
    wav_url: str | None
    recording: Path | None
    sign: bool
    retries: bool
    speed: float


@dataclass(frozen=True)
class _Plan:
    """What is posted, how often, and why a careful receiver refuses it. It is signed with `key`, afresh each time."""

    name: str
    url: str
    outgoing: Outgoing
    task_id: str | None
    key: Secret | None
    times: int = 1
    fault: str | None = None


def list_events(report: Report) -> ExitCode:
    for name, sample in SAMPLES.items():
        report(events.CallbackKind(name, sample.about))
    return ExitCode.OK


def trigger(request: Request, hmac_key: Secret | None, report: Report) -> ExitCode:
    """Post the callback. Raises UsageError, and NotDelivered where the receiver did not answer as it must."""
    plan = _planned(request, hmac_key)
    verdict = run(_deliver_all(plan, request, report))
    if not verdict.as_it_must:
        raise NotDelivered("the service would count this callback as failed", verdict.remedy)
    return ExitCode.OK


def _planned(request: Request, hmac_key: Secret | None) -> _Plan:
    if request.url is None:
        raise UsageError("there is no address to post to", "Write suno-wav trigger https://host/path")
    try:
        url = http_url(request.url)
    except ValueError as error:
        # Not repeated, for its path may be secret.
        raise UsageError(f"the address to post to is not {error}", "Correct it and try again.") from None
    if request.sign and hmac_key is None:
        raise UsageError(
            "there is no key to sign with",
            "Set SUNO_WAV_HMAC_KEY, or hmac_key in config.toml, to the webhook key of your account.",
        )
    key = hmac_key if request.sign else None
    if request.recording is not None:
        return _recorded(request, request.recording, url, key)
    return _sampled(request, url, key)


def _sampled(request: Request, url: str, key: Secret | None) -> _Plan:
    name = request.event or "success"
    if name not in SAMPLES:
        raise UsageError(f"there is no event '{name}'", "`suno-wav trigger --list` shows all of them.")
    sample = SAMPLES[name]
    task_id = request.task_id if request.task_id is not None else secrets.token_hex(16)
    content = outgoing(
        sample,
        task_id=task_id,
        audio_id=str(uuid.uuid4()),
        wav_url=request.wav_url or f"https://example.com/{secrets.token_hex(16)}.wav",
        url=url,
    )
    return _Plan(name, url, content, task_id, key, sample.times, sample.fault)


def _recorded(request: Request, path: Path, url: str, key: Secret | None) -> _Plan:
    if (request.event, request.task_id, request.wav_url) != (None, None, None):
        raise UsageError(
            "--from sends a recorded callback as it is", "Leave out --event, --task-id and --wav-url."
        )
    recording = recordings.load(path)
    task_id = _claimed_task_id(recording.body)
    headers = end_to_end(recording.headers)
    if key is not None:
        if task_id is None:
            raise UsageError(f"{path} names no task, and the signature is of its id", "Leave out --sign.")
        headers = tuple(header for header in headers if not is_signature_header(header[0]))
    return _Plan(path.name, url, Outgoing(recording.body, headers), task_id, key)


def _claimed_task_id(body: bytes) -> str | None:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return read_callback(content).task_id if isinstance(content, dict) else None


async def _deliver_all(plan: _Plan, request: Request, report: Report) -> Verdict:
    for _ in range(plan.times - 1):
        await _deliver(plan, request, report)
    return await _deliver(plan, request, report)


async def _deliver(plan: _Plan, request: Request, report: Report) -> Verdict:
    """Post it until it is received, or until the service would give up."""
    for retry_after in RETRY_AFTER if request.retries else ():
        verdict = await _deliver_once(plan, request.speed, report)
        if verdict.as_it_must:
            return verdict
        report(events.DeliveryDelayed(retry_after / request.speed))
        await asyncio.sleep(retry_after / request.speed)
    return await _deliver_once(plan, request.speed, report)


async def _deliver_once(plan: _Plan, speed: float, report: Report) -> Verdict:
    signed = _signed(plan)
    report(
        events.Delivering(
            plan.name, signed.method, origin(plan.url), plan.task_id, signed=plan.key is not None
        )
    )
    limit = answer_seconds(speed)
    overdue = asyncio.get_running_loop().call_later(limit, report, events.AnswerOverdue(limit))
    try:
        answer = await deliver(signed, plan.url, limit * _PATIENCE)
    finally:
        overdue.cancel()
    answer = replace(answer, detail=_without_secrets(answer.detail, plan))
    verdict = judge(answer, plan.fault, speed)
    report(
        events.Delivered(
            answer.status,
            round(answer.seconds, 3),
            _first_line(answer.body, plan),
            received=verdict.received,
            refused_rightly=verdict.refused_rightly,
            verdict=verdict.text,
        )
    )
    return verdict


def _signed(plan: _Plan) -> Outgoing:
    if plan.key is None or plan.task_id is None:
        return plan.outgoing
    headers = plan.outgoing.headers + signed_headers(plan.key, plan.task_id, int(time.time()))
    return replace(plan.outgoing, headers=headers)


def _first_line(body: bytes, plan: _Plan) -> str:
    text = _without_secrets(body.decode("utf-8", "replace"), plan)
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return line if len(line) <= _LONGEST_LINE else line[:_LONGEST_LINE] + "…"


def _without_secrets(text: str, plan: _Plan) -> str:
    """Cut out the key, and the path that some receivers repeat when they do not know it, and what is unguessable in it."""
    parts = urlsplit(plan.url)
    path = parts.path if len(parts.path) > 1 else ""
    tokens = [token for token in (*path.split("/"), parts.query) if len(token) >= _LEAST_TOKEN]
    key = plan.key.value if plan.key is not None else ""
    for secret in (key, path, unquote(path), *tokens):
        text = text.replace(secret, "(hidden)") if secret else text
    return text
