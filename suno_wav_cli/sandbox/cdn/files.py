"""The CDN: generated WAVs with Range, ETag, If-Range and HEAD, and what a request for one meets."""

from __future__ import annotations

import asyncio
import gzip
from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse, RedirectResponse, Response

from suno_wav_cli.sandbox.cdn.body import Body, FileResponse
from suno_wav_cli.sandbox.cdn.fault_syntax import format_step
from suno_wav_cli.sandbox.cdn.faults import REDIRECTS, REFUSALS, Fault, Group, Kind, Step, Trait
from suno_wav_cli.sandbox.cdn.ranges import parse_range
from suno_wav_cli.sandbox.cdn.stored import ADDRESS, FIRST_ADDRESS

if TYPE_CHECKING:
    from starlette.requests import Request

    from suno_wav_cli.sandbox.cdn.stored import StoredFile
    from suno_wav_cli.sandbox.service import Service
    from suno_wav_cli.sandbox.tasks import Task

_IN_PLACE = {
    Kind.PAGE: (b"<!DOCTYPE html><title>Error</title><h1>Something went wrong</h1>\n", "text/html"),
    Kind.MPEG: (b"ID3\x04\x00\x00\x00\x00\x00\x00\xff\xfb\x90\x00" + bytes(4096), "audio/mpeg"),
    Kind.EMPTY: (b"", "audio/wav"),
}


async def serve_file(task: Task, request: Request, service: Service) -> tuple[Response, str]:
    """Answer a request for the file, and name what is wrong with the answer.

    A step of the plan is used up by each GET at an address that is good; HEAD tells what the next GET would be told.
    """
    service.counters.file_requests[task.audio_id] += 1
    file, address = task.file, request.query_params.get(ADDRESS, FIRST_ADDRESS)
    refused_with = file.refusal_at(address)
    if refused_with is not None:
        return PlainTextResponse("this address is no longer good\n", refused_with), "address refused"
    step = file.take_step() if request.method == "GET" else file.coming_step
    wrong = format_step(step) if step.faults else ""
    match step.of(Group.ANSWER):
        case Fault(Kind.STATUS, int(status)):
            if status in REFUSALS and request.method == "GET":
                file.refuse(address, status)
            return _only_status(status, step, request), wrong
        case Fault(kind):
            content, media_type = _IN_PLACE[kind]
            return Response(content, media_type=media_type), wrong
        case None:
            return await _wav(task, address, step, request, service), wrong


def _only_status(status: int, step: Step, request: Request) -> Response:
    if status in REDIRECTS:
        return RedirectResponse(request.url.include_query_params(redirected=1), status)
    seconds = step.number_of(Kind.AFTER)
    headers = {} if seconds is None else {"Retry-After": str(seconds)}
    return PlainTextResponse(f"status {status}, as ordered\n", status, headers)


async def _wav(task: Task, address: str, step: Step, request: Request, service: Service) -> Response:
    file = task.file
    wav, headers = file.wav, {"Content-Type": "audio/wav"} | _validators(file)
    span = _span(file, step, request)
    if span is not None and not span:
        return Response(status_code=416, headers=headers | {"Content-Range": f"bytes */{wav.length}"})
    status, span, content_range = _placed(span, wav.length, step)

    def count(sent: int) -> None:
        service.counters.file_bytes[task.audio_id] += sent

    def ended() -> None:
        refusal = step.number_of(Kind.THEN)
        if refusal is not None:
            file.refuse(address, refusal)

    body = Body(size=len(span), read=lambda start, stop: wav.read(span.start + start, span.start + stop))
    if step.has(Kind.GZIP):
        headers["Content-Encoding"] = "gzip"
        body = await asyncio.to_thread(_packed, body)
    return FileResponse(status, headers | content_range, body, step, count=count, ended=ended)


def _validators(file: StoredFile) -> dict[str, str]:
    ranges = {} if Trait.RANGELESS in file.traits else {"Accept-Ranges": "bytes"}
    return ranges if file.etag is None else ranges | {"ETag": file.etag}


def _span(file: StoredFile, step: Step, request: Request) -> range | None:
    """Give the bytes that are asked for, as `range_asked`. RFC 9110, section 14.2: of a GET only."""
    if request.method != "GET" or Trait.RANGELESS in file.traits or step.has(Kind.IGNORE):
        return None
    return parse_range(request.headers, file.etag, file.wav.length)


def _placed(span: range | None, length: int, step: Step) -> tuple[int, range, dict[str, str]]:
    """Give the status, the bytes that are sent, and what Content-Range says of them."""
    if span is None:
        return 200, range(length), {}
    match step.of(Group.RANGE):
        case Fault(Kind.SHIFT, int(by)):
            # At least the last byte, for nothing can be said of none.
            span = span[min(by, len(span) - 1) :]
        case Fault(Kind.TOTAL, int(by)):
            length += by
        case Fault(Kind.BARE):
            return 206, span, {}
        case _:
            pass
    return 206, span, {"Content-Range": f"bytes {span.start}-{span.stop - 1}/{length}"}


def _packed(body: Body) -> Body:
    content, at = bytearray(), 0
    while at < body.size:
        content += body.read(at, body.size)
        at = len(content)
    packed = gzip.compress(content, compresslevel=1, mtime=0)
    return Body(size=len(packed), read=lambda start, stop: packed[start:stop])
