"""Why the receiver refuses a request, and what its sender should do about it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from secrets import compare_digest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_MAX_PATH = 80
_SECRET_LENGTH = 40
"""The end of a path that is so long is secret."""

_MOST_OF_A_SECRET = 16
"""A part of a path that is so long may hold most of the secret, and is not shown."""

_COMPRESSED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"BZh", b"PK\x03\x04")
"""How gzip, zstd, bzip2 and zip begin."""

_TLS_HANDSHAKE = re.compile(rb"\x16\x03[\x00-\x04]")


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """`status` is what the sender is answered. `remedy` is for the person who runs the sender."""

    status: int
    reason: str
    remedy: str


@dataclass(frozen=True, kw_only=True)
class RefusedRequest:
    """`method` and `path` are those of the request, fit to be shown; None for what is not HTTP."""

    method: str | None
    path: str | None
    refusal: Refusal


_POST_JSON = "Post the callback as JSON, uncompressed."
_SAME_ADDRESS = "Give the sender the address that `listen` prints, to the last character."

NO_SUCH_PATH = Refusal(status=404, reason="no such path", remedy=_SAME_ADDRESS)
EXTRA_SLASH = Refusal(
    status=404,
    reason="the path ends in a slash that does not belong there",
    remedy="Leave the slash at the end out.",
)
OTHER_CASE = Refusal(status=404, reason="the path is in other capitals", remedy=_SAME_ADDRESS)
WRONG_METHOD = Refusal(status=405, reason="a callback is a POST", remedy="Post it.")
NO_SECRET = Refusal(
    status=404,
    reason="the path lacks its secret end",
    remedy=f"{_SAME_ADDRESS} Or start `listen` with --no-secret.",
)
EMPTY = Refusal(status=400, reason="the body is empty", remedy=_POST_JSON)
COMPRESSED = Refusal(
    status=400,
    reason="the body is compressed",
    remedy="Post it as it is, without Content-Encoding.",
)
CUT_SHORT = Refusal(
    status=400, reason="the body did not arrive whole", remedy="Check Content-Length, and the way here."
)
NOT_JSON = Refusal(status=400, reason="the body is not JSON", remedy=_POST_JSON)
NOT_AN_OBJECT = Refusal(
    status=400, reason="the body is JSON, but not an object", remedy="Post an object: {…}."
)
FORM = Refusal(
    status=400,
    reason="the body is a form, not JSON",
    remedy="Post JSON, with Content-Type: application/json.",
)
LOOP = Refusal(
    status=508,
    reason="this program has forwarded it itself",
    remedy="Let --forward-to name your own receiver: it leads back here.",
)
NOT_HTTP = Refusal(status=400, reason="the request is not HTTP", remedy="Post the callback over HTTP/1.1.")
TLS_HERE = Refusal(
    status=400,
    reason="the request is TLS, and this port speaks plain HTTP",
    remedy="Write http:// in place of https:// for the port itself, or post to the public address.",
)


def is_receiver_path(path: str, expected: str) -> bool:
    """Compare a path in constant time. Only its end counts: a proxy may keep a prefix of its own."""
    return compare_digest(path[-len(expected) :].encode("utf-8", "surrogatepass"), expected.encode())


def refuse_head(method: str, path: str, expected: str, *, is_loop: bool) -> Refusal | None:
    """Return why a request is refused before its body is read, if it is."""
    if not is_receiver_path(path, expected):
        return refuse_path(path, expected)
    if method != "POST":
        return WRONG_METHOD
    return LOOP if is_loop else None


def refuse_path(path: str, expected: str) -> Refusal:
    """Say what is wrong with a path that is not the receiver's."""
    if is_receiver_path(path.rstrip("/"), expected):
        return EXTRA_SLASH
    if path.lower().endswith(expected.lower()):
        return OTHER_CASE
    public, _, secret = expected.rpartition("/")
    if len(secret) >= _SECRET_LENGTH and path.rstrip("/").endswith(public):
        return NO_SECRET
    return NO_SUCH_PATH


def refuse_size(limit: int) -> Refusal:
    return Refusal(
        status=413,
        reason=f"the body is larger than {limit // 1024} KiB",
        remedy="Post the callback alone: the file stays at its address.",
    )


def refuse_body(body: bytes, headers: Sequence[tuple[str, str]]) -> Refusal:
    """Say what is wrong with a body that is not JSON. Names of headers are in lower case."""
    if not body:
        return EMPTY
    if _find(headers, "content-encoding") not in ("", "identity") or body.startswith(_COMPRESSED):
        return COMPRESSED
    kind = content_type_of(headers)
    if kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
        return FORM
    return NOT_JSON


def refuse_bytes(first: bytes) -> Refusal:
    """Say what is wrong with what is not HTTP."""
    return TLS_HERE if _TLS_HANDSHAKE.match(first) else NOT_HTTP


def content_type_of(headers: Sequence[tuple[str, str]]) -> str:
    """Return the media type without its parameters, in lower case; empty if there is none."""
    return _find(headers, "content-type").partition(";")[0].strip()


def shown_path(path: str, expected: str) -> str:
    """Return the path to show, without what may be most of the secret one."""
    public, _, secret = expected.rpartition("/")
    known = public.split("/") if len(secret) >= _SECRET_LENGTH else expected.split("/")
    parts = [
        part if part in known or len(part) < _MOST_OF_A_SECRET else "(hidden)" for part in path.split("/")
    ]
    shown = "/".join(parts)
    return shown if len(shown) <= _MAX_PATH else f"{shown[:_MAX_PATH]}…"


def _find(headers: Sequence[tuple[str, str]], wanted: str) -> str:
    return next((value.strip().lower() for name, value in headers if name == wanted), "")
