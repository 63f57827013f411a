"""Read single values of an answer. A value that cannot be used is None."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from urllib.parse import urlsplit

_LONGEST_ID = 200
_LONGEST_TEXT = 500
_LONGEST_SONG = 86400.0
"""Seconds. A larger number does not mean the length of a song."""


def parse_fraction(text: str) -> Decimal:
    """Read a number with a fraction exactly, NaN if its exponent has too many digits."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("NaN")


def read_integer(value: object) -> int | None:
    """Read an integer or its digits."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str) and re.fullmatch(r"\s*[0-9]{1,9}\s*", value):
        return int(value)
    return None


def read_seconds(value: object) -> float | None:
    """Read a length. 0 means that it is not known yet, and returns None."""
    try:
        seconds = (
            float(value)
            if isinstance(value, int | float | Decimal | str) and not isinstance(value, bool)
            else 0.0
        )
    except (ValueError, OverflowError):
        return None
    return seconds if 0 < seconds < _LONGEST_SONG else None


def read_text(value: object, *, longest: int = _LONGEST_TEXT) -> str | None:
    """Read a text or a number, cut after `longest` characters."""
    if isinstance(value, str):
        # JSON can hold half of a surrogate pair, which cannot be printed.
        return value.encode("utf-8", "replace").decode().strip()[:longest] or None
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return str(value)[:longest]
    return None


def find_id(*values: object) -> str | None:
    """Return the first value that can be an id."""
    for value in values:
        if isinstance(value, str) and value.isprintable() and 0 < len(value.strip()) <= _LONGEST_ID:
            return value.strip()
    return None


def find_url(*values: object) -> str | None:
    """Return the first value that is a usable http or https URL."""
    for value in values:
        if not isinstance(value, str):
            continue
        url = value.strip()
        try:
            parts = urlsplit(url)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and url.isprintable()
            # Reading the port raises ValueError if it is not a number.
            usable = usable and parts.port != 0
        except ValueError:
            continue
        if usable:
            return url
    return None


def read_time(value: object) -> str | None:
    """Read a time: text as it is, epoch milliseconds as UTC text of the same form."""
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        try:
            return datetime.fromtimestamp(float(value) / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
        except (OverflowError, ValueError, OSError):
            return None
    return read_text(value)
