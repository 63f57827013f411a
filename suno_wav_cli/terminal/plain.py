"""Plain lines: for pipes, log files, CI, and terminals that cannot move their cursor."""

from __future__ import annotations

import threading
import time
from functools import cached_property
from typing import TYPE_CHECKING

from suno_wav_cli.events import ends
from suno_wav_cli.terminal.message import Level
from suno_wav_cli.terminal.render import render
from suno_wav_cli.terminal.run_note import take_note
from suno_wav_cli.terminal.streams import say

if TYPE_CHECKING:
    from suno_wav_cli.events import Event
    from suno_wav_cli.terminal.brief import Briefs
    from suno_wav_cli.terminal.message import Message
    from suno_wav_cli.terminal.run_state import RunState
    from suno_wav_cli.terminal.streams import Results

_PROGRESS_SECONDS = 5.0
BETWEEN_HEADLINES = 30.0
"""Seconds. `say_how_far` is to be called as often."""


class PlainDisplay:
    """Writes messages to standard error; only errors if `quiet`.

    In a run of many songs: a line for each that ends, one for all of them every half minute.
    """

    def __init__(self, state: RunState, results: Results, *, quiet: bool, verbose: bool) -> None:
        self._state = state
        self._quiet = quiet
        self._verbose = verbose
        self._results = results
        self._last_progress: dict[str, tuple[float, int]] = {}
        self._lock = threading.RLock()

    def show(self, event: Event) -> None:
        message = render(event)
        with self._lock:
            text = self._text(event, message)
            take_note(self._state, event, time.monotonic())
        if text is not None:
            say(text, verbatim=message.verbatim)
        self._results.write(message.result, droppable=message.droppable)

    def say_how_far(self) -> None:
        """Write the line for all songs, if many are on their way."""
        with self._lock:
            if self._quiet or self._state.ended or not self._state.is_of_many:
                return
            from suno_wav_cli.terminal.run_view import headline

            line = headline(self._state, time.monotonic(), between=", ")
        say(f"suno-wav: {line}")

    @cached_property
    def _briefs(self) -> Briefs:
        from suno_wav_cli.terminal.brief import Briefs

        return Briefs(shows_paths=False)

    def _text(self, event: Event, message: Message) -> str | None:
        if not self._is_wanted(event, message):
            return None
        if self._verbose or not self._state.is_of_many:
            return message.text
        title = self._state.title_of(getattr(event, "audio_id", None) or "")
        return self._briefs.text(event, message, title)

    def _is_wanted(self, event: Event, message: Message) -> bool:
        if message.level in (Level.ERROR, Level.OUTPUT) or (isinstance(event, ends.Summary) and event.failed):
            return True
        if self._quiet or (message.level is Level.DETAIL and not self._verbose):
            return False
        return message.level is not Level.PROGRESS or self._is_due(event)

    def _is_due(self, event: Event) -> bool:
        # In most commands no song moves: they need not load these.
        from suno_wav_cli.events.songs import DownloadProgress, DownloadStarted

        now = time.monotonic()
        if isinstance(event, DownloadStarted):
            self._last_progress[event.audio_id] = now, 0
        if not isinstance(event, DownloadProgress):
            return True
        shown_at, received = self._last_progress[event.audio_id]
        # Nothing is shown while nothing arrives: a stall is announced by its retry.
        if now - shown_at < _PROGRESS_SECONDS or event.received == received:
            return False
        self._last_progress[event.audio_id] = now, event.received
        return True
