"""Callbacks out, as the service sends them: 15 seconds to answer, three retries (contract/wav-api.md, section 5)."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from suno_wav_cli.events import RequestServed
from suno_wav_cli.loopback import is_loopback
from suno_wav_cli.sandbox.behaviours import Callbacks
from suno_wav_cli.sandbox.shapes import callback_body

if TYPE_CHECKING:
    from suno_wav_cli.events import Report
    from suno_wav_cli.sandbox.service import Service
    from suno_wav_cli.sandbox.tasks import Task

_ANSWER_SECONDS = 15.0
_RETRY_AFTER = (60.0, 300.0, 900.0)
_LATE_SECONDS = 60.0
_HUGE_BYTES = 1_000_000
_LEAST_REAL_SECONDS = 1.0
"""However fast the sandbox runs, a receiver on a busy machine gets this long to answer."""

_RESERVED = ("example.com", "example.org", "example.net")
"""Placeholders (RFC 2606), which nobody wants posted to."""


async def send_callbacks(task: Task, service: Service, report: Report) -> None:
    """Wait until the task is decided, and post what its behaviour asks for."""
    kind = task.behaviour.callbacks
    if kind is Callbacks.NEVER or task.ready_at == float("inf"):
        return
    if kind is Callbacks.FORGED:
        await _forge(task, service, report)
    await asyncio.sleep(max(0.0, task.ready_at - service.now()) / service.speed)
    if kind is Callbacks.LATE:
        await asyncio.sleep(_LATE_SECONDS / service.speed)
    content = _content(task)
    await _deliver(task, content, service, report)
    if kind is Callbacks.TWICE:
        await _deliver(task, content, service, report)


def _content(task: Task) -> bytes:
    if task.behaviour.callbacks is Callbacks.MALFORMED:
        return b'{"code": 200, "data": {'
    body = callback_body(task, task.file_url if task.behaviour.flag == "SUCCESS" else None)
    if task.behaviour.callbacks is Callbacks.HUGE:
        body["msg"] = "x" * _HUGE_BYTES
    return json.dumps(body).encode()


async def _forge(task: Task, service: Service, report: Report) -> None:
    """Three lies before the truth: another task, another file, a failure."""
    evil = {"audio_wav_url": "https://example.com/evil.wav", "task_id": task.task_id}
    for lie in (
        {"code": 200, "msg": "success", "data": evil | {"task_id": "0" * 32}},
        {"code": 200, "msg": "success", "data": evil},
        {"code": 501, "msg": "failed", "data": evil | {"audio_wav_url": None}},
    ):
        await _post(task.callback_url, json.dumps(lie).encode(), service, report)


async def _deliver(task: Task, content: bytes, service: Service, report: Report) -> None:
    for retry_after in (*_RETRY_AFTER, None):
        service.counters.callbacks[task.audio_id] += 1
        if await _post(task.callback_url, content, service, report) or retry_after is None:
            return
        await asyncio.sleep(retry_after / service.speed)


async def _post(url: str, content: bytes, service: Service, report: Report) -> bool:
    """Tell whether the receiver answered HTTP 200 in time. The path, which may be secret, is not reported."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        host = ""
    if host.removeprefix("www.") in _RESERVED:
        report(RequestServed("CALLBACK", host, 0, "a placeholder, not posted to"))
        return True
    seconds = max(_ANSWER_SECONDS / service.speed, _LEAST_REAL_SECONDS)
    headers = {"Content-Type": "application/json"}
    status, note = 0, ""
    try:
        async with (
            asyncio.timeout(seconds),
            httpx.AsyncClient(timeout=seconds, trust_env=not is_loopback(url)) as http,
        ):
            response = await http.post(url, content=content, headers=headers)
            status = response.status_code
    except TimeoutError:
        note = "no answer in time"
    except Exception as error:  # noqa: BLE001 - an address can be wrong in many ways, and none may end the sandbox
        note = str(error) or type(error).__name__
    report(RequestServed("CALLBACK", host, status, note))
    return status == httpx.codes.OK
