"""Find the frames of an ID3v2 tag before a library reads them.

The library's time grows with the square of some tags. Every step here is bounded by the length of
the content, or by `_MOST`.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_HEADER = 10
"""Bytes, of a tag and of a frame."""

_MOST = 500
"""Frames of a tag, and texts in all of them: the library compares and copies them all."""
_LONGEST_TEXTS = 1 << 18
"""Bytes of a tag's texts: enough for lyrics of 100,000 letters. Pictures do not count."""

_PLAIN, _SYNCSAFE = 8, 7
"""Bits in each byte of a size."""

_UNSYNCHRONISED = 0x80
_EXTENDED = 0x40
_UNDEFINED = {3: 0x1F, 4: 0x0F}
_UNSAFE = re.compile(rb"\xff(?:[\xe0-\xff]|\Z)")
"""What unsynchronised bytes never contain. Some programs only claim to unsynchronise."""

_WITH_LENGTH_4, _UNSYNCHRONISED_4 = 0x01, 0x02
_COMPRESSED = {3: 0x80, 4: 0x08}
_ENCRYPTED = {3: 0x40, 4: 0x04}


@dataclass(frozen=True, kw_only=True)
class Frame:
    """`flags` is the second byte of the flags. `whole` is False if the content is cut short."""

    name: bytes
    flags: int
    content: bytes
    whole: bool


@dataclass(frozen=True, kw_only=True)
class Frames:
    """The frames of an ID3 tag that have the wanted names, without encrypted ones."""

    compressed: bool
    frames: Sequence[Frame]


def read_frames(content: bytes, names: Collection[bytes]) -> Frames | None:
    """Return the frames with these names of an ID3v2.3 or ID3v2.4 tag.

    None if it is not such a tag, or has too many frames.
    """
    if len(content) < _HEADER:
        return None
    start, version, _, flags, size = struct.unpack_from(">3sBBB4s", content)
    length = _read_number(size, _SYNCSAFE)
    if start != b"ID3" or version not in _UNDEFINED or flags & _UNDEFINED[version] or max(size) > 0x7F:
        return None
    body = content[_HEADER : _HEADER + length]
    if len(body) < length:
        return None
    if version == 3 and flags & _UNSYNCHRONISED:
        body = _resynchronise(body)
    if flags & _EXTENDED:
        extension = _measure_extended_header(body, version)
        if extension > len(body):
            return None
        body = body[extension:]
    readings = [_split_frames(body, _PLAIN)]
    if version == 4:
        # By the standard, and as iTunes once wrote it.
        readings.insert(0, _split_frames(body, _SYNCSAFE))
    found = max(
        readings, key=lambda frames: (_count_known(frames, names), all(frame.whole for frame in frames))
    )
    if len(found) > _MOST:
        return None
    wanted = [frame for frame in found if frame.name in names and frame.content]
    return Frames(
        compressed=any(frame.flags & _COMPRESSED[version] for frame in wanted),
        frames=[
            frame if version == 3 else _decode_frame(frame, unsynchronised=bool(flags & _UNSYNCHRONISED))
            for frame in wanted
            if not frame.flags & _ENCRYPTED[version]
        ],
    )


def small_tag(frames: Sequence[Frame]) -> bytes | None:
    """Make a plain ID3v2.3 tag of these texts, which any reader reads alike and fast.

    None if they are too many.
    """
    if sum(len(frame.content) for frame in frames) > _LONGEST_TEXTS or sum(map(_count_texts, frames)) > _MOST:
        return None
    body = b"".join(
        struct.pack(">4sIH", frame.name, len(frame.content), 0) + frame.content for frame in frames
    )
    size = bytes(len(body) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x03\0\0" + size + body


def _count_texts(frame: Frame) -> int:
    # A text may be padded with nulls, and one in UTF-16 is full of single ones.
    null = b"\0\0" if frame.content[:1] in (b"\1", b"\2") else b"\0"
    return 1 + frame.content[1:].rstrip(b"\0").count(null)


def _read_number(size: bytes, bits: int) -> int:
    number = 0
    for byte in size:
        number = number << bits | byte & (1 << bits) - 1
    return number


def _resynchronise(content: bytes) -> bytes:
    return content if _UNSAFE.search(content) else content.replace(b"\xff\x00", b"\xff")


def _measure_extended_header(body: bytes, version: int) -> int:
    """Return the length of the extended header, which some programs announce but do not write."""
    size = body[:4]
    if size.isalnum() and size.isupper():
        return 0
    return _read_number(size, _SYNCSAFE) if version == 4 else 4 + _read_number(size, _PLAIN)


def _split_frames(body: bytes, bits: int) -> list[Frame]:
    frames: list[Frame] = []
    position = 0
    while position + _HEADER <= len(body) and len(frames) <= _MOST:
        name, size, _, flags = struct.unpack_from(">4s4sBB", body, position)
        if not any(name):
            break
        start = position + _HEADER
        position = start + _read_number(size, bits)
        frames.append(
            Frame(name=name, flags=flags, content=body[start:position], whole=position <= len(body))
        )
    return frames


def _count_known(frames: Sequence[Frame], names: Collection[bytes]) -> int:
    return sum(frame.name in names for frame in frames)


def _decode_frame(frame: Frame, *, unsynchronised: bool) -> Frame:
    """Undo what ID3v2.4, unlike ID3v2.3, may do to each frame."""
    content = frame.content
    if frame.flags & _WITH_LENGTH_4:
        content = content[4:]
    if unsynchronised or frame.flags & _UNSYNCHRONISED_4:
        content = _resynchronise(content)
    return Frame(name=frame.name, flags=0, content=content, whole=frame.whole)
