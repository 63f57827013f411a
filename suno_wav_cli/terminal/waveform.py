"""WAV files for people: format and levels in words, the waveform in blocks."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING, TextIO

from suno_wav_cli.terminal.fold import wrap_row
from suno_wav_cli.terminal.tables import clock, megabytes, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from suno_wav_cli.events.commands import Inspected
    from suno_wav_cli.models import AudioLevels, WavFormat

_BLOCKS = " ▁▂▃▄▅▆▇█"
_ASCII = " .:|#"
_ROWS = 4
_SMALL, _NARROWEST = 30, 8
"""Columns of a waveform within a line of text."""

_LONG_ENOUGH = 0.5
"""Seconds of silence at either end that are mentioned."""

_LONGEST_TAG = 200
_A_TENTH_OF_A_MEGABYTE = 100_000


def describe_format(wav: WavFormat) -> str:
    channels = {1: "mono", 2: "stereo"}.get(wav.channels, f"{wav.channels} channels")
    valid = f"{wav.valid_bits} of " if wav.valid_bits else ""
    bits = f"{valid}{wav.bits} bit " if wav.bits else ""
    return f"{clock(wav.seconds)}, {wav.sample_rate / 1000:g} kHz, {bits}{wav.encoding}, {channels}"


def describe_levels(levels: AudioLevels, width: int) -> str:
    """Return the levels and what is wrong with them, after a small waveform if `width` has room."""
    if levels.silent:
        return "nothing but silence"
    text = f"peak {_decibels(levels.peak)}, loudness {_decibels(levels.loudness)}"
    if levels.clipped:
        text += f", clipped {levels.clipped:,} " + ("time" if levels.clipped == 1 else "times")
    ends = _silent_ends(levels)
    if ends:
        text += f", silent {ends}"
    room = min(width - len(text) - 1, _SMALL)
    if room < _NARROWEST:
        return text
    return f"{draw_waveform(levels.waveform, room, 1, _steps(sys.stderr))[0]:<{room}} {text}"


def describe_file(event: Inspected) -> Iterator[str]:
    """Yield what is known of a file, then its waveform, as wide as the terminal (or 80 columns)."""
    wav = event.wav
    if wav is None:
        return
    rows = [
        ("file", str(event.path)),
        ("container", f"{wav.container}, {_size(event.bytes)}"),
        ("format", describe_format(wav.format)),
        ("length", f"{wav.seconds:,.3f} s"),
        *_level_rows(wav.levels),
        ("whole", "yes" if not wav.missing_bytes else f"no, {wav.missing_bytes:,} bytes are missing"),
        *(("remark", remark) for remark in wav.remarks),
        *((tag.name, _cut(tag.value)) for tag in wav.tags),
    ]
    for name, value in rows:
        whole = [printable(value)] if name == "file" else ()
        yield from wrap_row(f"{printable(name):<9} ", printable(value), whole=whole)
    if wav.levels is not None and not wav.levels.silent:
        columns = shutil.get_terminal_size().columns
        yield from draw_waveform(wav.levels.waveform, columns, _ROWS, _steps(sys.stdout))


def draw_waveform(peaks: Sequence[float], columns: int, rows: int, steps: str) -> list[str]:
    """Draw peaks of 0 to 1 from left to right. `steps` are the characters from low to high."""
    if not peaks:
        return []
    top = len(steps) - 1
    heights = [round(max(_part(peaks, column, columns)) * rows * top) for column in range(columns)]
    return [
        "".join(steps[min(max(height - row * top, 0), top)] for height in heights).rstrip()
        for row in reversed(range(rows))
    ]


def _part(peaks: Sequence[float], column: int, columns: int) -> Sequence[float]:
    """Return the peaks of a column. If there are few, several columns share one."""
    start = column * len(peaks) // columns
    return peaks[start : max((column + 1) * len(peaks) // columns, start + 1)]


def _steps(stream: TextIO | None) -> str:
    """Return blocks, or ASCII if the stream or the encoding of file names cannot carry blocks."""
    try:
        os.fsencode(_BLOCKS)
        _BLOCKS.encode(getattr(stream, "encoding", None) or "ascii")
    except UnicodeEncodeError:
        return _ASCII
    return _BLOCKS


def _level_rows(levels: AudioLevels | None) -> list[tuple[str, str]]:
    if levels is None:
        return [("levels", "not measured in this encoding")]
    runs = f"{levels.clipped:,} " + ("run" if levels.clipped == 1 else "runs")
    rows = [
        ("peak", _decibels(levels.peak)),
        ("loudness", f"{_decibels(levels.loudness)} (RMS)"),
        ("clipping", f"{runs} of samples at full scale" if levels.clipped else "none"),
        ("silence", "nothing but silence" if levels.silent else _silent_ends(levels) or "none"),
    ]
    if levels.unusable:
        rows.append(("remark", f"holds {levels.unusable:,} samples that are not numbers, or far too large"))
    return rows


def _decibels(level: float | None) -> str:
    # Adding 0.0 turns -0.0 into 0.0.
    return "-inf dBFS" if level is None else f"{round(level, 1) + 0.0:.1f} dBFS"


def _silent_ends(levels: AudioLevels) -> str:
    ends = ((levels.quiet_start, "at the beginning"), (levels.quiet_end, "at the end"))
    return ", ".join(f"{seconds:.1f} s {where}" for seconds, where in ends if seconds >= _LONG_ENOUGH)


def _size(size: int | None) -> str:
    if size is None:
        return "size unknown"
    return f"{megabytes(size)}, {size:,} bytes" if size >= _A_TENTH_OF_A_MEGABYTE else f"{size:,} bytes"


def _cut(text: str) -> str:
    first, *more = text.splitlines() or [""]
    cut = first[:_LONGEST_TAG]
    return f"{cut} ..." if more or cut != first else cut
