"""A delivery kept in a file: its headers and its very bytes."""

from __future__ import annotations

import base64
import json
import math
import os
import re
import secrets
from dataclasses import dataclass
from itertools import chain, count
from typing import TYPE_CHECKING, Any

from suno_wav_cli.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

LARGEST_FILE = 16_000_000
"""More than any receiver of callbacks takes."""

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# What HTTP carries, in the only encoding that it has.
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


@dataclass(frozen=True, kw_only=True)
class RecordedCallback:
    """`received` is in Unix seconds; `headers` are pairs of name and value, in their order."""

    received: float
    headers: tuple[tuple[str, str], ...]
    body: bytes


def write(recording: RecordedCallback, folder: Path, name: str) -> Path:
    """Write it to `name.json`, or `name-2.json` …, and return the path: whole or not at all, and over no other file.

    Nobody else may read it, for a signature is in its headers. Of `name`, which may come from a stranger, only what is
    harmless in a path is kept. Raises OSError.
    """
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", name)[:100] or "_"
    unfinished = folder / f".{name}.{secrets.token_hex(8)}.tmp"
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(_text(recording))
        names = chain((f"{name}.json",), (f"{name}-{number}.json" for number in count(2)))
        return next(folder / name for name in names if _takes_name(unfinished, folder / name))
    finally:
        unfinished.unlink(missing_ok=True)


def load(path: Path) -> RecordedCallback:
    """Raises UsageError for whatever `write` has not written."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", "Name a recorded callback.") from error
    try:
        return _recording(content)
    except (ValueError, OverflowError, RecursionError):
        raise UsageError(
            f"{path} is not a recorded callback", "Name a file that `suno-wav listen --save` has written."
        ) from None


def _takes_name(unfinished: Path, path: Path) -> bool:
    """Tell whether the name was free, even of another program this instant, and is now the file's."""
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
        # A file system without hard links: the name is reserved first.
        path.touch(mode=0o600, exist_ok=False)
        unfinished.replace(path)


def _text(recording: RecordedCallback) -> str:
    kept: dict[str, Any] = {"received": recording.received, "headers": recording.headers}
    try:
        kept["body"] = recording.body.decode("utf-8")
    except UnicodeDecodeError:
        kept["body_base64"] = base64.b64encode(recording.body).decode("ascii")
    return json.dumps(kept, ensure_ascii=False, indent=1) + "\n"


def _recording(content: bytes) -> RecordedCallback:
    """Raises ValueError, OverflowError, RecursionError."""
    if len(content) > LARGEST_FILE:
        raise ValueError("too large")
    match json.loads(content.decode("utf-8")):
        case {"received": received, "headers": [*headers], "body": str(text), **rest} if not rest:
            body = text.encode("utf-8")
        case {"received": received, "headers": [*headers], "body_base64": str(text), **rest} if not rest:
            body = base64.b64decode(text, validate=True)
        case _:
            raise ValueError("other fields")
    return RecordedCallback(
        received=_seconds(received), headers=tuple(_header(pair) for pair in headers), body=body
    )


def _seconds(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise ValueError("not a time")
    return float(value)


def _header(pair: Any) -> tuple[str, str]:
    match pair:
        case [str(name), str(value)] if _NAME.fullmatch(name) and _VALUE.fullmatch(value):
            return name, value
        case _:
            raise ValueError("not a header")
