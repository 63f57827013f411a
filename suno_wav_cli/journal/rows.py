"""Rows of the journal: a conversion's fields as SQLite holds them, and back."""

from __future__ import annotations

import os
import sys
from decimal import Decimal
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING

from suno_wav_cli.journal.entry import JournalEntry, State

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

_TEXTS = (
    *("service", "provider", "audio_id", "music_task_id", "wav_task_id", "wav_url", "message", "answer"),
    *("run", "title"),
)
_TIMES = ("created", "updated", "expires")
_LATEST = 250_000_000_000
"""Seconds since 1970: a little before the year 10,000, where Python's calendar ends."""
_LARGEST_EXPONENT = 20


def stored(path: Path | None) -> bytes | None:
    """Return a path as the file holds it: bytes, because a name need not be text."""
    return None if path is None else os.fsencode(path.absolute())


def loaded(path: bytes) -> Path:
    return Path(os.fsdecode(path))


def column_of(value: object) -> object:
    """Return a field of a conversion as the file holds it."""
    match value:
        case Path():
            return stored(value)
        case Decimal():
            return str(value)
        case tuple():
            return " ".join(value)
        case _:
            return value


def read_entry(row: sqlite3.Row) -> JournalEntry:
    """Return the conversion of a row.

    Raise TypeError, ValueError or ArithmeticError if no version of this program writes such a row.
    """
    fields = dict(row)
    _check_fields(fields)
    target = fields["target"]
    return JournalEntry(
        **fields
        | {
            "state": State(fields["state"]),
            # The same for thousands of rows.
            "service": sys.intern(fields["service"]),
            "provider": sys.intern(fields["provider"]),
            "run": fields["run"] and sys.intern(fields["run"]),
            "target": loaded(target) if target else None,
            "credits_before": _amount(fields["credits_before"]),
            "credits": _amount(fields["credits"]),
            "candidates": tuple(fields["candidates"].split()),
        }
    )


def _check_fields(fields: Mapping[str, object]) -> None:
    """Raise TypeError or ValueError for a value of another kind: SQLite takes any in every column."""
    if not {type(fields[name]) for name in _TEXTS} <= {str, NoneType}:
        raise TypeError("a text of a conversion is not one")
    if not {type(fields[name]) for name in _TIMES} <= {float, int, NoneType}:
        raise TypeError("a time of a conversion is not one")
    if not all(0 <= fields[name] <= _LATEST for name in _TIMES if fields[name] is not None):  # type: ignore[operator]
        raise ValueError("a conversion has a time that no calendar has")
    if type(fields["bytes"]) not in (int, NoneType):
        raise TypeError("a file's size is not a number")


def _amount(text: str | None) -> Decimal | None:
    if text is None:
        return None
    amount = Decimal(text)
    # With an exponent of millions, a few characters stand for a number that no memory holds.
    if not amount.is_finite() or abs(amount.adjusted()) > _LARGEST_EXPONENT:
        raise ValueError("an amount of credits has no measure")
    return amount
