"""Send callbacks, with 15 seconds to answer and three retries (api/README.md, section 5)."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from suno_wav_cli.callbacks.payload_variants import callback_content
from suno_wav_cli.callbacks.sender import (
    JSON_HEADERS,
    CallbackRequest,
    post_callback,
)
from suno_wav_cli.callbacks.signature import signed_headers
from suno_wav_cli.events.commands import RequestServed
from suno_wav_cli.sandbox.behaviours import Callbacks

if TYPE_CHECKING:
    from suno_wav_cli.callbacks.sender import Answer
    from suno_wav_cli.events import Report
    from suno_wav_cli.sandbox.service import Service
    from suno_wav_cli.sandbox.tasks import Task

_LATE_SECONDS = 60.0

_RESERVED = ("example.com", "example.org", "example.net")
"""Placeholder hosts (RFC 2606). No callback is posted there."""


async def send_callbacks(task: Task, service: Service, report: Report) -> None:
    """Wait until the task is decided, then post the callbacks of its behaviour."""
    kind = task.behaviour.callbacks
    if kind is Callbacks.NEVER or not task.callback_url or task.ready_at == float("inf"):
        return
    if kind is Callbacks.FORGED:
        await _send_forgeries(task, service, report)
    await asyncio.sleep(max(0.0, task.ready_at - service.now()) / service.speed)
    if kind is Callbacks.LATE:
        await asyncio.sleep(_LATE_SECONDS / service.speed)
    url = task.file_url if task.behaviour.flag == "SUCCESS" else None
    content = callback_content(task.callback_shape, task.describe(task.behaviour.flag, url))
    await _send_with_retries(task, content, service, report)
    if kind is Callbacks.TWICE:
        await _send_with_retries(task, content, service, report)


async def _send_forgeries(task: Task, service: Service, report: Report) -> None:
    """Send three forged callbacks, unsigned: another task, another file, a failure."""
    evil = {"audio_wav_url": "https://example.com/evil.wav", "task_id": task.task_id}
    for number, forgery in enumerate(
        (
            {"code": 200, "msg": "success", "data": evil | {"task_id": "0" * 32}},
            {"code": 200, "msg": "success", "data": evil},
            {"code": 501, "msg": "failed", "data": evil | {"audio_wav_url": None}},
        ),
        1,
    ):
        request = CallbackRequest(body=json.dumps(forgery).encode())
        await _post(task, request, service, report, what=f"forgery {number}")


async def _send_with_retries(task: Task, content: bytes, service: Service, report: Report) -> None:
    retries = service.timing.retries
    for attempt, pause in enumerate((*retries, None), 1):
        service.counters.callbacks[task.audio_id] += 1
        request = CallbackRequest(body=content, headers=JSON_HEADERS + _sign(task, service))
        what = f"attempt {attempt} of {len(retries) + 1}"
        if await _post(task, request, service, report, what=what, pause=pause) or pause is None:
            return
        await asyncio.sleep(pause)


def _sign(task: Task, service: Service) -> tuple[tuple[str, str], ...]:
    if service.hmac_key is None:
        return ()
    return signed_headers(service.hmac_key, task.task_id, int(time.time()))


async def _post(
    task: Task,
    request: CallbackRequest,
    service: Service,
    report: Report,
    *,
    what: str,
    pause: float | None = None,
) -> bool:
    """Post once. Return whether the receiver answered HTTP 200 in time.

    The path, which may be secret, is not reported. `pause` is before the next attempt, if there is one.
    """
    try:
        host = urlsplit(task.callback_url).hostname or ""
    except ValueError:
        host = ""
    if host.removeprefix("www.") in _RESERVED:
        report(RequestServed(method="CALLBACK", path=host, status=0, detail="a placeholder, not posted to"))
        return True
    answer = await post_callback(request, task.callback_url, service.timing.answer)
    detail = f"task {task.task_id}, {task.audio_id}, {what}: {describe_answer(answer, pause)}"
    report(RequestServed(method="CALLBACK", path=host, status=answer.status or 0, detail=detail))
    return answer.status == httpx.codes.OK


def describe_answer(answer: Answer, pause: float | None) -> str:
    """Say how long a receiver took, what went wrong, and what the service does then."""
    took = f"{answer.seconds:.2f} s"
    if answer.status == httpx.codes.OK:
        return took
    problem = ": ".join(filter(None, (answer.problem, answer.detail)))
    then = "gives up" if pause is None else f"tries again in {pause:.3g} s"
    return ", ".join(filter(None, (took, problem, then)))
