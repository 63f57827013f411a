"""For terminals: a line for each message, and below them what goes on."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from suno_wav_cli.terminal.brief import Briefs
from suno_wav_cli.terminal.fold import fold
from suno_wav_cli.terminal.live_area import LiveArea
from suno_wav_cli.terminal.message import Level
from suno_wav_cli.terminal.render import render
from suno_wav_cli.terminal.run_note import take_note
from suno_wav_cli.terminal.run_view import view

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from suno_wav_cli.events import Event
    from suno_wav_cli.terminal.message import Message
    from suno_wav_cli.terminal.run_state import RunState
    from suno_wav_cli.terminal.run_view import Line
    from suno_wav_cli.terminal.streams import Results

BETWEEN_DRAWS = 0.25
"""Seconds. `draw` is to be called as often, because time passes without events, too."""

_STYLES = {Level.ERROR: "red", Level.SUCCESS: "green"}


@dataclass(frozen=True, kw_only=True)
class _Result:
    """Lines for standard output."""

    lines: list[str]
    droppable: bool


class LiveDisplay:
    """Writes to standard error, at most four times a second while songs are on their way.

    Standard output may be the same terminal: then its lines take their turn with the others.
    """

    def __init__(
        self,
        console: Console,
        state: RunState,
        results: Results,
        *,
        verbose: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console = console
        self._state = state
        self._verbose = verbose
        self._clock = clock
        self._area = LiveArea(console)
        self._results = results
        self._shares_terminal = sys.stdout is not None and sys.stdout.isatty()
        self._briefs = Briefs(shows_paths=self._shares_terminal)
        self._waiting: list[Line | _Result] = []
        self._drawn_at = -BETWEEN_DRAWS
        # A signal may interrupt the thread that holds it, and end the display.
        self._lock = threading.RLock()

    def show(self, event: Event) -> None:
        message, now = render(event), self._clock()
        with self._lock:
            text = self._text(event, message)
            take_note(self._state, event, now)
            if text is not None:
                columns = None if message.verbatim else self._console.width
                self._waiting.append(_styled(text, message.level, columns))
            self._take_result(message)
            if self._state.is_empty or now - self._drawn_at >= BETWEEN_DRAWS:
                self.draw()

    def draw(self) -> None:
        """Show what waits to be said, and what has changed."""
        with self._lock:
            now = self._clock()
            above: list[Line] = []
            waiting, self._waiting = self._waiting, []
            for one in waiting:
                if isinstance(one, _Result):
                    self._area.draw((), above)
                    above = []
                    self._results.write(one.lines, droppable=one.droppable)
                else:
                    above.append(one)
            colour = not self._console.no_color
            lines = view(self._state, now, columns=self._area.columns, rows=self._area.rows, colour=colour)
            self._area.draw(lines, above)
            if lines:
                self._drawn_at = now

    def stop(self) -> None:
        """Leave the lines that were said, and nothing below them."""
        with self._lock, suppress(OSError):
            self._state.ended = True
            self.draw()

    def _text(self, event: Event, message: Message) -> str | None:
        if message.level is Level.PROGRESS or (message.level is Level.DETAIL and not self._verbose):
            return None
        if self._verbose or not self._state.is_of_many:
            return message.text
        title = self._state.title_of(getattr(event, "audio_id", None) or "")
        return self._briefs.text(event, message, title, self._area.columns)

    def _take_result(self, message: Message) -> None:
        lines = list(message.result)
        if lines and self._shares_terminal:
            self._waiting.append(_Result(lines=lines, droppable=message.droppable))
        elif lines:
            self._results.write(lines, droppable=message.droppable)


def _styled(text: str, level: Level, columns: int | None) -> Line:
    first, newline, rest = text.partition("\n")
    return (fold(first, columns), _STYLES.get(level, "")), (newline + fold(rest, columns), "")
