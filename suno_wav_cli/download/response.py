"""What the head of an answer says: which bytes of which file follow, or why none do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING

from suno_wav_cli.download.coding import read_codings
from suno_wav_cli.errors import AddressRefused, BrokenOff, PageAnswered, StartOver
from suno_wav_cli.journal.parts import ByteRange
from suno_wav_cli.system.http_errors import read_retry_after

if TYPE_CHECKING:
    from collections.abc import Mapping

# Some servers write "Bytes", put "=" in place of the space, or more spaces.
_BYTES, _NUMBER = r"bytes[ \t=]+", r"[ \t]*([0-9]{1,19})[ \t]*"
_CONTENT_RANGE = re.compile(f"{_BYTES}{_NUMBER}-{_NUMBER}/{_NUMBER}", re.IGNORECASE)
_OF_UNKNOWN_LENGTH = re.compile(rf"{_BYTES}0-{_NUMBER}/[ \t]*\*", re.IGNORECASE)
_UNSATISFIED = re.compile(rf"{_BYTES}\*/{_NUMBER}", re.IGNORECASE)
_STRONG = re.compile(r'"[\x21\x23-\x7e]{1,1000}"')
_LONGEST_WAIT = 120.0
"""Seconds. The most that a server may ask for by Retry-After."""


class Meaning(Enum):
    """What the status of an answer means for the file."""

    WHOLE = auto()
    PART = auto()
    NOTHING_LEFT = auto()
    NOT_NOW = auto()
    REFUSED = auto()


_MEANINGS: Mapping[int, Meaning] = MappingProxyType(
    {
        HTTPStatus.OK: Meaning.WHOLE,
        HTTPStatus.NON_AUTHORITATIVE_INFORMATION: Meaning.WHOLE,
        HTTPStatus.PARTIAL_CONTENT: Meaning.PART,
        HTTPStatus.REQUEST_TIMEOUT: Meaning.NOT_NOW,
        HTTPStatus.TOO_EARLY: Meaning.NOT_NOW,
        HTTPStatus.TOO_MANY_REQUESTS: Meaning.NOT_NOW,
    }
)
"""The statuses that do not mean what their class means."""

_GONE = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)
"""Statuses whose pages speak of the file, however they look."""

_CHALLENGES = ("CF-Mitigated", "X-Amzn-Waf-Action", "X-Sucuri-Block", "X-Vercel-Mitigated")
"""Headers of protections against robots that answer in a server's place."""

_PAGE_TYPES = ("text/html", "application/xhtml+xml")
_OF_A_PAGE = re.compile(
    rb"<(!doctype\s+html|html|head|body|meta|script|title)\b|captcha|challenge", re.IGNORECASE
)
"""What begins a page, and what the protections say that answer with JSON or a text."""

_REASON = re.compile(rb"<Code>([A-Za-z]{1,40})</Code>")
"""Why an object store refuses an address, such as `ExpiredToken`."""

_EXPIRED = re.compile(rb"<Code>[A-Za-z]{0,40}Expired[A-Za-z]{0,40}</Code>")
"""What counts for more than the status."""


@dataclass(frozen=True, kw_only=True)
class Content:
    """The body of an answer: the bytes `span` of a file of `length`, None if that is unknown.

    `validator` is the file's strong ETag, if it has one. `divisible` says that the server offers
    ranges of the file, and `codings` how the body is compressed, the outermost first.
    """

    span: ByteRange
    length: int | None
    validator: str | None
    divisible: bool = False
    codings: tuple[str, ...] = ()


def read_meaning(status: int, *, ranged: bool) -> Meaning:
    """Return what a status means for a request, `ranged` if it asked for a range.

    What is neither the file nor a reason to wait is about the address: servers say in many ways that
    one has expired.
    """
    if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and ranged:
        return Meaning.NOTHING_LEFT
    not_now = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return _MEANINGS.get(status, Meaning.NOT_NOW if not_now else Meaning.REFUSED)


