"""A short tune as a WAV of any length and format: a tile of a few seconds, repeated."""

from __future__ import annotations

import math
import struct
from array import array
from dataclasses import dataclass
from functools import lru_cache

_NOTES = (523.25, 659.26, 783.99, 1046.50, 783.99, 659.26)  # C major, up and down
_NOTE_SECONDS = 0.5
_LOUDNESS = 0.4


@dataclass(frozen=True, kw_only=True)
class Layout:
    """A WAV's format and length. If it `ends_early`, the second half of the file is missing."""

    rate: int = 48000
    bits: int = 16
    channels: int = 2
    seconds: float = 6.0
    ends_early: bool = False

    @property
    def data_bytes(self) -> int:
        return int(self.seconds * self.rate) * self.frame_bytes

    @property
    def frame_bytes(self) -> int:
        return self.channels * self.bits // 8


PLAIN = Layout()


@dataclass(frozen=True, kw_only=True)
class Wav:
    """A file of `length` bytes that is never in memory as a whole.

    It is `header`, then `tile` repeated.
    """

    header: bytes
    tile: bytes
    length: int

    def read(self, start: int, stop: int) -> bytes:
        """Return the bytes from `start` to before `stop`, at most one tile of them."""
        if start < len(self.header):
            return self.header[start:stop]
        offset = (start - len(self.header)) % len(self.tile)
        return self.tile[offset : offset + min(stop, self.length) - start]


def make_melody(layout: Layout, version: int = 0) -> Wav:
    """Make the tune. Each version is as long as the others, and a semitone higher than the last."""
    tile = _make_tile(layout.rate, layout.bits, layout.channels, version)
    data_bytes = layout.data_bytes
    # RIFF's size counts what follows it: "WAVE", the `fmt ` chunk, the header of `data`, the data.
    header = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        4 + 24 + 8 + data_bytes,
        b"WAVE",
        b"fmt ",
        16,
        1,
        layout.channels,
        layout.rate,
        layout.rate * layout.frame_bytes,
        layout.frame_bytes,
        layout.bits,
        b"data",
        data_bytes,
    )
    length = len(header) + data_bytes
    return Wav(header=header, tile=tile, length=length // 2 if layout.ends_early else length)


@lru_cache(maxsize=8)
def _make_tile(rate: int, bits: int, channels: int, semitones: int) -> bytes:
    # Made with 32 bits, of which each width keeps the highest bytes.
    raised = [note * 2 ** (semitones / 12) for note in _NOTES]
    samples = array("i", (int(value * (2**31 - 1)) for note in raised for value in _make_note(note, rate)))
    wide = samples.tobytes()
    width = bits // 8
    frame = width * channels
    tile = bytearray(len(samples) * frame)
    for channel in range(channels):
        for byte in range(width):
            tile[channel * width + byte :: frame] = wide[4 - width + byte :: 4]
    return bytes(tile)


def _make_note(frequency: float, rate: int) -> list[float]:
    step = 2 * math.pi * frequency / rate
    count = int(rate * _NOTE_SECONDS)
    # Fades out at its end, so that tiles join without a click.
    return [_LOUDNESS * (1 - at / count) ** 2 * math.sin(step * at) for at in range(count)]
