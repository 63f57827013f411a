"""Peak, loudness, clipping, silence and waveform of a file, in constant memory."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, BinaryIO

from suno_wav_cli.models import AudioLevels
from suno_wav_cli.wav.samples import block_frames, full_scale, is_readable, read_blocks

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from suno_wav_cli.models import WavFormat
    from suno_wav_cli.wav.samples import Samples

_PARTS = 512
"""Of a waveform: more than a terminal has columns."""

_RUN = 3
"""Samples at full scale in a row that make a clipped run, not just the tip of a wave."""

_QUIET = 10 ** (-60 / 20)
_BEYOND_REASON = 1e12


def measure_levels(path: Path, wav: WavFormat) -> AudioLevels | None:
    """Measure the samples. Return None for compressed encodings. Raise OSError."""
    if not is_readable(wav):
        return None
    import numpy as np

    with path.open("rb") as file, np.errstate(all="ignore"):
        meter = _Meter(wav)
        for block in read_blocks(file, wav):
            meter.add(block)
        return meter.levels(file)


class _Meter:
    """What the samples so far have shown. Sums and peaks are relative to full scale."""

    def __init__(self, wav: WavFormat) -> None:
        import numpy as np

        self._wav = wav
        self._lowest, self._highest = full_scale(wav)
        self._frames = wav.data_bytes // wav.frame_bytes
        parts = min(_PARTS, self._frames)
        self._part_starts = np.arange(parts, dtype=np.int64) * self._frames // max(parts, 1)
        self._part_peaks = np.zeros(parts)
        self._low, self._high = math.inf, -math.inf
        self._squares = 0.0
        self._seen = 0
        self._clipped = 0
        self._unusable = 0
        self._edge = self._no_edge = np.zeros((_RUN, wav.channels), bool)
        self._first_loud: int | None = None
        self._last_loud = 0

    def add(self, block: Samples) -> None:
        """Measure the next block."""
        import numpy as np

        frames = len(block) // self._wav.channels
        block, unusable = _replace_unusable(block)
        self._unusable += unusable
        first = int(np.searchsorted(self._part_starts, self._seen, "right")) - 1
        stop = int(np.searchsorted(self._part_starts, self._seen + frames, "left"))
        # The parts within this block. The first of them may have begun before it.
        starts = np.maximum(self._part_starts[first:stop] - self._seen, 0) * self._wav.channels
        highs = np.maximum.reduceat(block, starts)
        lows = np.minimum.reduceat(block, starts)
        # As floats, because the least integer has no opposite.
        peaks = np.maximum(np.abs(highs.astype(np.float64)), np.abs(lows.astype(np.float64))) / -self._lowest
        self._part_peaks[first:stop] = np.maximum(self._part_peaks[first:stop], peaks)
        low, high = float(lows.min()), float(highs.max())
        self._low, self._high = min(self._low, low), max(self._high, high)
        self._squares += self._sum_squares(block)
        if low <= self._lowest or high >= self._highest:
            self._count_runs((block <= self._lowest) | (block >= self._highest))
        else:
            self._edge = self._no_edge
        if peaks.max() >= _QUIET:
            self._last_loud = self._seen
            if self._first_loud is None:
                self._first_loud = self._seen
        self._seen += frames

    def levels(self, file: BinaryIO) -> AudioLevels:
        samples = self._seen * self._wav.channels
        before, after = self._measure_quiet_ends(file)
        return AudioLevels(
            peak=_decibels(float(self._part_peaks.max(initial=0.0))),
            loudness=_decibels(math.sqrt(self._squares / samples) if samples else 0.0),
            clipped=self._clipped,
            quiet_start=round(before / self._wav.sample_rate, 3),
            quiet_end=round(after / self._wav.sample_rate, 3),
            silent=self._low >= self._high,
            unusable=self._unusable,
            waveform=tuple(round(min(peak, 1.0), 3) for peak in self._part_peaks.tolist()),
        )

    def _sum_squares(self, block: Samples) -> float:
        import numpy as np

        # For integers single precision is exact to 0.0001 dB, and half the work. The squares of
        # faint floats are zero in it.
        exact = self._wav.bits == 64 or block.dtype.kind == "f"
        wide = block.astype(np.float64 if exact else np.float32, copy=False)
        return float(np.dot(wide, wide)) / self._lowest**2

    def _count_runs(self, full: NDArray[np.bool_]) -> None:
        """Count each run at its third sample, so that block edges neither lose nor repeat one."""
        import numpy as np

        known = np.concatenate([self._edge, full.reshape(-1, self._wav.channels)])
        begins = known[3:] & known[2:-1] & known[1:-2] & ~known[:-3]
        self._clipped += int(np.count_nonzero(begins))
        self._edge = known[-_RUN:]

    def _measure_quiet_ends(self, file: BinaryIO) -> tuple[int, int]:
        """Find the first and the last audible frame, within the blocks known to have one."""
        if self._first_loud is None:
            return self._seen, self._seen
        first = self._find_loud_frames(file, self._first_loud)
        last = self._find_loud_frames(file, self._last_loud)
        if not (len(first) and len(last)):
            # The file has changed meanwhile.
            return 0, 0
        return self._first_loud + int(first[0]), self._seen - 1 - self._last_loud - int(last[-1])

    def _find_loud_frames(self, file: BinaryIO, start: int) -> NDArray[np.intp]:
        import numpy as np

        for block in read_blocks(file, self._wav, start, block_frames(self._wav)):
            usable, _ = _replace_unusable(block)
            loud = np.abs(usable.astype(np.float64)) >= _QUIET * -self._lowest
            return np.flatnonzero(loud.reshape(-1, self._wav.channels).any(axis=1))
        return np.empty(0, np.intp)


def _replace_unusable(block: Samples) -> tuple[Samples, int]:
    """Replace NaN, infinite and absurd values by zeros, and count them."""
    import numpy as np

    # Comparisons with NaN are false.
    if block.dtype.kind != "f" or max(abs(block.max()), abs(block.min())) <= _BEYOND_REASON:
        return block, 0
    usable = np.abs(block) <= _BEYOND_REASON
    return np.where(usable, block, block.dtype.type(0)), int(usable.size - np.count_nonzero(usable))


def _decibels(level: float) -> float | None:
    # Adding zero turns -0.0 into 0.0.
    return round(20 * math.log10(level), 2) + 0.0 if level > 0 else None
