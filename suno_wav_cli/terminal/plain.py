"""Plain lines: for pipes, log files, CI, and terminals that cannot move their cursor."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from suno_wav_cli import events
from suno_wav_cli.terminal.message import Level
from suno_wav_cli.terminal.render import render
from suno_wav_cli.terminal.streams import Results, write_line

if TYPE_CHECKING:
    from suno_wav_cli.terminal.message import Message

_PROGRESS_SECONDS = 5.0


class PlainDisplay:
    """Writes messages to standard error; only errors if `quiet`."""

    def __init__(self, *, quiet: bool, verbose: bool) -> None:
        self._quiet = quiet
        self._verbose = verbose
        self._results = Results()
        self._last_progress: dict[str, tuple[float, int]] = {}

    def show(self, event: events.Event) -> None:
        message = render(event)
        if message.text is not None and self._is_wanted(event, message):
            write_line(sys.stderr, message.text)
        self._results.write(message.result, droppable=message.droppable)

    def _is_wanted(self, event: events.Event, message: Message) -> bool:
        if message.level is Level.ERROR:
            return True
        if self._quiet or (message.level is Level.DETAIL and not self._verbose):
            return False
        if isinstance(event, events.DownloadStarted):
            self._last_progress[event.audio_id] = time.monotonic(), 0
        return not isinstance(event, events.DownloadProgress) or self._is_due(event)

    def _is_due(self, event: events.DownloadProgress) -> bool:
        now = time.monotonic()
        shown_at, received = self._last_progress[event.audio_id]
        # Nothing is shown while nothing arrives: a stall is announced by its retry.
        if now - shown_at < _PROGRESS_SECONDS or event.received == received:
            return False
        self._last_progress[event.audio_id] = now, event.received
        return True
