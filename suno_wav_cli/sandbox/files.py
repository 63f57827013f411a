"""The CDN: generated WAVs with Range, ETag, If-Range and HEAD, and the ways in which it can misbehave."""

from __future__ import annotations

import asyncio
import hashlib
import re
from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse

from suno_wav_cli.sandbox.behaviours import File
from suno_wav_cli.sandbox.melody import Wav, melody

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

    from suno_wav_cli.sandbox.service import Service
    from suno_wav_cli.sandbox.tasks import Task

_PIECE = 256 * 1024
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
_IN_PLACE = {
    File.PAGE: (b"<!DOCTYPE html><title>Error</title><h1>Something went wrong</h1>\n", "text/html"),
    File.MP3: (b"ID3\x04\x00\x00\x00\x00\x00\x00\xff\xfb\x90\x00" + bytes(4096), "audio/mpeg"),
    File.EMPTY: (b"", "audio/wav"),
}


def serve_file(task: Task, request: Request, service: Service) -> Response:
    task.attempts += 1
    service.counters.file_requests[task.audio_id] += 1
    file = task.behaviour.file
    fresh = "fresh" in request.query_params
    if file is File.EXPIRED or (file is File.EXPIRED_ONCE and not fresh):
        return PlainTextResponse("expired\n", 403)
    if file is File.REDIRECT and not fresh:
        return RedirectResponse(request.url.include_query_params(fresh=1), 302)
    if file in _IN_PLACE:
        content, media_type = _IN_PLACE[file]
        return Response(content, media_type=media_type)
    return _serve_wav(melody(task.behaviour.layout), task, request, service)


def _serve_wav(wav: Wav, task: Task, request: Request, service: Service) -> Response:
    file = task.behaviour.file
    length = wav.length // 2 if file is File.TRUNCATED else wav.length
    etag = f'"{hashlib.sha256(task.task_id.encode()).hexdigest()[:32]}"'
    headers = {"Accept-Ranges": "bytes", "ETag": etag, "Content-Type": "audio/wav"}
    start, stop, status = 0, length, 200
    match = _RANGE.fullmatch(request.headers.get("Range", ""))
    if match and request.headers.get("If-Range", etag) == etag:
        start, stop, status = int(match[1]), min(int(match[2] or length - 1) + 1, length), 206
        if start >= stop:
            return Response(status_code=416, headers=headers | {"Content-Range": f"bytes */{length}"})
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{length}"
    if file is not File.NO_LENGTH:
        headers["Content-Length"] = str(stop - start)
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    cut = file is File.CUT or (file is File.CUT_ONCE and task.attempts == 1)
    stalls = file is File.STALL_ONCE and task.attempts == 1
    until = (start + stop) // 2 if cut or stalls else stop
    return StreamingResponse(_pieces(wav, start, until, task, service, stalls=stalls), status, headers)


async def _pieces(
    wav: Wav, start: int, stop: int, task: Task, service: Service, *, stalls: bool
) -> AsyncIterator[bytes]:
    """Yield the body. Where `stop` is less than was promised, the server closes the connection there."""
    while start < stop:
        piece = wav.read(start, min(start + _PIECE, stop))
        start += len(piece)
        service.counters.file_bytes[task.audio_id] += len(piece)
        yield piece
    if stalls:
        await asyncio.Event().wait()
