"""The chunks of a RIFF file."""

from __future__ import annotations

import os
import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator

LONG_FORMS = (b"RF64", b"BW64")
"""RIFF with sizes of 64 bits, in its chunk `ds64`. In a plain RIFF that chunk means nothing."""

RIFF_HEADER = 12
CHUNK_HEADER = 8
IN_DS64 = 0xFFFFFFFF
"""Stands for a size of more than 32 bits, which is in the chunk `ds64`."""

_NAME = re.compile(rb"[ -~]{4}")

_ID3_HEADER = 10
_ID3_FOOTER = 0x10
_MOST_ID3 = 8
"""Tags before the header. Programs that add one leave an older one where it is."""


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """`start` is the offset of the content in the file, `size` the stated length of the content."""

    name: bytes
    start: int
    size: int

    @property
    def end(self) -> int:
        """The end of the content."""
        return self.start + self.size

    @property
    def stop(self) -> int:
        """The start of the next chunk: chunks are padded to an even length."""
        return self.end + self.size % 2

    @property
    def has_name(self) -> bool:
        """Whether the name consists of printable characters. Bytes that are not a chunk rarely do."""
        return _NAME.fullmatch(self.name) is not None


def find_header(file: BinaryIO) -> int:
    """Return the offset of what follows the ID3v2 tags at the file's beginning, 0 without any."""
    position = 0
    for _ in range(_MOST_ID3):
        file.seek(position)
        head = file.read(_ID3_HEADER)
        if len(head) < _ID3_HEADER or head[:3] != b"ID3" or max(head[6:]) > 0x7F:
            break
        size = 0
        for byte in head[6:]:
            size = size << 7 | byte
        position += _ID3_HEADER + size + (_ID3_HEADER if head[5] & _ID3_FOOTER else 0)
    return position


def read_chunks(file: BinaryIO, header: int = 0) -> Iterator[Chunk]:
    """Yield the chunks of the RIFF at offset `header`. Only their headers are read.

    In RF64 and BW64, a `data` chunk whose size is in `ds64` gets that size. The caller must bound
    how many chunks it takes, because a hostile file consists of empty ones.
    """
    long_data_size: int | None = None
    file.seek(header)
    is_long = file.read(4) in LONG_FORMS
    position = header + RIFF_HEADER
    # A size in ds64 may point beyond the end of any possible file.
    length = file.seek(0, os.SEEK_END)
    while position + CHUNK_HEADER <= length:
        file.seek(position)
        content = file.read(CHUNK_HEADER)
        if len(content) < CHUNK_HEADER:
            return
        name, size = struct.unpack("<4sI", content)
        if name == b"data" and size == IN_DS64 and long_data_size is not None:
            size = long_data_size
        chunk = Chunk(name=name, start=position + CHUNK_HEADER, size=size)
        if name == b"ds64" and is_long:
            long_data_size = _read_data_size(file.read(min(size, 28)))
        yield chunk
        position = chunk.stop


def read_outer_size(file: BinaryIO, header: int, first: Chunk) -> int:
    """Return the size that the RIFF at offset `header` states for itself, by `ds64` if it is there."""
    file.seek(header)
    form, size = struct.unpack("<4sI", file.read(CHUNK_HEADER))
    if size == IN_DS64 and form in LONG_FORMS and first.name == b"ds64":
        file.seek(first.start)
        content = file.read(8)
        if len(content) == 8:
            (size,) = struct.unpack("<Q", content)
    return int(size)


def _read_data_size(content: bytes) -> int | None:
    if len(content) < 16:
        return None
    size: int = struct.unpack_from("<Q", content, 8)[0]
    return size
