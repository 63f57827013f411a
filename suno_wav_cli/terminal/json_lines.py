"""One JSON object a line: `{"event": NAME, …}`, the event's fields beside its name."""

from __future__ import annotations

import json
import re
import sys
import time
from dataclasses import asdict, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from suno_wav_cli import events
from suno_wav_cli.terminal.messages import is_error, may_be_lost, sentence
from suno_wav_cli.terminal.streams import Results, write_line

if TYPE_CHECKING:
    from suno_wav_cli.events import Event

_PROGRESS_SECONDS = 1.0


class JsonLines:
    """Events on standard output; errors are said on standard error as well."""

    def __init__(self) -> None:
        self._progress = Throttle()
        self._results = Results()

    def show(self, event: Event) -> None:
        if self._progress.lets_pass(event):
            write = self._results.offer if may_be_lost(event) else self._results.write
            for line in json_lines(event):
                write(line)
        if is_error(event):
            write_line(sys.stderr, sentence(event, verbose=False) or "")


class LogFile:
    """The same lines, each with its time, appended to a file."""

    def __init__(self, path: Path) -> None:
        """Raises OSError where the file cannot be written."""
        self._file = path.open("a", encoding="utf-8", errors="backslashreplace")
        self._progress = Throttle()

    def show(self, event: Event) -> None:
        if isinstance(event, events.Listening):
            # Standard output is for the person who asked; a log is read by others, and later.
            event = replace(event, callback_url="(hidden)")
        if self._progress.lets_pass(event):
            for line in json_lines(event, time=round(time.time(), 3)):
                write_line(self._file, line)

    def close(self) -> None:
        self._file.close()


class Throttle:
    """Lets one DownloadProgress a second through for each song, and every other event."""

    def __init__(self) -> None:
        self._last: dict[str, float] = {}

    def lets_pass(self, event: Event) -> bool:
        if not isinstance(event, events.DownloadProgress):
            return True
        now = time.monotonic()
        if now - self._last.get(event.audio_id, 0.0) < _PROGRESS_SECONDS:
            return False
        self._last[event.audio_id] = now
        return True


def event_name(kind: type) -> str:
    """Turn `DownloadStarted` into `download_started`; a list is named for its items."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__.removesuffix("List")).lower()


def json_lines(event: Event, **more: object) -> list[str]:
    """Make one object of an event, or of each item of a list."""
    items = event.items if isinstance(event, events.JobList | events.TrackList) else (event,)
    head = {"event": event_name(type(event)), **more}
    return [json.dumps(head | asdict(item), default=_plain) for item in items]


def _plain(value: object) -> object:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Decimal):
        # Written digit for digit: an amount has at most 15, and so many a float carries.
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"an event holds a {type(value).__name__}")
