"""Post a callback as the service does, and report what came back."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from suno_wav_cli.callbacks.sender import origin, post_callback
from suno_wav_cli.callbacks.signature import signed_headers
from suno_wav_cli.commands.trigger.answer_text import find_words
from suno_wav_cli.commands.trigger.reach import find_reach_problem
from suno_wav_cli.commands.trigger.verdict import judge_answer
from suno_wav_cli.events import trigger

if TYPE_CHECKING:
    from suno_wav_cli.callbacks.sender import Answer, CallbackRequest, ServiceTiming
    from suno_wav_cli.commands.trigger.request import PlannedCallback, Request
    from suno_wav_cli.commands.trigger.verdict import AnswerVerdict
    from suno_wav_cli.events import Report

_MAX_WAIT_FACTOR = 4
"""A late answer is waited for four times as long as the service does, and its true time shown."""

_MAX_LINE = 200
_MIN_TOKEN = 16


def note_address(url: str, report: Report) -> None:
    """Report that the service could not post there, or would rather not."""
    reason = find_reach_problem(url)
    if reason is not None:
        report(trigger.AddressNoted(receiver=origin(url), reason=reason))


async def post_all(
    planned: PlannedCallback, request: Request, timing: ServiceTiming, report: Report, *, of: int = 1
) -> AnswerVerdict:
    """Post a callback as often as it is planned. Return the last verdict. It is one `of` so many."""
    for _ in range(planned.times - 1):
        await _post_with_retries(planned, request, timing, report, of)
    return await _post_with_retries(planned, request, timing, report, of)


async def _post_with_retries(
    planned: PlannedCallback, request: Request, timing: ServiceTiming, report: Report, of: int
) -> AnswerVerdict:
    """Post until the callback is received, or until the service would give up."""
    for pause in timing.retries if request.retries else ():
        verdict = await _post_once(planned, timing, report, of)
        if verdict.is_good:
            return verdict
        report(trigger.CallbackRetried(seconds=pause))
        await asyncio.sleep(pause)
    return await _post_once(planned, timing, report, of)


async def post_planned(
    planned: PlannedCallback, timing: ServiceTiming, seconds: float
) -> tuple[Answer, AnswerVerdict]:
    """Post a callback once, wait at most `seconds`, and judge the answer, from which secrets are cut out."""
    try:
        answer = await post_callback(_sign(planned), planned.url, seconds)
    finally:
        if planned.file is not None:
            planned.file.note_answer()
    answer = replace(answer, detail=_hide_secrets(answer.detail, planned))
    return answer, judge_answer(answer, planned.fault, timing)


async def _post_once(
    planned: PlannedCallback, timing: ServiceTiming, report: Report, of: int
) -> AnswerVerdict:
    report(
        trigger.CallbackSending(
            name=planned.name,
            method=planned.callback.method,
            receiver=origin(planned.url),
            task_id=planned.task_id,
            signed=planned.key is not None,
            of=of,
        )
    )
    limit = timing.answer
    overdue = asyncio.get_running_loop().call_later(limit, report, trigger.AnswerOverdue(seconds=limit))
    try:
        answer, verdict = await post_planned(planned, timing, limit * _MAX_WAIT_FACTOR)
    finally:
        overdue.cancel()
    text = _hide_secrets(answer.body.decode("utf-8", "replace"), planned)
    said = find_words(text)
    report(
        trigger.CallbackSent(
            name=planned.name,
            of=of,
            status=answer.status,
            seconds=round(answer.seconds, 3),
            answer=said if len(said) <= _MAX_LINE else said[:_MAX_LINE] + "…",
            received=verdict.received,
            correctly_refused=verdict.correctly_refused,
            verdict=verdict.text,
        )
    )
    if text.strip() != said:
        report(trigger.AnswerBody(text=text.strip()))
    return verdict


def _sign(planned: PlannedCallback) -> CallbackRequest:
    if planned.key is None or planned.task_id is None:
        return planned.callback
    headers = planned.callback.headers + signed_headers(planned.key, planned.task_id, int(time.time()))
    return replace(planned.callback, headers=headers)


def _hide_secrets(text: str, planned: PlannedCallback) -> str:
    """Cut out the key, and the secret path, which some receivers repeat in a 404."""
    parts = urlsplit(planned.url)
    path = parts.path if len(parts.path) > 1 else ""
    tokens = [token for token in (*path.split("/"), parts.query) if len(token) >= _MIN_TOKEN]
    key = planned.hidden.value if planned.hidden is not None else ""
    for secret in (key, path, unquote(path), *tokens):
        text = text.replace(secret, "(hidden)") if secret else text
    return text
