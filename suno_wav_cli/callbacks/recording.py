"""Deliveries in files: their headers, and their bodies byte for byte."""

from __future__ import annotations

import base64
import json
import math
import os
import re
import secrets
from dataclasses import dataclass
from itertools import chain, count, islice
from typing import TYPE_CHECKING, Any

from suno_wav_cli.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

MAX_FILE_BYTES = 16_000_000
"""More than any receiver of callbacks accepts."""

MOST_HEADERS = 1000
_MOST_TOKENS = 5 * MOST_HEADERS + 20
_TOKENS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[,:\[{]', re.DOTALL)
"""The texts of a JSON file, and what stands before its other values. A header has five of them."""

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# HTTP carries these characters, as latin-1.
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


@dataclass(frozen=True, kw_only=True)
class RecordedCallback:
    """`received` is in Unix seconds. `headers` are pairs of name and value, in their order."""

    received: float
    headers: tuple[tuple[str, str], ...]
    body: bytes


def write(recording: RecordedCallback, folder: Path, name: str) -> Path:
    """Write a whole file `name.json`, or `name-2.json` … if it exists. Return its path.

    Only the owner may read it, because its headers hold a signature. `name` may come from a
    stranger, so only letters, digits, `_` and `-` are kept. Raise OSError.
    """
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", name)[:100] or "_"
    unfinished = folder / f".{name}.{secrets.token_hex(8)}.tmp"
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(_format(recording))
        names = chain((f"{name}.json",), (f"{name}-{number}.json" for number in count(2)))
        return next(folder / name for name in names if _take_name(unfinished, folder / name))
    finally:
        unfinished.unlink(missing_ok=True)


def load(path: Path) -> RecordedCallback:
    """Read what `write` has written. Raise UsageError for any other file."""
    return parse(read(path), str(path))


def read(path: Path) -> bytes:
    """Return the content of a file, and no more than one byte beyond the limit. Raise UsageError."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", "Name a recorded callback.") from error


def parse(content: bytes, name: str) -> RecordedCallback:
    """Read the content of a file of that name. Raise UsageError if `write` has not written it."""
    try:
        return _parse(content)
    except _TooMany:
        raise UsageError(
            f"{name} is not a recorded callback: it has more than {MOST_HEADERS:,} headers or other values",
            "Name a file that `suno-wav listen --save` has written.",
        ) from None
    except (ValueError, OverflowError, RecursionError):
        raise UsageError(
            f"{name} is not a recorded callback", "Name a file that `suno-wav listen --save` has written."
        ) from None


def is_plain_object(content: bytes) -> bool:
    """Tell whether a file is a JSON object that is not a recording, and not too large to be read."""
    if len(content) > MAX_FILE_BYTES or _has_too_many(content):
        return False
    try:
        found = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and "headers" not in found and "received" not in found


def _has_too_many(content: bytes) -> bool:
    return next(islice(_TOKENS.finditer(content), _MOST_TOKENS, None), None) is not None


def _take_name(unfinished: Path, path: Path) -> bool:
    """Give the file its name. Return False if it is taken, even at this moment."""
    try:
        _link(unfinished, path)
    except FileExistsError:
        return False
    return True


def _link(unfinished: Path, path: Path) -> None:
    try:
        os.link(unfinished, path)
    except FileExistsError:
        raise
    except OSError:
        # Without hard links, the name is reserved first.
        path.touch(mode=0o600, exist_ok=False)
        unfinished.replace(path)


def _format(recording: RecordedCallback) -> str:
    kept: dict[str, Any] = {"received": recording.received, "headers": recording.headers}
    try:
        kept["body"] = recording.body.decode("utf-8")
    except UnicodeDecodeError:
        kept["body_base64"] = base64.b64encode(recording.body).decode("ascii")
    return json.dumps(kept, ensure_ascii=False, indent=1) + "\n"


class _TooMany(Exception):
    """A file has so many values that reading them would take many times its size."""


def _parse(content: bytes) -> RecordedCallback:
    """Read a file's content. Raise _TooMany, ValueError, OverflowError or RecursionError."""
    if len(content) > MAX_FILE_BYTES:
        raise ValueError("too large")
    if _has_too_many(content):
        raise _TooMany
    match json.loads(content.decode("utf-8")):
        case {"received": received, "headers": [*headers], "body": str(text), **rest} if not rest:
            body = text.encode("utf-8")
        case {"received": received, "headers": [*headers], "body_base64": str(text), **rest} if not rest:
            body = base64.b64decode(text, validate=True)
        case _:
            raise ValueError("other fields")
    return RecordedCallback(
        received=_check_time(received), headers=tuple(_check_header(pair) for pair in headers), body=body
    )


def _check_time(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise ValueError("not a time")
    return float(value)


def _check_header(pair: Any) -> tuple[str, str]:
    match pair:
        case [str(name), str(value)] if _NAME.fullmatch(name) and _VALUE.fullmatch(value):
            return name, value
        case _:
            raise ValueError("not a header")
