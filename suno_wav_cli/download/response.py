"""What the head of an answer says: which bytes of which file follow, or why none do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

import httpx

from suno_wav_cli.errors import AddressRefused, BrokenOff, DownloadFailed, StartOver
from suno_wav_cli.journal.parts import ByteRange
from suno_wav_cli.system.http_errors import read_retry_after

if TYPE_CHECKING:
    from collections.abc import Mapping

_CONTENT_RANGE = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19})")
_UNSATISFIED = re.compile(r"bytes \*/(\d{1,19})")
_STRONG = re.compile(r'"[\x21\x23-\x7e]{1,1000}"')
_PLAIN = "identity"
_DECODED = ("gzip", "deflate")
_LONGEST_WAIT = 120.0
"""Seconds. The most that a server may ask for by Retry-After."""

_REFUSED = (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND, httpx.codes.GONE)
_FOR_NOW = (httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_EARLY, httpx.codes.TOO_MANY_REQUESTS)


@dataclass(frozen=True, kw_only=True)
class Content:
    """The body of an answer: the bytes `span` of a file of `length`, None if that is unknown.

    `validator` is the file's strong ETag, if it has one. `divisible` says that the server offers
    ranges of the file, and `coded` that the body is compressed.
    """

    span: ByteRange
    length: int | None
    validator: str | None
    divisible: bool = False
    coded: bool = False


def check_response(
    status: int, headers: Mapping[str, str], wanted: ByteRange | None, validator: str | None
) -> Content:
    """Read the answer to a request for a whole file, or for a range of the one with `validator`.

    Raise AddressRefused if a fresh address may help, BrokenOff if another attempt may, StartOver if
    only one from the beginning, and DownloadFailed otherwise.
    """
    if status == httpx.codes.OK:
        if wanted is not None:
            # Either it ignores ranges or it has another file now.
            same = validator is not None and headers.get("ETag") == validator
            raise StartOver(
                "the file's server sends it from its beginning" if same else "the file has changed"
            )
        return _read_whole(headers)
    if status == httpx.codes.PARTIAL_CONTENT:
        return _read_part(headers, wanted, validator)
    if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and wanted is not None:
        return _read_nothing_left(headers, wanted, validator)
    if status in _REFUSED:
        raise AddressRefused(
            f"the file's address answers HTTP {status}", "It may have expired; ask for a fresh one."
        )
    if status >= httpx.codes.INTERNAL_SERVER_ERROR or status in _FOR_NOW:
        raise BrokenOff(
            f"the file's server answers HTTP {status}",
            read_retry_after(headers.get("Retry-After", ""), _LONGEST_WAIT),
        )
    raise DownloadFailed(
        f"the file's server answers HTTP {status}", "Try again; if it stays so, ask your provider."
    )


def _read_whole(headers: Mapping[str, str]) -> Content:
    coding = _read_coding(headers)
    if coding != _PLAIN:
        if coding not in _DECODED:
            raise DownloadFailed(
                f"the file's server compresses it in a way that was not asked for ({coding[:20]})",
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


def _read_part(headers: Mapping[str, str], wanted: ByteRange | None, validator: str | None) -> Content:
    match = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", ""))
    if match is None or wanted is None or validator is None or _read_coding(headers) != _PLAIN:
        raise StartOver("the file's server sends a part that cannot be placed")
    start, stop, length = int(match[1]), int(match[2]) + 1, int(match[3])
    if headers.get("ETag", validator) != validator:
        raise StartOver("the file has changed")
    most = length if wanted.stop is None else min(wanted.stop, length)
    whole = headers.get("Content-Length", str(stop - start)) == str(stop - start)
    if start != wanted.start or not start < stop <= most or not whole:
        raise StartOver("the file's server sends another part than was asked for")
    return Content(span=ByteRange(start=start, stop=stop), length=length, validator=validator, divisible=True)


def _read_nothing_left(headers: Mapping[str, str], wanted: ByteRange, validator: str | None) -> Content:
    match = _UNSATISFIED.fullmatch(headers.get("Content-Range", ""))
    if match is None or int(match[1]) != wanted.start or headers.get("ETag", validator) != validator:
        raise StartOver("the file has changed")
    # Everything had arrived already, but its length was unknown.
    return Content(
        span=ByteRange(start=wanted.start, stop=wanted.start), length=wanted.start, validator=validator
    )


def _read_coding(headers: Mapping[str, str]) -> str:
    return headers.get("Content-Encoding", "").strip().lower() or _PLAIN
