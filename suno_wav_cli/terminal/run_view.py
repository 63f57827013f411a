"""The state of a run as lines of text, fitted to a terminal: one line for all, below it a few songs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from suno_wav_cli.api.pricing import format_credits
from suno_wav_cli.terminal.names import shorten_name
from suno_wav_cli.terminal.run_state import Stage
from suno_wav_cli.terminal.tables import clock, fit, megabytes, pad, printable, shorten, song_name, width_of

if TYPE_CHECKING:
    from suno_wav_cli.terminal.run_state import RunState, SongRow

Line: TypeAlias = tuple[tuple[str, str], ...]
"""Pieces of text, each with its style."""

_FULL, _REST, _HEAD = "rgb(249,38,114)", "grey23", "bold"
_MOST_ROWS = 8
_NARROWEST = 4
"""Columns of a name or a bar that is worth showing."""
_NAME = 18
"""Columns that a name gets before a bar has its full share: a title's beginning, and what tells it apart."""
_PULSE_SECONDS = 2.0
_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0
_LONG_WAIT = 1.5
"""Seconds. A shorter wait for the next submission is not worth a word."""


class _Pulse(NamedTuple):
    """A bar without an end: how long it has been moving."""

    seconds: float


_Middle: TypeAlias = float | str | _Pulse
"""A share of a bar, a text in its place, or a pulse."""


def view(state: RunState, now: float, *, columns: int, rows: int, colour: bool = True) -> list[Line]:
    """Return the lines to show on a terminal of this size. None is wider than `columns`."""
    if state.is_empty:
        return []
    alone = not state.is_of_many
    head: list[Line] = []
    if not alone:
        head.append(((headline(state, now, columns), _HEAD),))
    if state.tunnel_since is not None:
        seconds = now - state.tunnel_since
        head.append(_row("callbacks", _Pulse(seconds), f"opening {clock(seconds)}", columns, colour=colour))
    # What was said above stays on the screen.
    most = max(rows - 2, 1) if alone else min(_MOST_ROWS, max((rows - 1) // 3, 1))
    songs = state.rows(most, now)
    stages = [_stage(row, now) for row in songs]
    width = max(map(width_of, stages), default=0)
    return head + [
        _row(
            song_name(row.audio_id, None if alone else row.title),
            _middle(row, now, alone=alone),
            stage.rjust(width),
            columns,
            colour=colour,
        )
        for row, stage in zip(songs, stages, strict=True)
    ]


def headline(state: RunState, now: float, columns: int | None = None, between: str = " · ") -> str:
    """Return the line for all songs. What matters least is left out where it does not fit."""
    songs = state.begun.songs if state.begun else 0
    # Each with its rank: the highest is left out first.
    parts = [(0, f"{state.saved}/{songs} saved")]
    counts = (
        (5, state.skipped, "skipped"),
        (1, state.failed, "failed"),
        (2, state.not_begun, "not begun"),
        (2, state.detached, "submitted"),
        (4, state.at_service, "at the service"),
    )
    parts += [(rank, f"{count} {name}") for rank, count, name in counts if count]
    parts += [(rank, text) for rank, text in _outlook(state, now) if text]
    while True:
        line = between.join(text for _, text in parts)
        if columns is None or width_of(line) <= columns or len(parts) == 1:
            return line if columns is None else shorten(line, columns)
        parts.remove(max(parts))


def _outlook(state: RunState, now: float) -> list[tuple[int, str]]:
    """Return what comes next, what it costs, and how long it takes."""
    left, price = state.seconds_left(now), state.begun.price if state.begun else None
    return [
        (2, _next_submission(state, now)),
        (6, f"{format_credits(state.spent)} of {format_credits(price)} credits" if price else ""),
        (3, "" if left is None else f"about {_rounded(left)} left"),
    ]


def _next_submission(state: RunState, now: float) -> str:
    if state.pause is not None:
        wait = max((state.pause_until or now) - now, 0.0)
        return f"submissions pause, next try in {_seconds(wait)}"
    wait = 0.0 if state.next_submission is None else state.next_submission - now
    return f"next submission in {_seconds(wait)}" if wait > _LONG_WAIT else ""


def _seconds(seconds: float) -> str:
    whole = math.ceil(seconds)
    return f"{whole} s" if whole < 2 * _MINUTE else clock(whole)


def _rounded(seconds: float) -> str:
    """Return a length of time, no more exact than an estimate is."""
    if seconds < _MINUTE:
        return f"{max(math.ceil(seconds / 10), 1) * 10} s"
    if seconds < 2 * _HOUR:
        return f"{math.ceil(seconds / _MINUTE)} min"
    return f"{math.ceil(seconds / _HOUR)} h" if seconds < 2 * _DAY else f"{math.ceil(seconds / _DAY)} days"


def _stage(row: SongRow, now: float) -> str:
    """Return the stage of a song with its time, or bytes, speed and time left."""
    if row.stage not in (Stage.DOWNLOADING, Stage.WAITING):
        return f"{row.stage} {clock(now - row.since)}"
    text = megabytes(row.received)
    if row.total is not None:
        text = f"{row.received / 1e6:.1f}/{megabytes(row.total)}"
    if row.stage is Stage.WAITING:
        return f"{text} {row.stage}"
    if row.speed:
        text += f" {row.speed / 1e6:.1f} MB/s"
    return text if row.seconds_left is None else f"{text} {clock(math.ceil(row.seconds_left))}"


def _middle(row: SongRow, now: float, *, alone: bool) -> _Middle:
    """Return what stands between the name and the stage."""
    if row.note and not alone:
        return printable(row.note)
    if row.total:
        return min(row.received / row.total, 1.0)
    # Of many that wait, none has a bar: what moves is to be seen.
    return _Pulse(now - row.since) if alone or row.stage is Stage.DOWNLOADING else ""


def _row(name: str, middle: _Middle, stage: str, columns: int, *, colour: bool) -> Line:
    room = columns - width_of(stage) - 2
    bar = min(room * 3 // 5, max(room - _NAME, room // 4)) if middle != "" else 0
    wide = room - bar
    if min(wide, bar or wide) < _NARROWEST:
        return ((shorten(f"{name} {stage}", columns), ""),)
    head, tail = (pad(shorten_name(name, wide), wide) + " ", ""), (f" {stage}", "")
    if isinstance(middle, str):
        return (head, (fit(middle, bar), "yellow"), tail)
    return (head, *_bar(middle, bar, colour=colour), tail)


def _bar(share: float | _Pulse, width: int, *, colour: bool) -> Line:
    """Draw how much is done, or that something goes on. Without colours, the rest of the bar is blank."""
    rest = "━" if colour else " "
    if not isinstance(share, _Pulse):
        halves = int(share * width * 2)
        full = "━" * (halves // 2) + "╸" * (halves % 2)
        return ((full, _FULL), (rest * (width - len(full)), _REST))
    block = max(width // 4, 1)
    # There and back again.
    at = abs((share.seconds / _PULSE_SECONDS) % 2 - 1)
    before = round((1 - at) * (width - block))
    return (rest * before, _REST), ("━" * block, _FULL), (rest * (width - block - before), _REST)
