"""The receiver of callbacks. It is on the internet: every size, time and count is bounded.

A callback is a hint (api/README.md, section 5). All it can do is make the program ask the API.
"""

from __future__ import annotations

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

    from suno_wav_cli.callbacks.probe import Probe
    from suno_wav_cli.callbacks.server import ReceiverLimits


def receiver_app(
    path: str,
    handle: Callable[[ReceivedCallback], Awaitable[None]],
    limits: ReceiverLimits,
    probe: Probe | None = None,
) -> ASGIApp:
    """Make an app that answers POSTs of JSON to `path` with 200 at once, and then calls `handle`.

    `handle` is a coroutine function, because Starlette runs others in a thread, and an
    asyncio.Event is not for threads.
    """

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await _answer(request, path, limits, handle, probe)
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    return app


async def _answer(
    request: Request,
    path: str,
    limits: ReceiverLimits,
    handle: Callable[[ReceivedCallback], Awaitable[None]],
    probe: Probe | None,
) -> Response:
    # Only the end is compared: a proxy in front may keep the prefix of its own address.
    if not secrets.compare_digest(request.scope["path"][-len(path) :].encode(), path.encode()):
        return _refuse(404, "not found")
    if request.method != "POST":
        return _refuse(405, "only POST", {"Allow": "POST"})
    body = await _read_body(request, limits.body)
    if body is None:
        return _refuse(413, "too large")
    content = _parse_object(body)
    if content is None:
        return _refuse(400, "not a JSON object")
    if probe is not None and probe.recognises(content):
        probe.seen.set()
        return JSONResponse({"status": "received"})
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw)
    delivery = ReceivedCallback(headers=headers, body=body, callback=read_callback(content))
    return JSONResponse({"status": "received"}, background=BackgroundTask(handle, delivery))


async def _read_body(request: Request, limit: int) -> bytes | None:
    """Return the body, or None if it is larger than `limit` bytes."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            return None
    return bytes(body)


def _parse_object(body: bytes) -> dict[str, Any] | None:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _refuse(status: int, reason: str, headers: dict[str, str] | None = None) -> Response:
    # The rest of the body is not read: the connection ends with the answer.
    return PlainTextResponse(reason + "\n", status, {"Connection": "close", **(headers or {})})
