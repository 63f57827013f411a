"""Write tags into a WAV, after its last chunk, so that no byte of the audio moves.

A song's tags are a `LIST/INFO` chunk for DAWs and Windows, and an `id3 ` chunk for players. Many
programs read only one of the two, so both hold all that they can.
"""

from __future__ import annotations

import io
import os
import re
import struct
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO

from suno_wav_cli.errors import TagsNotWritten, UsageError
from suno_wav_cli.system.installation import how_to_install_extra
from suno_wav_cli.system.shell_words import say_how
from suno_wav_cli.wav.riff import CHUNK_HEADER, IN_DS64, LONG_FORMS, RIFF_HEADER, Chunk, read_chunks

if TYPE_CHECKING:
    from suno_wav_cli.models import Cover, SongTags

_DS64_BYTES = 28
_MOST_CHUNKS = 10_000
"""A real file has a handful. A hostile one of empty chunks would take minutes."""

_LARGEST_RIFF = IN_DS64 - 1
"""The largest size in a header. One more means that the size is elsewhere."""

_SIZE_BEFORE = CHUNK_HEADER
"""Bytes of a file that its RIFF size does not count."""

_DIRECTION_MARKS = re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""They turn around what a program shows beside a title. Lyrics of several lines keep theirs."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""A null ends a text in both chunks, and a lone surrogate has no bytes."""
_CONTROL_IN_LYRICS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_LINE_ENDS = re.compile(r"\r\n?|[\x85\u2028\u2029]")

_IN_UTF_8 = struct.pack("<4sIHHHH", b"CSET", 8, 65001, 0, 0, 0)
"""RIFF's way to say that texts are UTF-8, because by the standard they are ISO 8859-1.

ffmpeg (which prefers INFO to ID3) and TagLib expect UTF-8 in any case, exiftool if this says so.
Windows Explorer decodes every text by its own code page. So no encoding suits all programs, but
this one suits most and has every character.
"""

_NUMBER_IN_PARENTHESES = re.compile(r"\((\d+|RX|CR)\)")
_NUMBER_AFTER_SLASH = re.compile(r"/(?=(?:\d+|RX|CR)(?:/|\Z))")
_GENRE_CODES = ("RX", "CR")
"""A remix and a cover in ID3v2, beside the numbers of ID3v1's list of genres."""

_LATIN_1, _UTF_16 = 0, 1
_FRONT_COVER = 3


def check_tagging_possible() -> None:
    """Raise UsageError if the library that writes ID3 tags is not installed."""
    from importlib.util import find_spec

    if find_spec("mutagen") is None:
        raise UsageError(
            "--tag needs a package that is not installed",
            say_how("Install it", *how_to_install_extra("tags")),
        )


@dataclass(frozen=True, kw_only=True)
class _Slot:
    """Where tags go: at `start`, the end of all that stays.

    `old` are tags before it, and `ds64` is the offset of a long size.
    """

    start: int
    old: tuple[Chunk, ...]
    ds64: int | None


def write_tags(file: BinaryIO, tags: SongTags) -> None:
    """Replace the tags of a RIFF, RF64 or BW64 that is open for reading and writing.

    Without any tags the file stays as it is. The chunks are written before the header that counts
    them, so that an interrupted file states less than it has.

    Raise TagsNotWritten, without a change to the file, and OSError.
    """
    chunks = _make_chunks(tags)
    if not chunks:
        return
    slot = _find_slot(file)
    end = slot.start + len(chunks)
    if slot.ds64 is None and end - _SIZE_BEFORE > _LARGEST_RIFF:
        raise _not_written("with them it would be larger than a WAV can be")
    _pad(file, slot.start)
    _write_size(file, slot, slot.start)
    file.seek(slot.start)
    _write(file, chunks)
    file.truncate()
    # Leave the buffer before the header counts them.
    file.flush()
    _write_size(file, slot, end)
    for chunk in slot.old:
        # Filler, which every reader skips. Removing it would move the audio.
        file.seek(chunk.start - CHUNK_HEADER)
        _write(file, b"JUNK")
    file.flush()


