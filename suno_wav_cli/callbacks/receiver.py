"""The receiver of callbacks. It is on the internet: every size, time and count is bounded.

A callback is a hint (api/README.md, section 5). All it can do is make the program ask the API.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from suno_wav_cli.callbacks import refusal
from suno_wav_cli.callbacks.handlers import VIA_HEADER
from suno_wav_cli.callbacks.payload import ReceivedCallback, read_callback
from suno_wav_cli.callbacks.refusal import Refusal, RefusedRequest

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from suno_wav_cli.callbacks.handlers import Handlers
    from suno_wav_cli.callbacks.limited_server import ReceiverLimits
    from suno_wav_cli.callbacks.probe import Probe

_SHOWN_METHOD = 10
_NOT_FOUND = 404


def receiver_app(
    path: str, handlers: Handlers, limits: ReceiverLimits, probe: Probe | None = None
) -> ASGIApp:
    """Make an app that answers POSTs of JSON to `path` with 200 at once, and handles them then."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        outcome = await _receive(request, path, limits, handlers, probe)
        if isinstance(outcome, Refusal):
            if handlers.refused is not None:
                method, shown = request.method[:_SHOWN_METHOD], refusal.shown_path(scope["path"], path)
                handlers.refused(RefusedRequest(method=method, path=shown, refusal=outcome))
            await _refuse(outcome)(scope, receive, send)
            return
        background = BackgroundTask(handlers.handle, outcome) if outcome else None
        await JSONResponse({"status": "received"}, background=background)(scope, receive, send)

    return app


async def _receive(
    request: Request, path: str, limits: ReceiverLimits, handlers: Handlers, probe: Probe | None
) -> ReceivedCallback | Refusal | None:
    """Return a delivery that may be acknowledged, or why it is refused; None for a probe."""
    read = await _read_request(request, path, limits, handlers.via)
    if isinstance(read, Refusal):
        return read
    body, content = read
    if probe is not None and probe.recognises(content):
        probe.seen.set()
        return None
    delivery = ReceivedCallback(headers=_headers_of(request), body=body, callback=read_callback(content))
    if handlers.keep is None:
        return delivery
    kept = handlers.keep(delivery)
    return kept if isinstance(kept, Refusal) else replace(delivery, kept=kept)


async def _read_request(
    request: Request, path: str, limits: ReceiverLimits, via: str | None
) -> tuple[bytes, dict[str, Any]] | Refusal:
    """Return the body and its content, or why the request is refused."""
    has_come_by = via is not None and via in ",".join(request.headers.getlist(VIA_HEADER))
    refused = refusal.refuse_head(request.method, request.scope["path"], path, is_loop=has_come_by)
    if refused is not None:
        return refused
    try:
        body = await _read_body(request, limits.body)
    except ClientDisconnect:
        return refusal.CUT_SHORT
    if body is None:
        return refusal.refuse_size(limits.body)
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return refusal.refuse_body(body, _headers_of(request))
    return (body, content) if isinstance(content, dict) else refusal.NOT_AN_OBJECT


async def _read_body(request: Request, limit: int) -> bytes | None:
    """Return the body, or None if it is larger than `limit` bytes."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            return None
    return bytes(body)


def _headers_of(request: Request) -> tuple[tuple[str, str], ...]:
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw)


def _refuse(refused: Refusal) -> Response:
    allow = {"Allow": "POST"} if refused is refusal.WRONG_METHOD else {}
    # Strangers learn nothing of the path. The rest of the body is not read: the connection ends.
    text = "not found" if refused.status == _NOT_FOUND else refused.reason
    return PlainTextResponse(text + "\n", refused.status, {"Connection": "close", **allow})
