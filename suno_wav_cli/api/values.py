"""Read single values of an answer. A value that cannot be used is None."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from decimal import Context, Decimal, InvalidOperation
from itertools import chain
from typing import Any

_LONGEST_ID = 200
_LONGEST_NUMBER = 1000
"""Characters."""
_LARGEST_EXPONENT = 300
_LONGEST_TEXT = 500
_LONGEST_SONG = 86400.0
"""Seconds. A larger number does not mean the length of a song."""
_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_SMALLEST_AMOUNT, _LARGEST_AMOUNT = Decimal("1E-9"), 10**15
_EXACTLY = Context(prec=15)
"""The digits that a service computing in binary can mean: 0.30000000000000004 is 0.3."""
_FIRST_SECONDS, _FIRST_MILLISECONDS = 10**9, 10**11
"""Smaller numbers are not a time since 1970 in seconds (2001), or in milliseconds (1973)."""


def parse_fraction(text: str) -> Decimal:
    """Read a number with a fraction exactly, NaN if no float comes near it.

    Otherwise one text of few characters could be a number of a million digits.
    """
    if len(text) > _LONGEST_NUMBER:
        return Decimal("NaN")
    try:
        number = Decimal(text)
    except InvalidOperation:
        return Decimal("NaN")
    return number if abs(number.adjusted()) <= _LARGEST_EXPONENT else Decimal("NaN")


def parse_whole(text: str) -> int | Decimal:
    """Read a whole number, NaN if it has too many digits."""
    return int(text) if len(text) <= _LONGEST_NUMBER else Decimal("NaN")


def parse_json(text: str | bytes) -> Any:
    """Read JSON, else return None."""
    try:
        return json.loads(
            text, parse_float=parse_fraction, parse_int=parse_whole, parse_constant=lambda _name: None
        )
    except (ValueError, RecursionError):
        return None


def is_deeper(value: object, levels: int) -> bool:
    """Tell whether lists and objects nest deeper than `levels`, too deep for recursive code."""
    level = [value]
    for _ in range(levels):
        groups = [
            one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list)
        ]
        level = list(chain.from_iterable(groups))
        if not level:
            return False
    return any(isinstance(one, dict | list) for one in level)


def unpack(value: object) -> object:
    """Return a value, or what its text holds if that is JSON."""
    if isinstance(value, str) and value.lstrip()[:1] in {"{", "[", '"'}:
        return parse_json(value)
    return value


def read_fields(value: object) -> dict[str, Any]:
    """Return an object, also if it is JSON in a text or alone in a list, else an empty one."""
    value = unpack(value)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value if isinstance(value, dict) else {}


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


def read_amount(value: object) -> Decimal | None:
    """Read an amount of credits, a number or its text."""
    if isinstance(value, str) and re.fullmatch(r"\s*-?[0-9]{1,15}(\.[0-9]{1,30})?\s*", value):
        value = Decimal(value.strip())
    if isinstance(value, int) and not isinstance(value, bool):
        value = Decimal(value)
    if not isinstance(value, Decimal) or not value.is_finite() or abs(value) >= _LARGEST_AMOUNT:
        return None
    return _EXACTLY.plus(value) if abs(value) >= _SMALLEST_AMOUNT else Decimal(0)


def read_text(value: object, *, longest: int = _LONGEST_TEXT) -> str | None:
    """Read a text or a number, cut after `longest` characters."""
    if isinstance(value, str):
        # JSON can hold half of a surrogate pair, which cannot be printed.
        return value.encode("utf-8", "replace").decode().strip()[:longest] or None
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return str(value)[:longest]
    return None


def find_id(*values: object) -> str | None:
    """Return the first value that can be an id. It may be one that a person could not type."""
    for value in values:
        number = _read_whole(value)
        if number is not None and 0 < number < 10**_LONGEST_ID:
            return str(number)
        if isinstance(value, str) and value.isprintable() and 0 < len(value.strip()) <= _LONGEST_ID:
            return value.strip()
    return None


def find_audio_id(*values: object) -> str | None:
    """Return the first value that can be a song's id. UUIDs are in lower case, as typed ones become."""
    found = find_id(*values)
    return found.lower() if found is not None and _UUID.fullmatch(found) else found


def _read_whole(value: object) -> int | None:
    """Read a whole number. Some languages write it with a fraction, 17.0."""
    if isinstance(value, Decimal) and value.is_finite() and value.adjusted() < _LONGEST_ID:
        return int(value) if value == value.to_integral_value() else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def matches_id(shown: str, wanted: str) -> bool:
    """Tell whether an id that an answer shows, perhaps masked by `*`, can be the one that is meant."""
    if "*" not in shown:
        return shown.lower() == wanted.lower()
    start, end = shown.lower().split("*", 1)[0], shown.lower().rsplit("*", 1)[1]
    wanted = wanted.lower()
    return len(wanted) >= len(start) + len(end) and wanted.startswith(start) and wanted.endswith(end)


def read_time(value: object) -> str | None:
    """Read a time: text as it is, epoch milliseconds as UTC text of the same form.

    0 means that it has not happened yet, and returns None.
    """
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        try:
            # A number too large for a float raises OverflowError.
            moment = datetime.fromtimestamp(float(value) / 1000, UTC)
        except (OverflowError, ValueError, OSError):
            return None
        return moment.strftime("%Y-%m-%d %H:%M:%S") if value else None
    return read_text(value)


def read_epoch(value: object) -> float | None:
    """Read a time as seconds since 1970, if it is exact: a number, or a text with a time zone."""
    if isinstance(value, str) and re.fullmatch(r"\s*[0-9]{10,16}(\.[0-9]{1,9})?\s*", value):
        value = Decimal(value.strip())
    try:
        if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
            number = float(value)
            if not _FIRST_SECONDS <= number < _FIRST_MILLISECONDS * 1000:
                return None
            return number / 1000 if number >= _FIRST_MILLISECONDS else number
        if isinstance(value, str):
            moment = datetime.fromisoformat(value.strip())
            return moment.timestamp() if moment.tzinfo is not None else None
    except (OverflowError, ValueError, OSError):
        pass
    return None
