"""Callbacks in, within limits. It stands on the internet: every size, time and count is bounded.

A callback is a hint (contract/wav-api.md, section 5): nothing signs it, so all it can do is make the song it names
ask the API at once.
"""

from __future__ import annotations

import json
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from uvicorn.protocols.http.h11_impl import H11Protocol

from suno_wav_cli.events import CallbackReceived

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

    from suno_wav_cli.events import Report
    from suno_wav_cli.wake_ups import WakeUps

_LONGEST_ID = 200


@dataclass(frozen=True)
class Limits:
    """Sizes in bytes, times in seconds. `request_seconds` bounds a request from its first byte to its last."""

    body: int = 64 * 1024
    request_seconds: float = 10.0
    connections: int = 64


@dataclass(frozen=True)
class Callback:
    """What a delivery claims; neither field is to be believed."""

    task_id: str | None
    code: int | None


def receiver_app(path: str, wake_ups: WakeUps, report: Report, limits: Limits) -> ASGIApp:
    """Answer POSTs of JSON to `path` with 200 at once, and wake the song they name afterwards."""

    # A coroutine, because Starlette runs plain functions in a thread, and an asyncio.Event is not for threads.
    async def deliver(callback: Callback) -> None:
        report(CallbackReceived(callback.task_id, callback.code))
        if callback.task_id is not None:
            wake_ups.wake(callback.task_id)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await _answer(request, path, limits, deliver)
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    return app


async def _answer(
    request: Request, path: str, limits: Limits, deliver: Callable[[Callback], Awaitable[None]]
) -> Response:
    # Only the end is compared: a proxy in front may keep the prefix of its own address.
    if not secrets.compare_digest(request.scope["path"][-len(path) :].encode(), path.encode()):
        return _refused(404, "not found")
    if request.method != "POST":
        return _refused(405, "only POST", {"Allow": "POST"})
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limits.body:
            return _refused(413, "too large")
    try:
        content = json.loads(bytes(body))
    except (ValueError, RecursionError):
        return _refused(400, "not JSON")
    if not isinstance(content, dict):
        return _refused(400, "not a JSON object")
    return JSONResponse({"status": "received"}, background=BackgroundTask(deliver, read_callback(content)))


def read_callback(content: dict[str, Any]) -> Callback:
    """Find the task id and the code, in every variant of section 5."""
    data = content.get("data")
    places = [data, content] if isinstance(data, dict) else [content]
    names = [place.get(key) for place in places for key in ("task_id", "taskId")]
    code = content.get("code")
    return Callback(
        next(
            (
                name
                for name in names
                if isinstance(name, str) and 0 < len(name) <= _LONGEST_ID and name.isprintable()
            ),
            None,
        ),
        code if isinstance(code, int) and not isinstance(code, bool) else None,
    )


def _refused(status: int, reason: str, headers: dict[str, str] | None = None) -> Response:
    # The rest of the body is not read: the connection ends with the answer.
    return PlainTextResponse(reason + "\n", status, {"Connection": "close", **(headers or {})})


def limited_protocol(limits: Limits) -> type[H11Protocol]:
    """Make uvicorn's HTTP/1.1 protocol with the two limits that it lacks: a deadline for each request, and one for connections.

    The deadline runs from the connection's start, or the last response's end, until a request was answered. Where too
    many connections are open, the one that has waited longest makes room: a genuine callback needs milliseconds, so
    it is never the oldest.
    """
    oldest_first: OrderedDict[H11Protocol, None] = OrderedDict()

    class LimitedProtocol(H11Protocol):
        _deadline: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            oldest_first[self] = None
            if len(oldest_first) > limits.connections:
                oldest_first.popitem(last=False)[0].transport.abort()
            self._deadline = self.loop.call_later(limits.request_seconds, transport.abort)

        def on_response_complete(self) -> None:
            self._restart_deadline()
            super().on_response_complete()

        def connection_lost(self, exc: Exception | None) -> None:
            oldest_first.pop(self, None)
            if self._deadline is not None:
                self._deadline.cancel()
            super().connection_lost(exc)

        def _restart_deadline(self) -> None:
            if self._deadline is not None:
                self._deadline.cancel()
            self._deadline = self.loop.call_later(limits.request_seconds, self.transport.abort)

    return LimitedProtocol
