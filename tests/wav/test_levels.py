"""Levels, against a plain calculation on the same samples."""

from __future__ import annotations

import math
import random
import struct
import time
import tracemalloc
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from suno_wav_cli.models import WavFormat
from suno_wav_cli.wav.levels import measure_levels
from suno_wav_cli.wav.samples import block_frames
from tests.support.quick import examples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from suno_wav_cli.models import AudioLevels

FILE = Path("song.raw")
INTEGERS = (8, 16, 24, 32, 64)
FLOATS = {32: "f", 64: "d"}


def wav(bits: int, channels: int, size: int, *, floats: bool = False, valid: int | None = None) -> WavFormat:
    encoding = "float" if floats else "PCM"
    return WavFormat(
        encoding=encoding,
        sample_rate=1000,
        bits=bits,
        channels=channels,
        data_bytes=size,
        data_start=0,
        valid_bits=valid,
    )


def portrait_of(samples: Sequence[int], bits: int, channels: int, valid: int | None = None) -> AudioLevels:
    """Write integers of this width, 8 bits unsigned as WAV has them, and measure them."""
    width = bits // 8
    shift = 128 if bits == 8 else 0
    content = b"".join((value + shift).to_bytes(width, "little", signed=bits != 8) for value in samples)
    FILE.write_bytes(content)
    found = measure_levels(FILE, wav(bits, channels, len(content), valid=valid))
    assert found is not None
    return found


def portrait_of_floats(samples: Sequence[float], bits: int, channels: int = 1) -> AudioLevels:
    content = struct.pack(f"<{len(samples)}{FLOATS[bits]}", *samples)
    FILE.write_bytes(content)
    found = measure_levels(FILE, wav(bits, channels, len(content), floats=True))
    assert found is not None
    return found


def decibels(level: float) -> float | None:
    return 20 * math.log10(level) if level else None


def runs(full: Sequence[bool], channels: int) -> int:
    """Count three or more in a row, channel by channel."""
    found = 0
    for channel in range(channels):
        row = "".join("x" if value else "." for value in full[channel::channels])
        found += sum(len(run) >= 3 for run in row.split("."))
    return found


def check(found: AudioLevels, values: Sequence[float], full: Sequence[bool], channels: int) -> None:
    """Compare with the plain calculation on `values`, of which 1 is full scale."""
    values = values[: len(values) // channels * channels]
    full = full[: len(values)]
    frames = len(values) // channels
    peak = max(map(abs, values), default=0.0)
    rms = math.sqrt(math.fsum(value * value for value in values) / max(len(values), 1))
    assert found.peak == (None if not peak else pytest.approx(decibels(peak), abs=0.01))
    assert found.loudness == (None if not rms else pytest.approx(decibels(rms), abs=0.01))
    assert found.clipped == runs(full, channels)
    assert found.silent == (len(set(values)) <= 1)
    loud = [i // channels for i, value in enumerate(values) if abs(value) >= 10 ** (-60 / 20)]
    assert found.quiet_start == pytest.approx((loud[0] if loud else frames) / 1000)
    assert found.quiet_end == pytest.approx((frames - 1 - loud[-1] if loud else frames) / 1000)
    parts = min(512, frames)
    edges = [i * frames // parts * channels for i in range(parts)] + [len(values)]
    assert found.waveform == pytest.approx(
        [min(max(map(abs, values[a:b])), 1.0) for a, b in pairwise(edges)], abs=0.0006
    )


@pytest.mark.long
@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from(INTEGERS), st.integers(1, 8))
def test_integers_of_each_width(data: st.DataObject, bits: int, channels: int) -> None:
    lowest, highest = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    near = st.sampled_from([lowest, highest, lowest + 1, highest - 1, 0, 1, -1])
    samples = data.draw(st.lists(near | st.integers(lowest, highest), max_size=700))
    full = [value in (lowest, highest) for value in samples]
    if bits == 64:
        # A double does not tell the neighbours of full scale from it.
        full = [value <= lowest + 256 or value >= highest - 511 for value in samples]
    check(portrait_of(samples, bits, channels), [value / -lowest for value in samples], full, channels)


@pytest.mark.long
@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(FLOATS)),
    st.integers(1, 8),
    st.lists(
        st.sampled_from([1.0, -1.0, 0.0, 1e-9]) | st.floats(-2, 2, width=32, allow_subnormal=False),
        max_size=700,
    ),
)
@example(32, 1, [2.0**-126])
def test_floats_of_each_width(bits: int, channels: int, samples: list[float]) -> None:
    check(
        portrait_of_floats(samples, bits, channels), samples, [abs(value) >= 1 for value in samples], channels
    )


