"""A WAV for people: its levels in words, its waveform in blocks."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING, TextIO

from suno_wav_cli.terminal.texts import clock, megabytes, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from suno_wav_cli.events import Inspected
    from suno_wav_cli.models import AudioLevels, WavFormat

_BLOCKS = " ▁▂▃▄▅▆▇█"
_ASCII = " .:|#"
_ROWS = 4
_SMALL, _NARROWEST = 30, 8
"""Columns of a waveform that stands in a line of text."""

_LONG_ENOUGH = 0.5
"""Seconds of silence at an end that are worth a word."""

_LONGEST_TAG = 200
_A_TENTH_OF_A_MEGABYTE = 100_000


def format_line(wav: WavFormat) -> str:
    channels = {1: "mono", 2: "stereo"}.get(wav.channels, f"{wav.channels} channels")
    valid = f"{wav.valid_bits} of " if wav.valid_bits else ""
    bits = f"{valid}{wav.bits} bit " if wav.bits else ""
    return f"{clock(wav.seconds)}, {wav.sample_rate / 1000:g} kHz, {bits}{wav.encoding}, {channels}"


def portrait_line(portrait: AudioLevels, width: int) -> str:
    """Say for standard error the levels and what is wrong, after a small waveform where `width` columns have room."""
    if portrait.silent:
        return "nothing but silence"
    said = f"peak {_level(portrait.peak)}, loudness {_level(portrait.loudness)}"
    if portrait.clipped:
        said += f", clipped {portrait.clipped:,} " + ("time" if portrait.clipped == 1 else "times")
    ends = _silent_ends(portrait)
    if ends:
        said += f", silent {ends}"
    room = min(width - len(said) - 1, _SMALL)
    if room < _NARROWEST:
        return said
    return f"{waveform(portrait.waveform, room, 1, _steps(sys.stderr))[0]:<{room}} {said}"


def recording_lines(event: Inspected) -> list[str]:
    """Lay out what is known of a file, and its waveform across the terminal (80 columns in a pipe)."""
    recording = event.recording
    if recording is None:
        return []
    rows = [
        ("file", str(event.path)),
        ("container", f"{recording.container}, {_size(event.bytes)}"),
        ("format", format_line(recording.format)),
        ("length", f"{recording.seconds:,.3f} s"),
        *_levels(recording.portrait),
        ("whole", "yes" if not recording.missing else f"no, {recording.missing:,} bytes are missing"),
        *(("remark", remark) for remark in recording.remarks),
        *((tag.name, _cut(tag.value)) for tag in recording.tags),
    ]
    lines = [f"{printable(name):<9} {printable(value)}" for name, value in rows]
    portrait = recording.portrait
    if portrait is not None and not portrait.silent:
        lines += waveform(portrait.waveform, shutil.get_terminal_size().columns, _ROWS, _steps(sys.stdout))
    return lines


def waveform(peaks: Sequence[float], columns: int, rows: int, steps: str) -> list[str]:
    """Draw peaks of 0 to 1 from left to right, each as high as it is: `steps` are the characters from low to high."""
    if not peaks:
        return []
    top = len(steps) - 1
    heights = [round(max(_part(peaks, column, columns)) * rows * top) for column in range(columns)]
    return [
        "".join(steps[min(max(height - row * top, 0), top)] for height in heights).rstrip()
        for row in reversed(range(rows))
    ]


def _part(peaks: Sequence[float], column: int, columns: int) -> Sequence[float]:
    """Take the peaks that fall on a column; of few peaks, one falls on several."""
    start = column * len(peaks) // columns
    return peaks[start : max((column + 1) * len(peaks) // columns, start + 1)]


def _steps(stream: TextIO | None) -> str:
    """Choose blocks, or ASCII where the stream, or the encoding of file names, which results have, cannot carry them."""
    try:
        os.fsencode(_BLOCKS)
        _BLOCKS.encode(getattr(stream, "encoding", None) or "ascii")
    except UnicodeEncodeError:
        return _ASCII
    return _BLOCKS


def _levels(portrait: AudioLevels | None) -> list[tuple[str, str]]:
    if portrait is None:
        return [("levels", "not measured in this encoding")]
    runs = f"{portrait.clipped:,} " + ("run" if portrait.clipped == 1 else "runs")
    rows = [
        ("peak", _level(portrait.peak)),
        ("loudness", f"{_level(portrait.loudness)} (RMS)"),
        ("clipping", f"{runs} of samples at full scale" if portrait.clipped else "none"),
        ("silence", "nothing but silence" if portrait.silent else _silent_ends(portrait) or "none"),
    ]
    if portrait.unusable:
        rows.append(("remark", f"holds {portrait.unusable:,} samples that are no numbers, or beyond reason"))
    return rows


def _level(level: float | None) -> str:
    # No minus before a zero.
    return "-inf dBFS" if level is None else f"{round(level, 1) + 0.0:.1f} dBFS"


def _silent_ends(portrait: AudioLevels) -> str:
    ends = ((portrait.quiet_start, "at the beginning"), (portrait.quiet_end, "at the end"))
    return ", ".join(f"{seconds:.1f} s {where}" for seconds, where in ends if seconds >= _LONG_ENOUGH)


def _size(size: int | None) -> str:
    if size is None:
        return "size unknown"
    return f"{megabytes(size)}, {size:,} bytes" if size >= _A_TENTH_OF_A_MEGABYTE else f"{size:,} bytes"


def _cut(text: str) -> str:
    first, *more = text.splitlines() or [""]
    cut = first[:_LONGEST_TAG]
    return f"{cut} ..." if more or cut != first else cut
