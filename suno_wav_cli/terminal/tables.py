"""Aligned columns: as wide as they must be in a pipe, and as the terminal is on one."""

from __future__ import annotations

import shutil
import sys
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_GAP = "  "
_NARROWEST = 8
"""What a column that may shrink keeps."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """`cells` from top to bottom; one that `shrinks` gives way where the terminal is narrow."""

    title: str
    cells: Sequence[str]
    shrinks: bool = False

    @property
    def width(self) -> int:
        return max(map(_width, (self.title, *self.cells)))


def room() -> int | None:
    """Tell how many characters a line of standard output may have; None where it is no terminal."""
    if sys.stdout is None or not sys.stdout.isatty():
        return None
    return shutil.get_terminal_size().columns


def table(columns: Sequence[Column], room: int | None) -> list[str]:
    """Lay out a line of titles and a line for each row, without columns that are empty from top to bottom."""
    columns = [column for column in columns if any(column.cells)]
    widths = [column.width for column in columns]
    if room is not None:
        over = sum(widths) + len(_GAP) * (len(columns) - 1) - room
        while over > 0:
            # The widest gives way first.
            widest = max(
                (index for index, column in enumerate(columns) if column.shrinks),
                key=lambda index: widths[index],
                default=None,
            )
            if widest is None or widths[widest] <= _NARROWEST:
                break
            widths[widest] -= 1
            over -= 1
    rows = zip(*((column.title, *column.cells) for column in columns), strict=True)
    return [
        _GAP.join(_fitted(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _fitted(text: str, width: int) -> str:
    if _width(text) > width:
        while _width(text) > width - 1:
            text = text[:-1]
        text += "\N{HORIZONTAL ELLIPSIS}"
    return text + " " * (width - _width(text))


def _width(text: str) -> int:
    """Count the places that a terminal gives to a text."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(character) else 1 + (unicodedata.east_asian_width(character) in "WF")
        for character in text
    )
