"""The samples of a file: as numpy arrays, and whether they are all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from suno_wav_cli.models import WavFormat

    Samples: TypeAlias = NDArray[Any]

_BLOCK = 1 << 19
"""Bytes: few enough to stay in a processor's cache from one calculation to the next."""

_PIECE = 1 << 16


def is_readable(wav: WavFormat) -> bool:
    """Return whether `read_blocks` can decode the samples."""
    return wav.coded_byte_rate is None and wav.bits in (8, 16, 24, 32, 64)


def full_scale(wav: WavFormat) -> tuple[float, float]:
    """Return the least and the largest sample of the format. A float may exceed them."""
    if wav.encoding == "float":
        return -1.0, 1.0
    bits = 32 if wav.bits == 24 else wav.bits
    # The valid bits are the upper ones.
    step = 1 << (bits - (wav.valid_bits or wav.bits))
    return -(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - step


def block_frames(wav: WavFormat) -> int:
    return max(_BLOCK // wav.frame_bytes, 1)


def read_blocks(
    file: BinaryIO, wav: WavFormat, first: int = 0, count: int | None = None
) -> Iterator[Samples]:
    """Yield `count` frames from the frame `first` on, in blocks. A frame's samples are adjacent.

    Integers are signed, those of 24 bits in the upper bits of 32. Raise OSError.
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
        yield _decode(content[: whole * wav.frame_bytes], wav)
        left -= whole


def _decode(content: bytes, wav: WavFormat) -> Samples:
    import numpy as np

    if wav.encoding == "float":
        return np.frombuffer(content, f"<f{wav.bits // 8}")
    if wav.bits == 8:
        # The only unsigned width.
        return (np.frombuffer(content, np.uint8) ^ np.uint8(128)).view(np.int8)
    if wav.bits == 24:
        return _decode_three_bytes(content)
    return np.frombuffer(content, f"<i{wav.bits // 8}")


def _decode_three_bytes(content: bytes) -> NDArray[np.int32]:
    """Read four bytes at every third one, and mask out the neighbour's, which is the lowest."""
    import numpy as np

    overlapping: NDArray[np.int32] = np.ndarray(
        (len(content) // 3,), "<i4", buffer=b"\0" + content, strides=(3,)
    )
    samples = overlapping.astype(np.int32)
    samples &= -256
    return samples


def is_silent(path: Path, wav: WavFormat) -> bool:
    """Return whether every byte of the audio is the same. Raise OSError.

    So is digital silence, and what a preallocated download leaves.
    """
    with path.open("rb") as file:
        return is_constant(file, wav.data_start, wav.data_bytes)


def is_constant(file: BinaryIO, start: int, length: int) -> bool:
    """Return whether `length` bytes from `start` on are all the same, up to the end of the file."""
    file.seek(start)
    same = file.read(1) * _PIECE
    left = length - 1
    while left > 0 and (piece := file.read(min(left, _PIECE))):
        # Only the last piece is shorter, so nothing else is copied.
        if piece != (same if len(piece) == _PIECE else same[: len(piece)]):
            return False
        left -= len(piece)
    return True
