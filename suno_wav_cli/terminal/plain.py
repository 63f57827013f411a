"""Plain lines: for pipes, log files, CI, and terminals that cannot move their cursor."""

from __future__ import annotations

import sys
import time

from suno_wav_cli import events
from suno_wav_cli.terminal.messages import is_error, may_be_lost, results, sentence
from suno_wav_cli.terminal.messages_songs import progress_line
from suno_wav_cli.terminal.streams import Results, write_line

_PROGRESS_SECONDS = 5.0


class Lines:
    """What is said goes to standard error; `quiet` says errors only."""

    def __init__(self, *, quiet: bool, verbose: bool) -> None:
        self._quiet = quiet
        self._verbose = verbose
        self._results = Results()
        self._last_progress: dict[str, tuple[float, int]] = {}

    def show(self, event: events.Event) -> None:
        match event:
            case events.DownloadStarted():
                self._last_progress[event.audio_id] = time.monotonic(), 0
                self._say(event)
            case events.DownloadProgress():
                self._show_progress(event)
            case _:
                self._say(event)
                write = self._results.offer if may_be_lost(event) else self._results.write
                for line in results(event):
                    write(line)

    def _show_progress(self, event: events.DownloadProgress) -> None:
        now = time.monotonic()
        shown_at, received = self._last_progress[event.audio_id]
        # Nothing while nothing comes: a stall is told by its retry.
        if self._quiet or now - shown_at < _PROGRESS_SECONDS or event.received == received:
            return
        self._last_progress[event.audio_id] = now, event.received
        write_line(sys.stderr, progress_line(event))

    def _say(self, event: events.Event) -> None:
        text = sentence(event, verbose=self._verbose)
        if text is not None and (is_error(event) or not self._quiet):
            write_line(sys.stderr, text)
