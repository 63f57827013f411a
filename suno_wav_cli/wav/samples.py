"""The samples of a file, a block at a time, as numpy arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from suno_wav_cli.models import WavFormat

    Samples: TypeAlias = NDArray[Any]

_BLOCK = 1 << 19
"""Bytes: little enough to stay in a processor's cache from one calculation to the next."""


def is_readable(wav: WavFormat) -> bool:
    """Tell whether `blocks` knows what the bytes mean."""
    return wav.coded_byte_rate is None and wav.bits in (8, 16, 24, 32, 64)


def full_scale(wav: WavFormat) -> tuple[float, float]:
    """Give the least and the largest sample that `blocks` yields; a float may go beyond them."""
    if wav.encoding == "float":
        return -1.0, 1.0
    bits = 32 if wav.bits == 24 else wav.bits
    # Valid bits are the upper ones.
    step = 1 << (bits - (wav.valid_bits or wav.bits))
    return -(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - step


def block_frames(wav: WavFormat) -> int:
    return max(_BLOCK // wav.frame_bytes, 1)


def blocks(file: BinaryIO, wav: WavFormat, first: int = 0, count: int | None = None) -> Iterator[Samples]:
    """Yield `count` frames from the frame `first` on, in blocks of `block_frames`; the samples of a frame side by side.

    Integers are signed, those of 24 bits in the upper ones of 32. Raises OSError.
    """
    frames = wav.data_bytes // wav.frame_bytes - first
    left = frames if count is None else min(count, frames)
    step = block_frames(wav)
    file.seek(wav.data_start + first * wav.frame_bytes)
    while left > 0:
        content = file.read(min(left, step) * wav.frame_bytes)
        whole = len(content) // wav.frame_bytes
        if not whole:
            return
        yield _samples(content[: whole * wav.frame_bytes], wav)
        left -= whole


def _samples(content: bytes, wav: WavFormat) -> Samples:
    import numpy as np

    if wav.encoding == "float":
        return np.frombuffer(content, f"<f{wav.bits // 8}")
    if wav.bits == 8:
        # Alone among the widths it is unsigned.
        return (np.frombuffer(content, np.uint8) ^ np.uint8(128)).view(np.int8)
    if wav.bits == 24:
        return _samples_of_three_bytes(content)
    return np.frombuffer(content, f"<i{wav.bits // 8}")


def _samples_of_three_bytes(content: bytes) -> NDArray[np.int32]:
    """Read four bytes at every third: what comes along is the neighbour's, below the sample, and is masked out."""
    import numpy as np

    overlapping: NDArray[np.int32] = np.ndarray(
        (len(content) // 3,), "<i4", buffer=b"\0" + content, strides=(3,)
    )
    samples = overlapping.astype(np.int32)
    samples &= -256
    return samples
