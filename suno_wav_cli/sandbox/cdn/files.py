"""A request for a file: Range, ETag, If-Range and HEAD, and the fault that the plan has for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse, RedirectResponse, Response

from suno_wav_cli.sandbox.cdn.body import Body, FileResponse
from suno_wav_cli.sandbox.cdn.coding import encode
from suno_wav_cli.sandbox.cdn.fault_syntax import format_step
from suno_wav_cli.sandbox.cdn.faults import REDIRECTS, REFUSALS, Fault, Group, Kind, Step, Trait
from suno_wav_cli.sandbox.cdn.ranges import parse_range
from suno_wav_cli.sandbox.cdn.stored import ADDRESS, FIRST_ADDRESS

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from suno_wav_cli.sandbox.cdn.stored import StoredFile

_REDIRECTS = {
    Kind.LOST: {},
    Kind.ASTRAY: {"Location": "https://["},
    Kind.FTP: {"Location": "ftp://127.0.0.1/"},
}
_CHALLENGE = (
    b"<!DOCTYPE html><title>Just a moment...</title><h1>Checking your browser</h1><script>solve()</script>\n"
)
_REPLACEMENTS = {
    Kind.PAGE: (b"<!DOCTYPE html><title>Error</title><h1>Something went wrong</h1>\n", "text/html"),
    Kind.MPEG: (b"ID3\x04\x00\x00\x00\x00\x00\x00\xff\xfb\x90\x00" + bytes(4096), "audio/mpeg"),
    Kind.EMPTY: (b"", "audio/wav"),
}


async def serve_file(
    file: StoredFile, request: Request, count_bytes: Callable[[int], None]
) -> tuple[Response, str]:
    """Answer a request for the file. Return the response and a note of its faults.

    Each GET at a valid address uses up one step of the plan. HEAD is answered as the next GET will
    be. `count_bytes` is called with the bytes that the system took.
    """
    address = request.query_params.get(ADDRESS, FIRST_ADDRESS)
    refusal = file.refusal_at(address)
    if refusal is not None:
        return PlainTextResponse("this address is no longer good\n", refusal), "address refused"
    step = file.take_step() if request.method == "GET" else file.next_step
    note = format_step(step) if step.faults else ""
    match step.of(Group.ANSWER):
        case Fault(Kind.STATUS, int(status)):
            if status in REFUSALS and request.method == "GET":
                file.refuse(address, status)
            return _make_status_response(status, step, request), note
        case Fault(Kind.CHALLENGE, int(status)):
            return Response(_CHALLENGE, status, media_type="text/html"), note
        case Fault(kind) if kind in _REDIRECTS:
            return Response(status_code=302, headers=_REDIRECTS[kind]), note
        case Fault(kind):
            content, media_type = _REPLACEMENTS[kind]
            return Response(content, media_type=media_type), note
        case None:
            return await _make_wav_response(file, address, step, request, count_bytes), note


def _make_status_response(status: int, step: Step, request: Request) -> Response:
    if status in REDIRECTS:
        return RedirectResponse(request.url.include_query_params(redirected=1), status)
    seconds = step.number_of(Kind.AFTER)
    headers = {} if seconds is None else {"Retry-After": str(seconds)}
    return PlainTextResponse(f"status {status}, as ordered\n", status, headers)


async def _make_wav_response(
    file: StoredFile, address: str, step: Step, request: Request, count_bytes: Callable[[int], None]
) -> Response:
    wav, headers = file.wav, {"Content-Type": "audio/wav"} | _make_validators(file)
    span = _requested_range(file, step, request)
    if span is not None and not span:
        return Response(status_code=416, headers=headers | {"Content-Range": f"bytes */{wav.length}"})
    status, span, content_range = _place_body(span, wav.length, step)

    def refuse_address() -> None:
        refusal = step.number_of(Kind.THEN)
        if refusal is not None:
            file.refuse(address, refusal)

    body = Body(size=len(span), read=lambda start, stop: wav.read(span.start + start, span.start + stop))
    coding = step.of(Group.CODING)
    if coding is not None:
        body, headers["Content-Encoding"] = await asyncio.to_thread(encode, body, coding)
    return FileResponse(
        status, headers | content_range, body, step, count_bytes=count_bytes, on_end=refuse_address
    )


def _make_validators(file: StoredFile) -> dict[str, str]:
    ranges = {} if Trait.RANGELESS in file.traits else {"Accept-Ranges": "bytes"}
    return ranges if file.etag is None else ranges | {"ETag": file.etag}


def _requested_range(file: StoredFile, step: Step, request: Request) -> range | None:
    """Return the requested bytes, as `parse_range`. Only a GET has a range (RFC 9110, 14.2)."""
    if request.method != "GET" or Trait.RANGELESS in file.traits or step.has(Kind.IGNORE):
        return None
    return parse_range(request.headers, file.etag, file.wav.length)


def _place_body(span: range | None, length: int, step: Step) -> tuple[int, range, dict[str, str]]:
    """Return the status, the bytes to send, and their Content-Range header."""
    if span is None and not step.has(Kind.PARTIAL):
        return 200, range(length), {}
    span = range(length) if span is None else span
    match step.of(Group.RANGE):
        case Fault(Kind.SHIFT, int(by)):
            # At least the last byte: an empty range has no Content-Range.
            span = span[min(by, len(span) - 1) :]
        case Fault(Kind.TOTAL, int(by)):
            length += by
        case Fault(Kind.BARE):
            return 206, span, {}
        case _:
            pass
    return 206, span, {"Content-Range": f"bytes {span.start}-{span.stop - 1}/{length}"}
