"""Read the tags of a WAV: RIFF's own (`LIST` of kind `INFO`) and ID3 (the chunk `id3 `)."""

from __future__ import annotations

import re
import struct
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO

from suno_wav_cli.models import Tag
from suno_wav_cli.system.installation import how_to_install_extra
from suno_wav_cli.system.shell_words import say_how
from suno_wav_cli.wav.id3 import read_frames, small_tag
from suno_wav_cli.wav.riff import CHUNK_HEADER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from suno_wav_cli.wav.riff import Chunk

_LARGEST_INFO = 1 << 20
_LARGEST_ID3 = 1 << 24
_TAG_CHUNKS = (b"LIST", b"id3 ", b"ID3 ")
_MOST = 200
"""Tags that are read. A hostile file is full of them."""

_INFO_NAMES = {
    "INAM": "title",
    "IART": "artist",
    "IPRD": "album",
    "IGNR": "genre",
    "ICMT": "comment",
    "ICRD": "date",
    "ICOP": "copyright",
    "IKEY": "keywords",
    "ISFT": "software",
    "ITRK": "track",
    "IPRT": "track",
    "ILYR": "lyrics",
}
_ID3_NAMES = {
    "TIT2": "title",
    "TPE1": "artist",
    "TALB": "album",
    "TCON": "genre",
    "COMM": "comment",
    "TDRC": "date",
    "TYER": "date",
    "TCOP": "copyright",
    "TRCK": "track",
    "TSSE": "software",
    "TXXX": "other",
    "USLT": "lyrics",
    "APIC": "cover",
}
_PICTURE = b"APIC"
_FRAMES = frozenset(name.encode() for name in _ID3_NAMES)
_BEFORE_A_PICTURE = 1 << 16
_PICTURE_START = re.compile(rb"[\0\3]([^\0]*)\0.[^\0]*\0|[\1\2]([^\0]*)\0.(?:(?!\0\0)..)*\0\0", re.DOTALL)
"""Encoding, media type, kind and a description in that encoding (ID3v2.3, 4.15)."""

_NOT_READABLE = "has ID3 tags, which cannot be read"


def read_tags(path: Path, chunks: Sequence[Chunk]) -> tuple[tuple[Tag, ...], tuple[str, ...]]:
    """Return the tags in these chunks, and remarks that complete "it …". Raise OSError."""
    tags: list[Tag] = []
    remarks: list[str] = []
    chunks = [chunk for chunk in chunks if chunk.name in _TAG_CHUNKS]
    if not chunks:
        return (), ()
    # A real file has one ID3 chunk of a kind. A hostile file is full of them.
    first = {chunk.name: chunk for chunk in reversed(chunks)}
    with path.open("rb") as file:
        for chunk in chunks:
            if len(tags) >= _MOST:
                break
            if chunk.name == b"LIST":
                tags += _read_info(_read_content(file, chunk, _LARGEST_INFO))
            elif chunk is first[chunk.name]:
                found = _read_id3(_read_content(file, chunk, _LARGEST_ID3))
                if isinstance(found, str):
                    remarks.append(found)
                else:
                    tags += found
    return tuple(tags[:_MOST]), tuple(remarks)


def _read_content(file: BinaryIO, chunk: Chunk, most: int) -> bytes:
    file.seek(chunk.start)
    return file.read(min(chunk.size, most))


def _read_info(content: bytes) -> Iterator[Tag]:
    position = 4 if content.startswith(b"INFO") else len(content)
    while position + CHUNK_HEADER <= len(content):
        name, size = struct.unpack_from("<4sI", content, position)
        key = name.decode("latin-1").strip()
        text = _decode_text(content[position + CHUNK_HEADER : position + CHUNK_HEADER + size])
        if text:
            yield Tag(name=_INFO_NAMES.get(key, key), key=key, value=text)
        position += CHUNK_HEADER + size + size % 2


def _decode_text(content: bytes) -> str:
    """Decode UTF-8, or else the Windows code page that most older programs wrote."""
    content = content.partition(b"\0")[0]
    try:
        return content.decode().strip()
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace").strip()


def _read_id3(content: bytes) -> list[Tag] | str:
    try:
        from mutagen import MutagenError, id3
    except ImportError:
        return say_how("has ID3 tags, which the extra `tags` reads", *how_to_install_extra("tags"))
    found = read_frames(content, _FRAMES)
    if found is None:
        return _NOT_READABLE
    if found.compressed:
        # They may expand to a thousand times their size.
        return "has compressed ID3 tags, which are not read"
    pictures = [frame.content for frame in found.frames if frame.name == _PICTURE]
    tag = small_tag([frame for frame in found.frames if frame.name != _PICTURE])
    if tag is None:
        return _NOT_READABLE
    try:
        # Known frames only: mutagen leaves the content of others alone.
        known = {key: getattr(id3, key) for key in _ID3_NAMES}
        frames = id3.ID3(BytesIO(tag), known_frames=known, load_v1=False)
    except (MutagenError, ValueError, EOFError, struct.error, OverflowError):
        return _NOT_READABLE
    tags = [
        Tag(name=_ID3_NAMES.get(frame.FrameID, frame.FrameID), key=frame.FrameID, value=text)
        for frame in frames.values()
        if (text := _join_texts(frame))
    ]
    return tags + [
        Tag(name="cover", key="APIC", value=about)
        for picture in pictures
        if (about := _describe_picture(picture))
    ]


def _join_texts(frame: object) -> str:
    text = getattr(frame, "text", "")
    return ("; ".join(map(str, text)) if isinstance(text, list) else str(text)).strip()


def _describe_picture(content: bytes) -> str | None:
    start = _PICTURE_START.match(content[:_BEFORE_A_PICTURE])
    if start is None:
        return None
    media_type = (start[1] or start[2] or b"").decode("latin-1")
    return f"{media_type or 'a picture'}, {len(content) - start.end():,} bytes"
