"""Whether all of it is the same byte: digital silence, and what a preallocated download leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from pathlib import Path

    from suno_wav_cli.models import WavFormat

_PIECE = 1 << 16


def is_silent(path: Path, wav: WavFormat) -> bool:
    """Tell whether every byte of the audio is the same. Stops at the first difference. Raises OSError."""
    with path.open("rb") as file:
        return is_constant(file, wav.data_start, wav.data_bytes)


def is_constant(file: BinaryIO, start: int, length: int) -> bool:
    """Tell whether so many bytes from `start` on are all the same one, as far as the file has them."""
    file.seek(start)
    same = file.read(1) * _PIECE
    left = length - 1
    while left > 0 and (piece := file.read(min(left, _PIECE))):
        # Whole pieces, but for the last: nothing is copied.
        if piece != (same if len(piece) == _PIECE else same[: len(piece)]):
            return False
        left -= len(piece)
    return True
