"""Tags as a file has them: RIFF's own (`LIST` of the kind `INFO`) and ID3 (the chunk `id3 `)."""

from __future__ import annotations

import re
import struct
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO

from suno_wav_cli.models import Tag
from suno_wav_cli.wav.chunks import CHUNK_HEADER
from suno_wav_cli.wav.id3 import read_frames, small_tag

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from suno_wav_cli.wav.chunks import Chunk

_LARGEST_INFO = 1 << 20
_LARGEST_ID3 = 1 << 24
_TAG_CHUNKS = (b"LIST", b"id3 ", b"ID3 ")
_MOST = 200
"""Tags: a hostile file is full of them."""

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
    """Read the tags that these chunks hold, and what there is to remark: "has …".

    Raises OSError.
    """
    tags: list[Tag] = []
    remarks: list[str] = []
    chunks = [chunk for chunk in chunks if chunk.name in _TAG_CHUNKS]
    if not chunks:
        return (), ()
    # A hostile file is full of ID3 too, and one that is not has one.
    first = {chunk.name: chunk for chunk in reversed(chunks)}
    with path.open("rb") as file:
        for chunk in chunks:
            if len(tags) >= _MOST:
                break
            if chunk.name == b"LIST":
                tags += _info(_content(file, chunk, _LARGEST_INFO))
            elif chunk is first[chunk.name]:
                found = _id3(_content(file, chunk, _LARGEST_ID3))
                if isinstance(found, str):
                    remarks.append(found)
                else:
                    tags += found
    return tuple(tags[:_MOST]), tuple(remarks)


def _content(file: BinaryIO, chunk: Chunk, most: int) -> bytes:
    file.seek(chunk.start)
    return file.read(min(chunk.size, most))


def _info(content: bytes) -> Iterator[Tag]:
    position = 4 if content.startswith(b"INFO") else len(content)
    while position + CHUNK_HEADER <= len(content):
        name, size = struct.unpack_from("<4sI", content, position)
        key = name.decode("latin-1").strip()
        text = _text(content[position + CHUNK_HEADER : position + CHUNK_HEADER + size])
        if text:
            yield Tag(name=_INFO_NAMES.get(key, key), key=key, value=text)
        position += CHUNK_HEADER + size + size % 2


def _text(content: bytes) -> str:
    """Read what is UTF-8 today, and was Windows' code page for the most part before."""
    content = content.partition(b"\0")[0]
    try:
        return content.decode().strip()
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace").strip()


def _id3(content: bytes) -> list[Tag] | str:
    try:
        from mutagen import MutagenError, id3
    except ImportError:
        return "has ID3 tags, which the extra `tags` reads: pip install 'suno-wav-cli[tags]'"
    found = read_frames(content, _FRAMES)
    if found is None:
        return _NOT_READABLE
    if found.compressed:
        # A thousand times the size may be in there.
        return "has compressed ID3 tags, which are not read"
    pictures = [frame.content for frame in found.frames if frame.name == _PICTURE]
    tag = small_tag([frame for frame in found.frames if frame.name != _PICTURE])
    if tag is None:
        return _NOT_READABLE
    try:
        # Whole frames only: what others hold is left alone.
        known = {key: getattr(id3, key) for key in _ID3_NAMES}
        frames = id3.ID3(BytesIO(tag), known_frames=known, load_v1=False)
    except (MutagenError, ValueError, EOFError, struct.error, OverflowError):
        return _NOT_READABLE
    tags = [
        Tag(name=_ID3_NAMES.get(frame.FrameID, frame.FrameID), key=frame.FrameID, value=text)
        for frame in frames.values()
        if (text := _frame_text(frame))
    ]
    return tags + [
        Tag(name="cover", key="APIC", value=about)
        for picture in pictures
        if (about := _about_picture(picture))
    ]


def _frame_text(frame: object) -> str:
    text = getattr(frame, "text", "")
    return ("; ".join(map(str, text)) if isinstance(text, list) else str(text)).strip()


def _about_picture(content: bytes) -> str | None:
    start = _PICTURE_START.match(content[:_BEFORE_A_PICTURE])
    if start is None:
        return None
    media_type = (start[1] or start[2] or b"").decode("latin-1")
    return f"{media_type or 'a picture'}, {len(content) - start.end():,} bytes"
