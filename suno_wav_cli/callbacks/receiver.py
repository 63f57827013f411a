"""Callbacks in, within limits. It stands on the internet: every size, time and count is bounded.

A callback is a hint (api/README.md, section 5): nothing signs it, so all it can do is make somebody
ask the API.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from typing import TYPE_CHECKING, Any

from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from suno_wav_cli.callbacks.payload import ReceivedCallback, read_callback

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

    from suno_wav_cli.callbacks.server import ReceiverLimits


class Probe:
    """One request of our own, which shows that the public address leads here. `seen` is set when it arrives."""

    def __init__(self) -> None:
        self._nonce = secrets.token_urlsafe(16)
        self.seen = asyncio.Event()

    @property
    def content(self) -> dict[str, str]:
        """The JSON that it posts."""
        return {"suno_wav_probe": self._nonce}

    def recognises(self, content: dict[str, Any]) -> bool:
        nonce = content.get("suno_wav_probe")
        return isinstance(nonce, str) and secrets.compare_digest(nonce.encode(), self._nonce.encode())


def receiver_app(
    path: str,
    deliver: Callable[[ReceivedCallback], Awaitable[None]],
    limits: ReceiverLimits,
    probe: Probe | None = None,
) -> ASGIApp:
    """Answer POSTs of JSON to `path` with 200 at once, and `deliver` them afterwards.

    `deliver` is a coroutine, because Starlette runs plain functions in a thread, and an asyncio.Event is not for threads.
    """

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await _answer(request, path, limits, deliver, probe)
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    return app


async def _answer(
    request: Request,
    path: str,
    limits: ReceiverLimits,
    deliver: Callable[[ReceivedCallback], Awaitable[None]],
    probe: Probe | None,
) -> Response:
    # Only the end is compared: a proxy in front may keep the prefix of its own address.
    if not secrets.compare_digest(request.scope["path"][-len(path) :].encode(), path.encode()):
        return _refused(404, "not found")
    if request.method != "POST":
        return _refused(405, "only POST", {"Allow": "POST"})
    body = await _body(request, limits.body)
    if body is None:
        return _refused(413, "too large")
    content = _json_object(body)
    if content is None:
        return _refused(400, "not a JSON object")
    if probe is not None and probe.recognises(content):
        probe.seen.set()
        return JSONResponse({"status": "received"})
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw)
    delivery = ReceivedCallback(headers=headers, body=body, callback=read_callback(content))
    return JSONResponse({"status": "received"}, background=BackgroundTask(deliver, delivery))


async def _body(request: Request, largest: int) -> bytes | None:
    """None where it is too large."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > largest:
            return None
    return bytes(body)


def _json_object(body: bytes) -> dict[str, Any] | None:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _refused(status: int, reason: str, headers: dict[str, str] | None = None) -> Response:
    # The rest of the body is not read: the connection ends with the answer.
    return PlainTextResponse(reason + "\n", status, {"Connection": "close", **(headers or {})})
