"""A run of many songs as its events tell it, the display of it, and the screens that it draws.

python -m tests.terminal.run_story    writes tests/terminal/screens again
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pyte
from pyte.modes import LNM
from rich.console import Console

from suno_wav_cli.api.pricing import WAV_PRICE, price_of
from suno_wav_cli.errors import ExitCode
from suno_wav_cli.events import ends, payments
from suno_wav_cli.events.songs import (
    DownloadProgress,
    DownloadRetried,
    DownloadStarted,
    LookedUp,
    Saved,
    SongFailed,
)
from suno_wav_cli.models import WavFormat, WavRecord, WavState
from suno_wav_cli.terminal.live import BETWEEN_DRAWS, LiveDisplay
from suno_wav_cli.terminal.run_note import take_note
from suno_wav_cli.terminal.run_state import RunState
from suno_wav_cli.terminal.streams import Results

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from suno_wav_cli.events import Event

SCREENS = Path(__file__).with_name("screens")
SIZES = ((60, 12), (80, 24), (120, 40))
MOMENTS = {30: (4.0, 41.3), 1000: (4.0, 305.3)}
"""Seconds after which the screen of a run of so many songs is kept."""

_TITLES = (
    "Night Drive",
    "雨の夜",
    None,
    "Harbor Lights",
    "A Very Long Title for a Song about a Summer Night by the Sea",
)
_BYTES = 30_000_000
_EACH = 0.5
_CONVERTS = 30.0


def song_id(number: int) -> str:
    return f"{number * 2654435761 % 2**32:08x}-3c1f-4d2e-8b7a-{number:012d}"


def title_of(number: int) -> str | None:
    return _TITLES[number % len(_TITLES)]


def fails(number: int) -> bool:
    return number % 25 == 7


@cache
def story(songs: int) -> tuple[tuple[float, Event], ...]:
    """Tell of a run in which a song is submitted each half second, and one in 25 fails."""
    told: list[tuple[float, Event]] = [
        (0.0, payments.RunBegun(songs=songs, there=0, submissions=songs, price=price_of(songs), balance=None))
    ]
    for number in range(songs):
        told += _story_of(number)
    end = max(time for time, _ in told) + 0.1
    failed = sum(map(fails, range(songs)))
    summary = ends.Summary(
        requested=songs,
        saved=songs - failed,
        skipped=0,
        failed=failed,
        unknown=0,
        unfinished=0,
        not_begun=0,
        ended_early=False,
        credits=None,
        price=price_of(0),
    )
    return (*sorted(told, key=lambda at: at[0]), (end, summary))


def _story_of(number: int) -> Iterator[tuple[float, Event]]:
    audio_id, task_id, title = song_id(number), f"{number:032x}", title_of(number)
    begins = number * _EACH
    ready = begins + _CONVERTS
    yield begins, payments.Submitting(audio_id=audio_id, title=title)
    yield begins + 0.2, payments.Submitted(audio_id=audio_id, task_id=task_id)
    yield begins + 0.2, payments.SubmissionScheduled(seconds=_EACH - 0.2)
    for looked in (10.0, 20.0):
        record = WavRecord(task_id=task_id, state=WavState.PENDING)
        yield begins + looked, LookedUp(audio_id=audio_id, record=record)
    if fails(number):
        yield (
            ready,
            SongFailed(
                audio_id=audio_id,
                task_id=task_id,
                exit_code=ExitCode.CONVERSION_FAILED,
                message="the service could not convert the song",
                remedy=f"To pay for another try: suno-wav resume {audio_id} --resubmit",
                continue_argv=None,
            ),
        )
        return
    yield (
        ready,
        DownloadStarted(
            audio_id=audio_id, title=title, task_id=task_id, path=Path(f"{audio_id}.wav"), received=0
        ),
    )
    late = 1.0 if number % 9 == 4 else 0.0
    if late:
        reason = "the connection was closed"
        yield ready + 0.8, DownloadRetried(audio_id=audio_id, reason=reason, seconds=late)
    for share in (0.5, 1.0, 1.5):
        received = int(_BYTES * share / 2)
        yield (
            ready + share + late,
            DownloadProgress(audio_id=audio_id, received=received, total=_BYTES),
        )
    yield (
        ready + 2.0 + late,
        Saved(
            audio_id=audio_id,
            task_id=task_id,
            path=Path(f"{audio_id}.wav"),
            bytes=_BYTES,
            sha256="0" * 64,
            format=WavFormat(encoding="PCM", sample_rate=44100, bits=16, channels=2, data_bytes=_BYTES),
            silent=False,
            credits=None,
            price=WAV_PRICE,
        ),
    )


@dataclass
class Clock:
    """The time of a story."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Terminal:
    """The display on an emulated terminal of this size. `written` counts what it was sent."""

    columns: int
    rows: int
    written: int = 0
    draws: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = Clock()
        self._stream = io.StringIO()
        self.screen = pyte.HistoryScreen(self.columns, self.rows, history=5000, ratio=0.5)
        # A terminal's driver adds the carriage return to each line.
        self.screen.set_mode(LNM)
        self._emulator = pyte.Stream(self.screen)
        console = Console(
            file=self._stream,
            force_terminal=True,
            width=self.columns,
            height=self.rows,
            # So that a picture shows how full a bar is.
            no_color=True,
            highlight=False,
            legacy_windows=False,
            _environ={},
        )
        self.state = RunState(window_rate=2.0)
        self.display = LiveDisplay(console, self.state, Results(), verbose=False, clock=self.clock)

    def play(
        self,
        told: Sequence[tuple[float, Event]],
        until: float = float("inf"),
        drawn_from: float = 0.0,
    ) -> None:
        """Show a story up to a moment, and draw as often as the program does."""
        for time, event in told:
            if time > until:
                break
            if time < drawn_from:
                take_note(self.state, event, time)
                self.clock.now = time
                continue
            self.wait(time)
            self.display.show(event)
            self._feed()
        if until != float("inf"):
            self.wait(until)

    def wait(self, until: float) -> None:
        """Let time pass."""
        while self.clock.now + BETWEEN_DRAWS <= until:
            self.clock.now += BETWEEN_DRAWS
            self.display.draw()
            self._feed()

    def _feed(self) -> None:
        text = self._stream.getvalue()
        if text:
            self._stream.seek(0)
            self._stream.truncate()
            self.written += len(text.encode())
            self.draws.append(self.clock.now)
            self._emulator.feed(text)

    @property
    def picture(self) -> str:
        """The screen, framed."""
        edge = "+" + "-" * self.columns + "+"
        return "\n".join([edge, *(f"|{line}|" for line in self.screen.display), edge, ""])

    @property
    def lines(self) -> list[str]:
        """All lines that are left, with those that have left the screen."""
        history = [
            "".join(row[column].data for column in range(self.columns)) for row in self.screen.history.top
        ]
        return [line.rstrip() for line in [*history, *self.screen.display] if line.strip()]


def pictures() -> Iterator[tuple[Path, str]]:
    """Yield the screens of each run on each terminal, and the file that keeps them."""
    for songs, moments in MOMENTS.items():
        told = story(songs)
        for columns, rows in SIZES:
            seen = []
            for moment in moments:
                terminal = Terminal(columns, rows)
                terminal.play(told, moment, drawn_from=moment - 4.0)
                seen.append(f"after {moment:g} s\n{terminal.picture}")
            yield SCREENS / f"{songs}-songs-{columns}x{rows}.txt", "\n".join(seen)


def main() -> None:
    SCREENS.mkdir(exist_ok=True)
    for path, picture in pictures():
        path.write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()
