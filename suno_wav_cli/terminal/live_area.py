"""The last lines of a terminal, redrawn in place, with all other lines above them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.control import Control
from rich.segment import ControlType, Segment, Segments

from suno_wav_cli.terminal.tables import width_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from suno_wav_cli.terminal.run_view import Line

_FOR_CTRL_C = 3
"""Columns that stay free for the ^C that a terminal echoes: a full line would wrap and could not be erased."""

_CLEAR_LINE = Control(ControlType.CARRIAGE_RETURN, (ControlType.ERASE_IN_LINE, 2)).segment
_ASCII = str.maketrans({"━": "-", "╸": "-", "·": "|", "…": "~"})


class LiveArea:
    """Draws only the lines that have changed. The cursor rests at the end of the last one."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._drawn: list[Line] = []
        self._columns = 0

    @property
    def columns(self) -> int:
        """Columns that a line of the area may have."""
        return max(self._console.width - _FOR_CTRL_C, 1)

    @property
    def rows(self) -> int:
        return self._console.height

    def draw(self, lines: Sequence[Line], above: Sequence[Line] = ()) -> None:
        """Show `lines` in place of those that are there, and more lines above them, for good."""
        new, columns = [self._encodable(line) for line in lines], self.columns
        if not above and len(new) == len(self._drawn) and columns == self._columns:
            segments = self._rewrite(new)
        else:
            segments = self._erase()
            for line in above:
                segments += [*self._text(self._encodable(line)), Segment.line()]
            for number, line in enumerate(new):
                segments += [*([Segment.line()] if number else []), *self._text(line)]
            if bool(new) != bool(self._drawn):
                segments.append(Control.show_cursor(not new).segment)
        self._drawn, self._columns = new, columns
        if segments:
            self._console.print(Segments(segments), soft_wrap=True, end="")

    def _rewrite(self, new: list[Line]) -> list[Segment]:
        segments: list[Segment] = []
        last = at = len(new) - 1
        for index, line in enumerate(new):
            if line != self._drawn[index]:
                segments += [Control.move(0, index - at).segment, _CLEAR_LINE, *self._text(line)]
                at = index
        if at != last:
            segments += [Control.move(0, last - at).segment, Control.move_to_column(_width(new[-1])).segment]
        return segments

    def _erase(self) -> list[Segment]:
        """Leave the cursor where the area began."""
        # A terminal that has become narrower has wrapped the lines.
        columns = max(self._console.width, 1)
        rows = sum(max(-(-_width(line) // columns), 1) for line in self._drawn)
        segments = [_CLEAR_LINE] if rows else []
        for _ in range(rows - 1):
            segments += [Control.move(0, -1).segment, _CLEAR_LINE]
        return segments

    def _text(self, line: Line) -> list[Segment]:
        return [Segment(text, self._console.get_style(style) if style else None) for text, style in line]

    def _encodable(self, line: Line) -> Line:
        """Return a line that the terminal's encoding can carry."""
        encoding = self._console.encoding
        if encoding.startswith("utf"):
            return line
        return tuple(
            (text.translate(_ASCII).encode(encoding, "backslashreplace").decode(encoding), style)
            for text, style in line
        )


def _width(line: Line) -> int:
    return sum(width_of(text) for text, _ in line)
