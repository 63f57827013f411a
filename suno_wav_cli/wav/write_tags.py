"""Tags into a WAV that is there: behind its last chunk, so that no byte of the audio moves."""

from __future__ import annotations

import os
import re
import struct
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO

from suno_wav_cli.errors import TagsNotWritten
from suno_wav_cli.wav.chunks import CHUNK_HEADER, IN_DS64, RIFF_HEADER, Chunk, read_chunks
from suno_wav_cli.wav.tag_chunks import tag_chunks

if TYPE_CHECKING:
    from suno_wav_cli.models import SongTags

_LONG_FORMS = (b"RF64", b"BW64")
_DS64_BYTES = 28
_MOST_CHUNKS = 10_000
"""A real file has a handful; a hostile one of empty chunks keeps the reader busy for minutes."""

_NAME = re.compile(rb"[ -~]{4}")

_LARGEST_RIFF = IN_DS64 - 1
"""The largest size in its header. One more means that it is not known."""

_SIZE_BEFORE = CHUNK_HEADER
"""How much of a file its RIFF size does not count."""


@dataclass(frozen=True, kw_only=True)
class _Place:
    """`start` is where tags go, and all that stays ends. `old` are tags before that, and `ds64` where a long size is."""

    start: int
    old: tuple[Chunk, ...]
    ds64: int | None


def write_tags(file: BinaryIO, tags: SongTags) -> None:
    """Put tags into a RIFF, RF64 or BW64 that is open for reading and writing, in place of those that are there.

    A second time changes nothing. Where there is nothing to say, nothing is done. The chunks come first and then the
    header that counts them, so that a file that is left halfway says less than it has.

    Raises TagsNotWritten, and has then changed nothing; OSError where the disk fails.
    """
    chunks = tag_chunks(tags)
    if not chunks:
        return
    place = _place(file)
    end = place.start + len(chunks)
    if place.ds64 is None and end - _SIZE_BEFORE > _LARGEST_RIFF:
        raise _not_written("with them it would be larger than a WAV can be")
    _pad(file, place.start)
    _write_size(file, place, place.start)
    file.seek(place.start)
    _write(file, chunks)
    file.truncate()
    # Out of the buffer before the header tells of it.
    file.flush()
    _write_size(file, place, end)
    for chunk in place.old:
        # Filler, which every reader skips: to take it out would move the audio.
        file.seek(chunk.start - CHUNK_HEADER)
        _write(file, b"JUNK")
    file.flush()


def _place(file: BinaryIO) -> _Place:
    length = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(RIFF_HEADER)
    form = head[:4]
    if form not in (b"RIFF", *_LONG_FORMS) or head[8:] != b"WAVE":
        raise _not_written("it is not a WAV")
    chunks = _chunks(file, length)
    if not any(chunk.name == b"data" for chunk in chunks):
        raise _not_written("it has no audio among its first chunks")
    last = chunks[-1]
    # A header that was written for a pipe gives its audio no end; and what stands behind a file's end is no chunk.
    if not last.start + last.size <= length <= last.stop or not all(
        _NAME.fullmatch(one.name) for one in chunks
    ):
        raise _not_written("its chunks do not add up to its length")
    ds64 = None
    if form in _LONG_FORMS:
        if chunks[0].name != b"ds64" or chunks[0].size < _DS64_BYTES:
            raise _not_written("its ds64 chunk is missing")
        ds64 = chunks[0].start
    while _is_tag(chunks[-1], file):
        chunks.pop()
    return _Place(
        start=chunks[-1].stop, old=tuple(chunk for chunk in chunks if _is_tag(chunk, file)), ds64=ds64
    )


def _chunks(file: BinaryIO, length: int) -> list[Chunk]:
    """List the chunks up to the one that reaches the file's end: the next could be further away than a file can be."""
    chunks = []
    for chunk in islice(read_chunks(file), _MOST_CHUNKS):
        chunks.append(chunk)
        if chunk.stop >= length:
            break
    return chunks


def _is_tag(chunk: Chunk, file: BinaryIO) -> bool:
    if chunk.name != b"LIST":
        return chunk.name in (b"id3 ", b"ID3 ", b"CSET")
    file.seek(chunk.start)
    return chunk.size >= 4 and file.read(4) == b"INFO"


def _pad(file: BinaryIO, end: int) -> None:
    """Write the byte that a last chunk of odd length should have behind it."""
    if file.seek(0, os.SEEK_END) < end:
        _write(file, b"\0")


def _write_size(file: BinaryIO, place: _Place, end: int) -> None:
    size = end - _SIZE_BEFORE
    if place.ds64 is not None:
        file.seek(place.ds64)
        _write(file, struct.pack("<Q", size))
        size = IN_DS64
    file.seek(4)
    _write(file, struct.pack("<I", size))


def _write(file: BinaryIO, content: bytes) -> None:
    """Write all of it: on a disk that is nearly full an unbuffered file takes a part, and raises at the next try only."""
    while content:
        content = content[file.write(content) :]


def _not_written(why: str) -> TagsNotWritten:
    return TagsNotWritten(
        f"the file takes no tags: {why}", "It is whole without them; another tagger may help."
    )
