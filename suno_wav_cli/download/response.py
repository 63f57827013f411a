"""What the head of an answer says: which bytes of which file come, or why none do. Decided without touching anything."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import httpx

from suno_wav_cli.errors import AddressRefused, BrokenOff, DownloadFailed, StartOver
from suno_wav_cli.journal.holding import ByteRange

if TYPE_CHECKING:
    from collections.abc import Mapping

_CONTENT_RANGE = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19})")
_UNSATISFIED = re.compile(r"bytes \*/(\d{1,19})")
_STRONG = re.compile(r'"[\x21\x23-\x7e]{1,1000}"')
_PLAIN = "identity"
_DECODED = ("gzip", "deflate")
_LONGEST_WAIT = 120.0
"""Seconds that a server may ask to be left alone."""

_REFUSED = (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND, httpx.codes.GONE)
_FOR_NOW = (httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_EARLY, httpx.codes.TOO_MANY_REQUESTS)


@dataclass(frozen=True, kw_only=True)
class Content:
    """What the body of an answer is: the bytes `span` of a file of `length`; None where the server does not tell.

    `validator` is the file's strong ETag, where it has one; `divisible` says that the server offers ranges of it, and
    `coded` that the body is to be unpacked.
    """

    span: ByteRange
    length: int | None
    validator: str | None
    divisible: bool = False
    coded: bool = False


def judged(
    status: int, headers: Mapping[str, str], asked: ByteRange | None, validator: str | None
) -> Content:
    """Read an answer to a request for a whole file, or for the span `asked` of the one that `validator` names.

    Raises AddressRefused where a fresh address may help, BrokenOff where another try may, StartOver where what is
    there already is of no use, and DownloadFailed otherwise.
    """
    if status == httpx.codes.OK:
        if asked is not None:
            # Whether it knows no ranges or has another file now: what comes is not what was asked for.
            same = validator is not None and headers.get("ETag") == validator
            raise StartOver(
                "the file's server sends it from its beginning" if same else "the file has changed"
            )
        return _whole(headers)
    if status == httpx.codes.PARTIAL_CONTENT:
        return _part(headers, asked, validator)
    if status == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE and asked is not None:
        return _nothing_left(headers, asked, validator)
    if status in _REFUSED:
        raise AddressRefused(
            f"the file's address answers HTTP {status}", "It may have expired; ask for a fresh one."
        )
    if status >= httpx.codes.INTERNAL_SERVER_ERROR or status in _FOR_NOW:
        raise BrokenOff(f"the file's server answers HTTP {status}", _retry_after(headers))
    raise DownloadFailed(
        f"the file's server answers HTTP {status}", "Try again; if it stays so, ask your provider."
    )


def _whole(headers: Mapping[str, str]) -> Content:
    coding = _coding(headers)
    if coding != _PLAIN:
        if coding not in _DECODED:
            raise DownloadFailed(
                f"the file's server packs it in a way that was not asked for ({coding[:20]})",
                "Try again; if it stays so, ask your provider.",
            )
        # The length and the ranges are those of the packed file.
        return Content(span=ByteRange(start=0, stop=None), length=None, validator=None, coded=True)
    text = headers.get("Content-Length", "")
    length = int(text) if re.fullmatch(r"[0-9]{1,19}", text) and "Transfer-Encoding" not in headers else None
    validator = headers.get("ETag", "")
    strong = validator if _STRONG.fullmatch(validator) else None
    offered = headers.get("Accept-Ranges", "").strip().lower() == "bytes"
    return Content(
        span=ByteRange(start=0, stop=length),
        length=length,
        validator=strong,
        divisible=offered and strong is not None and length is not None,
    )


def _part(headers: Mapping[str, str], asked: ByteRange | None, validator: str | None) -> Content:
    match = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", ""))
    if match is None or asked is None or validator is None or _coding(headers) != _PLAIN:
        raise StartOver("the file's server sends a part that cannot be placed")
    start, stop, length = int(match[1]), int(match[2]) + 1, int(match[3])
    if headers.get("ETag", validator) != validator:
        raise StartOver("the file has changed")
    most = length if asked.stop is None else min(asked.stop, length)
    whole = headers.get("Content-Length", str(stop - start)) == str(stop - start)
    if start != asked.start or not start < stop <= most or not whole:
        raise StartOver("the file's server sends another part than was asked for")
    return Content(span=ByteRange(start=start, stop=stop), length=length, validator=validator, divisible=True)


def _nothing_left(headers: Mapping[str, str], asked: ByteRange, validator: str | None) -> Content:
    match = _UNSATISFIED.fullmatch(headers.get("Content-Range", ""))
    if match is None or int(match[1]) != asked.start or headers.get("ETag", validator) != validator:
        raise StartOver("the file has changed")
    # Everything was there already, and nobody knew.
    return Content(
        span=ByteRange(start=asked.start, stop=asked.start), length=asked.start, validator=validator
    )


def _coding(headers: Mapping[str, str]) -> str:
    return headers.get("Content-Encoding", "").strip().lower() or _PLAIN


def _retry_after(headers: Mapping[str, str]) -> float | None:
    text = headers.get("Retry-After", "").strip()
    try:
        seconds = (
            float(text)
            if re.fullmatch(r"[0-9]{1,9}", text)
            else (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
        )
    except (TypeError, ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), _LONGEST_WAIT)
