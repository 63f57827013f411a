"""What httpx leaves open: a body read within bounds of memory, and words for its errors."""

from __future__ import annotations

import re
import socket
import ssl
import zlib
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from suno_wav_cli.system.http_problems import find_causes

_MOST_PIECES = 10_000
_MOST_LAYERS = 5
_LONGEST_DATE = 100
_ZLIB_CODINGS = ("gzip", "x-gzip", "deflate")
_CODINGS = (*_ZLIB_CODINGS, "br", "compress", "x-compress", "zstd")


async def read_body(response: httpx.Response, limit: int, arrived: bytearray | None = None) -> bytes:
    """Return the body as it was sent. A longer one is cut after `limit` + 1 bytes.

    `arrived` gets what comes before the connection breaks, for which httpx.HTTPError is raised; also
    if the body comes in too many small pieces, each of which costs as much as a large one.
    """
    pieces = 0
    body = bytearray() if arrived is None else arrived
    # Raw, because httpx decodes a piece at once: 300 bytes, compressed three times, become gigabytes.
    async for piece in response.aiter_raw():
        body += piece[: limit + 1 - len(body)]
        pieces += 1
        if pieces > _MOST_PIECES:
            raise httpx.RemoteProtocolError("its answer comes in too small pieces")
        if len(body) > limit:
            break
    return bytes(body)


def decode_body(body: bytes, content_encoding: str, limit: int) -> bytes | None:
    """Undo at most one layer of gzip or deflate.

    Return None if that fails or exceeds `limit` bytes.
    """
    names = (name.strip() for name in content_encoding.lower().split(","))
    # Some servers put a character set or other names here.
    codings = [name for name in names if name in _CODINGS]
    if not codings:
        return body if len(body) <= limit else None
    if len(codings) > 1 or codings[0] not in _ZLIB_CODINGS:
        return None
    # 15 bits of window, and 32 to accept either header: gzip's or zlib's.
    decoder = zlib.decompressobj(wbits=47)
    try:
        decoded = decoder.decompress(body, limit + 1)
    except zlib.error:
        return None
    return decoded if decoder.eof and len(decoded) <= limit else None


def decode_partly(body: bytes, content_encoding: str, limit: int) -> bytes:
    """Undo gzip and deflate as far as that is possible, to at most `limit` bytes."""
    layers = content_encoding.lower().count("gzip") + content_encoding.lower().count("deflate")
    for _ in range(min(layers, _MOST_LAYERS)):
        try:
            body = zlib.decompressobj(wbits=47).decompress(body, limit)
        except zlib.error:
            break
    return body[:limit]


def read_retry_after(text: str, longest: float) -> float | None:
    """Read a Retry-After, in seconds or a date, as at most `longest` seconds from now."""
    text = text[:_LONGEST_DATE].strip()
    try:
        seconds = (
            float(text)
            if re.fullmatch(r"[0-9]{1,9}", text)
            else (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
        )
    except (TypeError, ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), longest)


def describe_error(error: httpx.HTTPError) -> str:
    """Say why a request failed, without the class names of httpx or the numbers of the system."""
    if isinstance(error, httpx.ConnectTimeout):
        return "no answer from its address"
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    causes = list(find_causes(error))
    known = next((said for cause in causes if (said := _describe_cause(cause))), None)
    system = [cause.strerror for cause in causes if isinstance(cause, OSError) and cause.strerror]
    if known is None and system:
        known = system[-1][:1].lower() + system[-1][1:]
    return known or str(error) or "the connection broke"


def _describe_cause(cause: BaseException) -> str | None:
    match cause:
        case socket.gaierror():
            return "its name does not resolve"
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted: {cause.verify_message}"
        case ssl.SSLError() if cause.reason:
            return f"TLS failed: {cause.reason.replace('_', ' ').lower()}"
        case ConnectionRefusedError():
            return "the connection was refused"
        case _:
            return None
