"""Values as text, and tables of them: as wide as they need in a pipe, fitted to a terminal."""

from __future__ import annotations

import shutil
import sys
import time
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from suno_wav_cli.api.pricing import format_credits

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

_GAP = "  "
_NARROWEST = 8
"""Columns that are shrunk keep this width."""


def printable(text: str) -> str:
    """Replace control characters and what no encoding can carry, so that text cannot control a terminal."""
    return "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text
    )


def song_name(audio_id: str, title: str | None) -> str:
    """Name a song: by its title if that is known, and as much of its id as tells two of one title apart."""
    return f"{printable(title)} ({audio_id[:8]})" if title else audio_id


def clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def time_of_day(seconds: float) -> str:
    """Return the local time of `seconds` since 1970."""
    return time.strftime("%H:%M:%S", time.localtime(seconds))


def megabytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB"


def describe_cost(cost: Decimal | None, price: Decimal) -> str:
    """Say what was really paid, if it is not what was quoted."""
    if cost is None or cost == price:
        return ""
    return f"; it cost {count_credits(cost)}, not {format_credits(price)}"


def count_credits(amount: Decimal) -> str:
    return f"{format_credits(amount)} credit" + ("" if amount == 1 else "s")


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a table; one that `shrinks` gets narrower if the terminal is narrow."""

    title: str
    cells: Sequence[str]
    shrinks: bool = False

    @property
    def width(self) -> int:
        return max(map(width_of, (self.title, *self.cells)))


def get_width() -> int | None:
    """Return the columns of the terminal on standard output, or None for a pipe or file."""
    if sys.stdout is None or not sys.stdout.isatty():
        return None
    return shutil.get_terminal_size().columns


def format_table(columns: Sequence[Column], room: int | None) -> list[str]:
    """Return a line of titles and a line for each row, within `room` columns if it is given.

    Columns without any text are left out.
    """
    columns = [column for column in columns if any(column.cells)]
    widths = [column.width for column in columns]
    if room is not None:
        excess = sum(widths) + len(_GAP) * (len(columns) - 1) - room
        while excess > 0:
            widest = max(
                (index for index, column in enumerate(columns) if column.shrinks),
                key=lambda index: widths[index],
                default=None,
            )
            if widest is None or widths[widest] <= _NARROWEST:
                break
            widths[widest] -= 1
            excess -= 1
    rows = zip(*((column.title, *column.cells) for column in columns), strict=True)
    return [
        _GAP.join(fit(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def shorten(text: str, width: int) -> str:
    """Cut a text to `width` columns, and mark that."""
    if width_of(text) <= width:
        return text
    while width_of(text) > width - 1:
        text = text[:-1]
    return text + "\N{HORIZONTAL ELLIPSIS}"


def fit(text: str, width: int) -> str:
    text = shorten(text, width)
    return text + " " * (width - width_of(text))


def width_of(text: str) -> int:
    """Count the columns that a terminal uses for a text."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(character) else 1 + (unicodedata.east_asian_width(character) in "WF")
        for character in text
    )
