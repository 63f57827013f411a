"""The chunks of a RIFF file."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator

RIFF_HEADER = 12
CHUNK_HEADER = 8
IN_DS64 = 0xFFFFFFFF
"""Stands for a size of more than 32 bits, which is in the chunk `ds64`."""


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """`start` is the offset of the content in the file, `size` the stated length of the content."""

    name: bytes
    start: int
    size: int

    @property
    def stop(self) -> int:
        """The start of the next chunk: chunks are padded to an even length."""
        return self.start + self.size + self.size % 2


def read_chunks(file: BinaryIO) -> Iterator[Chunk]:
    """Yield the chunks up to the end of the file. Only their headers are read.

    A `data` chunk whose size is in `ds64` gets that size. The caller must bound how many chunks it
    takes, because a hostile file consists of empty ones.
    """
    long_data_size: int | None = None
    position = RIFF_HEADER
    # A size in ds64 may point beyond the end of any possible file.
    length = file.seek(0, os.SEEK_END)
    while position + CHUNK_HEADER <= length:
        file.seek(position)
        header = file.read(CHUNK_HEADER)
        if len(header) < CHUNK_HEADER:
            return
        name, size = struct.unpack("<4sI", header)
        if name == b"data" and size == IN_DS64 and long_data_size is not None:
            size = long_data_size
        chunk = Chunk(name=name, start=position + CHUNK_HEADER, size=size)
        if name == b"ds64":
            long_data_size = _read_data_size(file.read(min(size, 28)))
        yield chunk
        position = chunk.stop


def _read_data_size(content: bytes) -> int | None:
    if len(content) < 16:
        return None
    size: int = struct.unpack_from("<Q", content, 8)[0]
    return size