def check_response(
    status: int,
    headers: Mapping[str, str],
    wanted: ByteRange | None,
    validator: str | None,
    start: bytes = b"",
) -> Content:
    """Read the answer to a request for a whole file, or for a range of the one with `validator`.

    `start` is the beginning of a body that is not the file's. Raise AddressRefused if a fresh
    address may help, BrokenOff if another attempt may, StartOver if only one from the beginning,
    and DownloadFailed otherwise.
    """
    meaning = read_meaning(status, ranged=wanted is not None)
    if meaning is Meaning.WHOLE and wanted is None:
        return _read_whole(headers)
    if meaning is Meaning.WHOLE:
        # Either it ignores ranges or it has another file now.
        same = validator is not None and headers.get("ETag") == validator
        raise StartOver("the file's server sends it from its beginning" if same else "the file has changed")
    if meaning is Meaning.PART:
        return _read_part(headers, wanted, validator)
    if meaning is Meaning.NOTHING_LEFT and wanted is not None:
        return _read_nothing_left(headers, wanted, validator)
    if meaning is Meaning.NOT_NOW and not _EXPIRED.search(start):
        raise BrokenOff(
            f"the file's server answers HTTP {status}",
            read_retry_after(headers.get("Retry-After", ""), _LONGEST_WAIT),
        )
    raise _make_refusal(status, headers, start)


def confirms_length(status: int, headers: Mapping[str, str], length: int, validator: str | None) -> bool:
    """Tell whether the answer to a request for the last byte says that the file has `length` bytes."""
    match = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", ""))
    return (
        status == HTTPStatus.PARTIAL_CONTENT
        and match is not None
        and [int(number) for number in match.groups()] == [length - 1, length - 1, length]
        and not read_codings(headers.get("Content-Encoding", ""))
        and (validator is None or headers.get("ETag", validator) == validator)
    )


def _make_refusal(status: int, headers: Mapping[str, str], start: bytes) -> AddressRefused:
    if _is_page(status, headers, start):
        return PageAnswered(
            f"the file's address answers HTTP {status} with a page for browsers",
            "It may be a protection against robots.",
        )
    reason = _REASON.search(start)
    said = f" ({reason[1].decode()})" if reason else ""
    return AddressRefused(
        f"the file's address answers HTTP {status}{said}", "It may have expired; ask for a fresh one."
    )


def _is_page(status: int, headers: Mapping[str, str], start: bytes) -> bool:
    """Tell whether something in front of the server may have answered, which knows nothing of the file."""
    if any(name in headers for name in _CHALLENGES):
        return True
    media_type = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    looks_like_one = media_type in _PAGE_TYPES or _OF_A_PAGE.search(start) is not None
    return looks_like_one and status not in _GONE


def _read_whole(headers: Mapping[str, str]) -> Content:
    codings = read_codings(headers.get("Content-Encoding", ""))
    if codings:
        # The length and the ranges are those of the packed file.
        return Content(span=ByteRange(start=0, stop=None), length=None, validator=None, codings=codings)
    text = headers.get("Content-Length", "")
    length = int(text) if re.fullmatch(r"[0-9]{1,19}", text) and "Transfer-Encoding" not in headers else None
    offered = headers.get("Accept-Ranges", "").strip().lower() == "bytes"
    return _make_whole(headers, length, offered=offered)


def _make_whole(headers: Mapping[str, str], length: int | None, *, offered: bool) -> Content:
    validator = headers.get("ETag", "")
    strong = validator if _STRONG.fullmatch(validator) else None
    return Content(
        span=ByteRange(start=0, stop=length),
        length=length,
        validator=strong,
        divisible=offered and strong is not None and length is not None,
    )


def _read_part(headers: Mapping[str, str], wanted: ByteRange | None, validator: str | None) -> Content:
    content_range = headers.get("Content-Range", "")
    if wanted is None and (not content_range or _OF_UNKNOWN_LENGTH.fullmatch(content_range)):
        # The file's own header tells whether this is all of it.
        return _make_whole(headers, None, offered=False)
    match = _CONTENT_RANGE.fullmatch(content_range)
    if match is None or read_codings(headers.get("Content-Encoding", "")):
        raise StartOver("the file's server sends a part that cannot be placed")
    start, stop, length = int(match[1]), int(match[2]) + 1, int(match[3])
    whole = headers.get("Content-Length", str(stop - start)) == str(stop - start)
    if wanted is None:
        if (start, stop) != (0, length) or not whole:
            raise StartOver("the file's server sends a part that cannot be placed")
        return _make_whole(headers, length, offered=True)
    if headers.get("ETag", validator) != validator:
        raise StartOver("the file has changed")
    most = length if wanted.stop is None else min(wanted.stop, length)
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