def _find_slot(file: BinaryIO) -> _Slot:
    length = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(RIFF_HEADER)
    form = head[:4]
    if form.startswith(b"ID3"):
        raise _not_written("it begins with an ID3 tag, before its header")
    if form not in (b"RIFF", *LONG_FORMS) or head[8:] != b"WAVE":
        raise _not_written("it is not a WAV")
    chunks = _list_chunks(file, length)
    if not any(chunk.name == b"data" for chunk in chunks):
        raise _not_written("it has no audio among its first chunks")
    last = chunks[-1]
    # A header written to a pipe gives its audio no end, and bytes after the file's end are not a chunk.
    if not last.end <= length <= last.stop or not all(chunk.has_name for chunk in chunks):
        raise _not_written("its chunks do not add up to its length")
    ds64 = None
    if form in LONG_FORMS:
        if chunks[0].name != b"ds64" or chunks[0].size < _DS64_BYTES:
            raise _not_written("its ds64 chunk is missing")
        ds64 = chunks[0].start
    while _is_tag(chunks[-1], file):
        chunks.pop()
    return _Slot(
        start=chunks[-1].stop, old=tuple(chunk for chunk in chunks if _is_tag(chunk, file)), ds64=ds64
    )


def _list_chunks(file: BinaryIO, length: int) -> list[Chunk]:
    """List the chunks up to the file's end. A hostile size may point beyond any possible file."""
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
    """Write the padding byte that the last chunk may lack."""
    if file.seek(0, os.SEEK_END) < end:
        _write(file, b"\0")


def _write_size(file: BinaryIO, slot: _Slot, end: int) -> None:
    size = end - _SIZE_BEFORE
    if slot.ds64 is not None:
        file.seek(slot.ds64)
        _write(file, struct.pack("<Q", size))
        size = IN_DS64
    file.seek(4)
    _write(file, struct.pack("<I", size))


def _write(file: BinaryIO, content: bytes) -> None:
    """Write all of it: on a nearly full disk an unbuffered file takes a part, then fails."""
    while content:
        content = content[file.write(content) :]


def _not_written(why: str) -> TagsNotWritten:
    return TagsNotWritten(
        f"the file takes no tags: {why}", "It is whole without them; another tagger may help."
    )


# The chunks


def _make_chunks(tags: SongTags) -> bytes:
    """Return the chunks in a row, each padded to an even length. Empty if there are no tags."""
    title, style = _clean_line(tags.title), _disguise_number(_clean_line(tags.style))
    lyrics = _clean_lines(tags.lyrics)
    # INFO has no name for lyrics, and most programs show the comment.
    named = [(name, text) for name, text in ((b"INAM", title), (b"IGNR", style), (b"ICMT", lyrics)) if text]
    chunks = b"" if all(text.isascii() for _, text in named) else _IN_UTF_8
    if named:
        info = b"".join(_make_chunk(name, text.encode() + b"\0") for name, text in named)
        chunks += _make_chunk(b"LIST", b"INFO" + info)
    if named or tags.cover:
        chunks += _make_chunk(b"id3 ", _make_id3(title, style, lyrics, tags.cover))
    return chunks


def _make_id3(title: str, style: str, lyrics: str, cover: Cover | None) -> bytes:
    """Return an ID3v2.3 tag in UTF-16.

    Windows and many players do not read version 2.4, and 2.3 has no UTF-8.
    """
    from mutagen import id3

    made = id3.ID3()
    if title:
        made.add(id3.TIT2(encoding=_UTF_16, text=title))
    if style:
        made.add(id3.TCON(encoding=_UTF_16, text=style))
    if lyrics:
        made.add(id3.USLT(encoding=_UTF_16, lang="und", desc="", text=lyrics))
    if cover:
        about = {"mime": cover.media_type, "type": _FRONT_COVER, "desc": ""}
        made.add(id3.APIC(encoding=_LATIN_1, **about, data=cover.content))
    file = io.BytesIO()
    made.save(file, v2_version=3, padding=lambda _: 0)
    return file.getvalue()


def _clean_line(text: str | None) -> str:
    return " ".join(_DIRECTION_MARKS.sub("", _CONTROL.sub(" ", text or "")).split())


def _disguise_number(style: str) -> str:
    """Make a style that no reader takes for a number in ID3v1's list of genres.

    "17" and "(17)" are Rock to all of them, "80s pop" is Folk to ffmpeg, and exiftool finds a number
    in parentheses, or after a slash, anywhere. What begins with another parenthesis, TagLib cuts off.
    """
    style = _NUMBER_AFTER_SLASH.sub("/ ", _NUMBER_IN_PARENTHESES.sub(r"[\1]", style))
    first = style.lstrip("+-")[:1]
    return f'"{style}"' if first.isdigit() or first == "(" or style in _GENRE_CODES else style


def _clean_lines(text: str | None) -> str:
    return _CONTROL_IN_LYRICS.sub("", _LINE_ENDS.sub("\n", text or "")).strip()


def _make_chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack("<4sI", name, len(content)) + content + b"\0" * (len(content) % 2)
