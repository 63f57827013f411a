"""Whether the audio and the file end where their headers say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from suno_wav_cli.wav.fmt_chunk import NotAWav
from suno_wav_cli.wav.riff import CHUNK_HEADER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from suno_wav_cli.wav.riff import Chunk

_LARGEST_SIZES = (1 << 31, 1 << 32)
_BELOW = 4200
"""Bytes. A program that writes to a pipe does not know the length yet and states the largest one:
ffmpeg 0xFFFFFFFF, sox 0x7FFFF000 rounded down to a frame, others these less their header."""

_OUTER_HEADER = 8
"""Bytes that the size of the whole file does not count."""

_WRONG_LENGTH = "tells a wrong length of the whole in its first bytes"


@dataclass(frozen=True, kw_only=True)
class Completeness:
    """Bytes of audio that are `present` and `promised`, and bytes `missing` at the file's end.

    `promised` is None if the header states no length. `remarks` complete the sentence "it …".
    """

    present: int
    promised: int | None
    missing: int
    remarks: tuple[str, ...]


def check_completeness(
    audio: Chunk, chunks: Sequence[Chunk], *, frame: int, outer: int, length: int
) -> Completeness:
    """Compare the sizes in the headers, `outer` for the whole file, with the file's real `length`.

    If no length is promised, all whole frames of `frame` bytes count as audio. Raise NotAWav if
    there is no audio.
    """
    behind = length - audio.start
    if _is_open(audio, outer, behind):
        present = behind // frame * frame
        if present == 0:
            raise NotAWav("it holds no audio")
        return Completeness(
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
        # Some writers forget the padding at the very end.
        end = length
    elif last.stop == length and end <= length + CHUNK_HEADER:
        # Less than a chunk: some writers count the outer header in.
        if end > length:
            remarks.append(_WRONG_LENGTH)
        end = min(end, length)
    missing = max(audio.start + audio.size - length, end - length, 0)
    if length > end + 1:
        remarks.append(f"goes on for {length - end:,} bytes after its end")
    return Completeness(
        present=min(audio.size, behind), promised=audio.size, missing=missing, remarks=tuple(remarks)
    )


def _is_open(audio: Chunk, outer: int, behind: int) -> bool:
    """Return whether the header was never completed: it says 0, or a largest size."""
    if audio.size == 0:
        return outer <= audio.start
    return audio.size > behind and _means_unknown(audio.size)


def _means_unknown(size: int) -> bool:
    return any(largest - _BELOW <= size <= largest for largest in _LARGEST_SIZES)
