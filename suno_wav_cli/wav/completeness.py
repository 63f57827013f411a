"""How much audio is there, and whether that is all: the one place that decides it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

from suno_wav_cli.wav.fmt_chunk import NotAWav
from suno_wav_cli.wav.riff import CHUNK_HEADER, IN_DS64

if TYPE_CHECKING:
    from collections.abc import Sequence

    from suno_wav_cli.wav.riff import Chunk

_PLACEHOLDERS = (1 << 31, 1 << 32, *range(10**9, 1 << 32, 10**9))
"""Sizes that a program states when it does not know the length, which it may round or correct.

ffmpeg has 0xFFFFFFFF, sox 0x7FFFF000, GStreamer 0x7FFF0000, lame 0x7FFFFFFF, arecord 0x80000000, and
what streams speech a round number of samples. Some have 0, which is looked at separately.
"""
_BELOW = 1 << 16
_HEADERS = 4096
"""Bytes of chunks before the audio, which the size of the whole counts too."""

_NEVER_SO_LONG = 10**9
"""Bytes. If a server has sent all that it has, a size beyond this is a placeholder, too."""

_LARGEST_EXTRA = 1 << 28
"""Bytes of a chunk behind the audio. A text that is not a chunk seems to state more than twice that."""

_OUTER_HEADER = 8
"""Bytes that the size of the whole file does not count."""

_OPEN = "was written to a pipe: its header does not say how long it is"
_WRONG_LENGTH = "tells a wrong length of the whole in its first bytes"
_WITHIN_A_FRAME = "ends within a frame"


@dataclass(frozen=True, kw_only=True)
class Extent:
    """Where the parts of a file lie: its header at `header`, the `chunks` behind that, `length` in all.

    `outer` is the size that the header states for the whole, and `is_long` that it may be 64 bits.
    """

    header: int
    outer: int
    is_long: bool
    chunks: Sequence[Chunk]
    length: int

    @property
    def stated_end(self) -> int:
        return self.header + _OUTER_HEADER + self.outer


@dataclass(frozen=True, kw_only=True)
class Completeness:
    """Bytes of audio that are `present` and `promised`, and bytes `missing` at the file's end.

    `promised` is None if the header states no length. `chunks` are those that are no audio taken for
    one. `remarks` complete the sentence "it …".
    """

    present: int
    promised: int | None
    missing: int
    chunks: tuple[Chunk, ...]
    remarks: tuple[str, ...]


def find_audio(chunks: Sequence[Chunk]) -> Chunk | None:
    """Return the `data` chunk that holds the audio. Some programs write an empty one before it."""
    empty = None
    for chunk in chunks:
        if chunk.name == b"data":
            if chunk.size:
                return chunk
            empty = chunk
        elif empty is not None and not chunk.has_name:
            # The audio itself, of which the header does not say how long it is.
            break
    return empty


def check_completeness(audio: Chunk, extent: Extent, *, frame: int, length_met: bool) -> Completeness:
    """Compare the sizes in the headers with the file's real length.

    If no length is promised, all whole frames of `frame` bytes count as audio. `length_met` means
    that a server announced the file's length, and sent as much: then nothing more is to be had.
    Raise NotAWav if there is no audio.
    """
    if _is_open(audio, extent, length_met=length_met):
        return _check_open(audio, extent, frame, length_met=length_met)
    if audio.size == 0:
        raise NotAWav("it holds no audio")
    length, stated = extent.length, extent.stated_end
    chunks = _drop_rubbish(audio, extent)
    last, end, remarks = chunks[-1], stated, []
    if length in (last.end, last.stop) and length < stated <= length + CHUNK_HEADER:
        # Less than a chunk: some writers forget the padding at the very end, others count the outer
        # header in.
        if stated != last.stop:
            remarks.append(_WRONG_LENGTH)
        end = length
    elif stated < audio.end or (stated > length and _is_placeholder(extent.outer, above=_HEADERS)):
        remarks.append(_WRONG_LENGTH)
        end = last.end
    missing = max(audio.end - length, end - length, 0)
    if length > end + 1:
        remarks.append(f"goes on for {length - end:,} bytes after its end")
    if audio.size % frame:
        remarks.append(_WITHIN_A_FRAME)
    return Completeness(
        present=max(min(audio.size, length - audio.start), 0),
        promised=audio.size,
        missing=missing,
        chunks=chunks,
        remarks=tuple(remarks),
    )


def _check_open(audio: Chunk, extent: Extent, frame: int, *, length_met: bool) -> Completeness:
    """Measure audio that goes on to the file's end, because its header was never completed."""
    behind = extent.length - audio.start
    present = behind // frame * frame
    if present <= 0:
        raise NotAWav("it holds no audio")
    # The size of the whole may have been completed, alone.
    end, promised, missing = extent.stated_end, None, 0
    early = end - extent.length
    # Some writers forget the padding, others count the outer header in.
    is_slip = early == _OUTER_HEADER or (early == 1 and behind % 2 == 1 and behind == present)
    if not length_met and early > 0 and not is_slip and not _is_placeholder(extent.outer, above=_HEADERS):
        promised, missing = end - audio.start, early
    rest = behind - present
    padded = rest == 1 and present % 2 == 1
    return Completeness(
        present=present,
        promised=promised,
        missing=missing,
        chunks=tuple(extent.chunks[: extent.chunks.index(audio) + 1]),
        remarks=(_OPEN,) if rest == 0 or padded else (_OPEN, _WITHIN_A_FRAME),
    )


def _is_open(audio: Chunk, extent: Extent, *, length_met: bool) -> bool:
    """Return whether the audio's size stands for "not known yet"."""
    if audio.size == 0:
        # Unless other chunks follow and fill the file, what follows is audio.
        behind = [chunk for chunk in extent.chunks if chunk.start > audio.start]
        return not (
            behind
            and all(chunk.has_name for chunk in behind)
            and extent.length in (behind[-1].end, behind[-1].stop)
        )
    if audio.size == IN_DS64 and not extent.is_long:
        return True
    if audio.end <= extent.length:
        return False
    return _is_placeholder(audio.size) or (length_met and audio.size >= _NEVER_SO_LONG)


def _is_placeholder(size: int, *, above: int = 0) -> bool:
    return any(one - _BELOW <= size <= one + above for one in _PLACEHOLDERS)


def _drop_rubbish(audio: Chunk, extent: Extent) -> tuple[Chunk, ...]:
    """Return the chunks up to what is none: bytes behind the end of a file are read as chunks, too."""
    return tuple(
        takewhile(
            lambda chunk: chunk.start <= audio.start or (chunk.has_name and chunk.size <= _LARGEST_EXTRA),
            extent.chunks,
        )
    )
