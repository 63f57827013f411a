"""Where the audio and the whole file end, against where their headers say that they do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from suno_wav_cli.wav.chunks import CHUNK_HEADER
from suno_wav_cli.wav.fmt_chunk import NotAWav

if TYPE_CHECKING:
    from collections.abc import Sequence

    from suno_wav_cli.wav.chunks import Chunk

_LARGEST_SIZES = (1 << 31, 1 << 32)
_BELOW = 4200
"""Bytes. Who writes to a pipe does not know the length yet and puts a largest one: ffmpeg 0xFFFFFFFF, sox 0x7FFFF000
less what does not fill a frame, others these less their header."""

_OUTER_HEADER = 8
"""Bytes that the size of the whole does not count."""

_WRONG_LENGTH = "tells a wrong length of the whole in its first bytes"


@dataclass(frozen=True, kw_only=True)
class Extent:
    """In bytes: of the audio, what is `present` and what is `promised`, None where nothing is; `missing` at the end."""

    present: int
    promised: int | None
    missing: int
    remarks: tuple[str, ...]


def measure(audio: Chunk, chunks: Sequence[Chunk], *, frame: int, outer: int, length: int) -> Extent:
    """Compare the sizes in the headers, `outer` being that of the whole, with the `length` of the file.

    Whole frames, of `frame` bytes, are what is taken for audio where nothing is promised.

    Raises NotAWav where there is no audio, and none was meant to be.
    """
    behind = length - audio.start
    if _is_open(audio, outer, behind):
        present = behind // frame * frame
        if present == 0:
            raise NotAWav("it holds no audio")
        return Extent(
            present=present,
            promised=None,
            missing=0,
            remarks=("was written to a pipe: its header does not say how long it is",),
        )
    if audio.size == 0:
        raise NotAWav("it holds no audio")
    remarks = []
    last, end = chunks[-1], _OUTER_HEADER + outer
    if end < audio.start + audio.size or _means_unknown(outer):
        remarks.append(_WRONG_LENGTH)
        end = min(last.stop, length)
    elif last.stop == length + 1 == end:
        # The padding at the very end, which some writers forget.
        end = length
    elif last.stop == length and end <= length + CHUNK_HEADER:
        # No chunk is so small: some writers count the outer header in.
        if end > length:
            remarks.append(_WRONG_LENGTH)
        end = min(end, length)
    missing = max(audio.start + audio.size - length, end - length, 0)
    if length > end + 1:
        remarks.append(f"goes on for {length - end:,} bytes after its end")
    return Extent(
        present=min(audio.size, behind), promised=audio.size, missing=missing, remarks=tuple(remarks)
    )


def _is_open(audio: Chunk, outer: int, behind: int) -> bool:
    """Tell whether the header was never completed: it says 0, or a largest size that is not there."""
    if audio.size == 0:
        return outer <= audio.start
    return audio.size > behind and _means_unknown(audio.size)


def _means_unknown(size: int) -> bool:
    return any(largest - _BELOW <= size <= largest for largest in _LARGEST_SIZES)
