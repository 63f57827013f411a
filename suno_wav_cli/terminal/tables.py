"""Values as text, and tables of them: as wide as they need in a pipe, fitted to a terminal."""

from __future__ import annotations

import os
import time
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from suno_wav_cli.api.pricing import format_credits

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from decimal import Decimal
    from typing import TextIO

_GAP = "  "
SHORT_ID = 8
"""Characters of an id that are shown where its whole length has no room."""
_NARROWEST = 8
"""Columns that are shrunk keep this width."""
_JOINERS = "\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}"
"""Characters that Persian words and some emoji are spelled with."""
_WITHOUT_WIDTH = frozenset({"Mn", "Me", "Cf"})
_USUAL_WIDTH = 80


def printable(text: str) -> str:
    """Replace control characters and what no encoding can carry, so that text cannot control a terminal."""
    return "".join(
        character if character.isprintable() or character in _JOINERS else "\N{REPLACEMENT CHARACTER}"
        for character in text
    )


def song_name(audio_id: str, title: str | None) -> str:
    """Name a song: by its title if that is known, and as much of its id as tells two of one title apart."""
    return f"{printable(title)} ({audio_id[:SHORT_ID]})" if title else audio_id


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


def _shorten_all(texts: Sequence[str], width: int) -> list[str]:
    return [shorten(text, width) for text in texts]


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a table. One that `shrinks` gets as narrow as `narrowest` if the terminal is narrow.

    If that does not do, columns with a number in `leaves` are left out, the lowest first. `cut`
    shortens the cells to a width.
    """

    title: str
    cells: Sequence[str]
    shrinks: bool = False
    narrowest: int = _NARROWEST
    leaves: int | None = None
    cut: Callable[[Sequence[str], int], list[str]] = _shorten_all

    @property
    def width(self) -> int:
        return max(map(width_of, (self.title, *self.cells)))

    @property
    def least_width(self) -> int:
        return min(self.width, self.narrowest) if self.shrinks else self.width

    def fitted(self, width: int) -> list[str]:
        """Return the title and the cells in `width` columns."""
        return [fit(self.title, width), *(pad(cell, width) for cell in self.cut(self.cells, width))]


def get_width(stream: TextIO | None) -> int | None:
    """Return the columns of the terminal that a stream goes to, or None for a pipe or file."""
    try:
        if stream is None or not stream.isatty():
            return None
        set_by_user = os.environ.get("COLUMNS", "")
        columns = (
            int(set_by_user) if set_by_user.isdecimal() else os.get_terminal_size(stream.fileno()).columns
        )
    except (OSError, ValueError):
        # Closed, or no terminal after all.
        return None
    return columns or _USUAL_WIDTH


def format_table(columns: Sequence[Column], room: int | None) -> list[str]:
    """Return a line of titles and a line for each row, within `room` columns if it is given.

    Columns without any text are left out.
    """
    columns = [column for column in columns if any(column.cells)]
    if room is not None:
        columns = _leave_out(columns, room)
    widths = [column.width for column in columns]
    excess = 0 if room is None else _total(widths) - room
    while excess > 0:
        wide = [index for index, column in enumerate(columns) if widths[index] > column.least_width]
        if not wide:
            break
        widths[max(wide, key=lambda index: widths[index])] -= 1
        excess -= 1
    rows = zip(*(column.fitted(width) for column, width in zip(columns, widths, strict=True)), strict=True)
    return [_GAP.join(row).rstrip() for row in rows]


def _leave_out(columns: Sequence[Column], room: int) -> list[Column]:
    """Return the columns that fit once they have shrunk, and those that always stay."""
    left = list(columns)
    while _total([column.least_width for column in left]) > room:
        candidates = [column for column in left if column.leaves is not None]
        if not candidates:
            break
        left.remove(min(candidates, key=lambda column: column.leaves or 0))
    return left


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(_GAP) * (len(widths) - 1)


def shorten(text: str, width: int) -> str:
    """Cut a text to `width` columns, and mark that."""
    if width_of(text) <= width:
        return text
    while width_of(text) > width - 1:
        text = text[:-1]
    return text + "\N{HORIZONTAL ELLIPSIS}"


def fit(text: str, width: int) -> str:
    return pad(shorten(text, width), width)


def pad(text: str, width: int) -> str:
    return text + " " * (width - width_of(text))


def width_of(text: str) -> int:
    """Count the columns that a terminal uses for a text."""
    if text.isascii():
        return len(text)
    return sum(map(_width_of_character, text))


def _width_of_character(character: str) -> int:
    if unicodedata.category(character) in _WITHOUT_WIDTH:
        return 0
    return 1 + (unicodedata.east_asian_width(character) in "WF")