@pytest.mark.first_cases(3)
@pytest.mark.parametrize("bits", INTEGERS)
@pytest.mark.parametrize("channels", [1, 2, 5])
def test_blocks_leave_no_seam(bits: int, channels: int) -> None:
    """Runs at full scale across the borders of blocks, and the ends of silence in the first and the last one."""
    block = block_frames(wav(bits, channels, 0))
    frames = block * 2 + 77
    lowest = -(2 ** (bits - 1))
    samples = [0] * (frames * channels)
    loud = [lowest, -lowest - 1]
    places = [*range(5, 9), *range(block - 1, block + 2), *range(block * 2 - 2, block * 2), frames - 40]
    for frame in places:
        samples[frame * channels] = loud[frame % 2]
    found = portrait_of(samples, bits, channels)
    assert found.clipped == 2
    assert (found.quiet_start, found.quiet_end) == (0.005, 0.039)
    assert found.peak == 0.0
    assert found.waveform[0] == 1.0
    assert found.waveform[1] == 0.0
    assert found.waveform[255] == pytest.approx(1.0, abs=0.01)


def test_full_scale_is_that_of_the_valid_bits() -> None:
    largest = 0x7FFFF0
    assert portrait_of([largest] * 3, 24, 1, valid=20).clipped == 1
    assert portrait_of([largest] * 3, 24, 1).clipped == 0


@pytest.mark.parametrize("bits", sorted(FLOATS))
def test_what_is_no_sample_is_counted_and_left_out(bits: int) -> None:
    found = portrait_of_floats([0.5, math.nan, -0.5, math.inf, -math.inf, 1e30, 0.5, 0.5], bits)
    assert found.unusable == 4
    assert found.peak == pytest.approx(-6.02)
    assert found.loudness == pytest.approx(-9.03)
    nothing = portrait_of_floats([math.nan] * 9, bits)
    assert (nothing.peak, nothing.silent, nothing.unusable) == (None, True, 9)


@pytest.mark.long
@settings(max_examples=examples(200), deadline=None)
@example(channels=65535, content=bytes(100))
@given(st.integers(1, 20), st.binary(max_size=400))
def test_any_bytes_are_floats(channels: int, content: bytes) -> None:
    FILE.write_bytes(content)
    for bits in FLOATS:
        found = measure_levels(FILE, wav(bits, channels, len(content), floats=True))
        assert found is not None
        assert all(0 <= part <= 1 for part in found.waveform)
        assert all(level is None or math.isfinite(level) for level in (found.peak, found.loudness))


def test_a_file_that_shrinks_meanwhile_is_measured_as_far_as_it_goes() -> None:
    FILE.write_bytes(struct.pack("<4h", 0, 16384, -16384, 0))
    found = measure_levels(FILE, wav(16, 1, 1_000_000))
    assert found is not None
    assert found.peak == pytest.approx(-6.02)


@pytest.mark.parametrize("encoding", ["A-law", "MP3"])
def test_a_compressed_encoding_has_no_portrait(encoding: str) -> None:
    assert (
        measure_levels(
            FILE,
            WavFormat(
                encoding=encoding, sample_rate=8000, bits=8, channels=1, data_bytes=100, coded_byte_rate=8000
            ),
        )
        is None
    )


@pytest.mark.first_cases(1)
@pytest.mark.timing
@pytest.mark.parametrize("bits", [16, 24])
def test_memory_does_not_grow_with_the_file(bits: int) -> None:
    """And neither a hundred megabytes nor their bytes take long: this bound is loose, for a busy machine."""
    piece = random.Random(1).randbytes(bits // 8 * 500_000)
    with FILE.open("wb") as file:
        for _ in range(100_000_000 // len(piece)):
            file.write(piece)
    size = FILE.stat().st_size
    measure_levels(FILE, wav(bits, 2, 1000))
    start = time.monotonic()
    assert measure_levels(FILE, wav(bits, 2, size)) is not None
    assert time.monotonic() - start < 10
    FILE.write_bytes(piece * 8)
    tracemalloc.start()
    try:
        measure_levels(FILE, wav(bits, 2, len(piece) * 8))
        assert tracemalloc.get_traced_memory()[1] < 12_000_000
    finally:
        tracemalloc.stop()
