"""A short tune as a WAV of any length and format, made in memory: a tile of a few seconds, repeated."""

from __future__ import annotations

import math
import struct
from array import array
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from suno_wav_cli.sandbox.behaviours import Layout

_NOTES = (523.25, 659.26, 783.99, 1046.50, 783.99, 659.26)  # C major, up and down
_NOTE_SECONDS = 0.5
_LOUDNESS = 0.4


@dataclass(frozen=True)
class Wav:
    """A file that need not be held whole: `header`, then `tile` repeated up to `data_bytes`."""

    header: bytes
    tile: bytes
    data_bytes: int

    @property
    def length(self) -> int:
        return len(self.header) + self.data_bytes

    def read(self, start: int, stop: int) -> bytes:
        """Return the bytes from `start` to before `stop`, at most one tile of them."""
        if start < len(self.header):
            return self.header[start:stop]
        offset = (start - len(self.header)) % len(self.tile)
        return self.tile[offset : offset + min(stop, self.length) - start]


def melody(layout: Layout) -> Wav:
    tile = _tile(layout.rate, layout.bits, layout.channels)
    data_bytes = layout.data_bytes
    # The size of `RIFF` counts all that follows it: "WAVE", `fmt ` with its header, the header of `data`, the data.
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
    return Wav(header, tile, data_bytes)


@lru_cache(maxsize=8)
def _tile(rate: int, bits: int, channels: int) -> bytes:
    # 32-bit samples, of which the highest bytes are kept: one way for every width.
    samples = array("i", (int(value * (2**31 - 1)) for note in _NOTES for value in _note(note, rate)))
    wide = samples.tobytes()
    width = bits // 8
    frame = width * channels
    tile = bytearray(len(samples) * frame)
    for channel in range(channels):
        for byte in range(width):
            tile[channel * width + byte :: frame] = wide[4 - width + byte :: 4]
    return bytes(tile)


def _note(frequency: float, rate: int) -> list[float]:
    step = 2 * math.pi * frequency / rate
    count = int(rate * _NOTE_SECONDS)
    # Fades to nothing at its end, so that tiles join without a click.
    return [_LOUDNESS * (1 - at / count) ** 2 * math.sin(step * at) for at in range(count)]
