"""One JSON object per line: `{"event": NAME, …}`, with the fields of the event (events/README.md)."""

from __future__ import annotations

import json
import re
import time
from contextlib import suppress
from dataclasses import asdict, fields, replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from suno_wav_cli.events import commands, songs
from suno_wav_cli.events.event import is_logged
from suno_wav_cli.models import WavRecord
from suno_wav_cli.remote.address import shown
from suno_wav_cli.system.private_files import open_private
from suno_wav_cli.terminal.message import Level
from suno_wav_cli.terminal.queries import hide_all
from suno_wav_cli.terminal.render import render
from suno_wav_cli.terminal.streams import say

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from suno_wav_cli.events import Event
    from suno_wav_cli.terminal.streams import Results

_PROGRESS_SECONDS = 1.0


class JsonDisplay:
    """Writes events to standard output, and errors to standard error as well."""

    def __init__(self, results: Results) -> None:
        self._throttle = Throttle()
        self._results = results

    def show(self, event: Event) -> None:
        message = render(event)
        if self._throttle.lets_pass(event):
            self._results.write(json_lines(event), droppable=message.droppable)
        if message.level in (Level.ERROR, Level.OUTPUT):
            say(message.text or "", verbatim=message.verbatim)


class LogFile:
    """Appends the same lines to a file of this user alone, each with its time, and addresses without queries."""

    def __init__(self, path: Path) -> None:
        """Raise OSError if the file cannot be written."""
        self._file = open(  # noqa: SIM115 - a Path has no opener; `close` closes it
            path, "a", encoding="utf-8", errors="backslashreplace", opener=open_private
        )
        self._throttle = Throttle()
        self._path = path
        self._is_complete = True

    def show(self, event: Event) -> None:
        if self._throttle.lets_pass(event):
            for line in json_lines(_without_secrets(event), queries=False, time=round(time.time(), 3)):
                self._write(_without(_tokens(event), line))

    def _write(self, line: str) -> None:
        """Write a line. That it is lost is said once, and the program goes on."""
        try:
            self._file.write(line + "\n")
            self._file.flush()
        except OSError as error:
            if self._is_complete:
                reason = error.strerror or str(error)
                say(f"suno-wav: the log file {self._path} is not complete: {reason}")
            self._is_complete = False

    def close(self) -> None:
        # What a full disk has not taken is tried once more, and was said.
        with suppress(OSError):
            self._file.close()


def _without_secrets(event: Event) -> Event:
    """Return an event as others may read it later."""
    hidden: dict[str, Any] = {
        field.name: "(hidden)"
        for field in fields(event)
        if not is_logged(field) and getattr(event, field.name) is not None
    }
    return replace(event, **hidden) if hidden else event


_MAY_HOLD_TOKENS = ("--callback-url", "--public-url", "--forward-to", "--exec", "--tunnel-command")


def _tokens(event: Event) -> set[str]:
    """Return the addresses in a command that was typed: their paths may hold tokens."""
    argv: tuple[str, ...] = getattr(event, "continue_argv", None) or ()
    split = [part for word in argv for part in (word.split("=", 1) if word.startswith("--") else [word])]
    return {word for option, word in pairwise(split) if option in _MAY_HOLD_TOKENS and word}


def _without(tokens: set[str], line: str) -> str:
    for token in tokens:
        line = line.replace(json.dumps(token)[1:-1], "(hidden)")
    return line


class Throttle:
    """Lets one DownloadProgress per second and song pass, and every other event."""

    def __init__(self) -> None:
        self._last: dict[str, float] = {}

    def lets_pass(self, event: Event) -> bool:
        if not isinstance(event, songs.DownloadProgress):
            return True
        now = time.monotonic()
        if now - self._last.get(event.audio_id, 0.0) < _PROGRESS_SECONDS:
            return False
        self._last[event.audio_id] = now
        return True


def event_name(kind: type) -> str:
    """Return `download_started` for `DownloadStarted`. A list is named for its items."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__.removesuffix("List")).lower()


def json_lines(event: Event, *, queries: bool = True, **more: object) -> list[str]:
    """Return an object for the event, or one for each item of a list. Addresses may lose their `queries`."""
    items = event.items if isinstance(event, commands.JobList | commands.TrackList) else (event,)
    head = {"event": event_name(type(event)), **more}
    listed = [head | _fields(item) for item in items]
    return [json.dumps(one if queries else hide_all(one), default=_to_json) for one in listed]


def _fields(item: DataclassInstance) -> dict[str, object]:
    fields = asdict(item)
    if isinstance(getattr(item, "record", None), WavRecord):
        # As it came, a record names the secret path of the receiver.
        del fields["record"]["raw"]
    return fields


def _to_json(value: object) -> object:
    if isinstance(value, Path):
        return shown(value)
    if isinstance(value, Decimal):
        # Exact: an amount has at most 15 digits, and a float holds as many.
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"an event holds a {type(value).__name__}")
