"""A file as its chunk headers describe it, whole or not."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO

from suno_wav_cli.models import WavFormat
from suno_wav_cli.wav.chunks import IN_DS64, RIFF_HEADER, Chunk, read_chunks
from suno_wav_cli.wav.completeness import Extent, measure
from suno_wav_cli.wav.fmt_chunk import LONGEST_LAYOUT, Layout, NotAWav, read_layout
from suno_wav_cli.wav.sniff import what_else

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_CONTAINERS = (b"RIFF", b"RF64", b"BW64")
_MOST_CHUNKS = 10_000
"""A real file has a handful; without a bound a hostile one of empty chunks keeps the reader busy for minutes."""


@dataclass(frozen=True, kw_only=True)
class Structure:
    """`format.data_bytes` is the audio that is there; `promised` what the header says, None where it says nothing.

    `missing` is how many bytes the file ends early. `remarks` complete the sentence "it …": what is unusual, and no harm.
    """

    container: str
    format: WavFormat
    promised: int | None
    missing: int
    remarks: tuple[str, ...]
    chunks: tuple[Chunk, ...]

    @property
    def flaw(self) -> str | None:
        """Completes the sentence "it is not a whole WAV: …"."""
        if not self.missing:
            return None
        present, promised = self.format.data_bytes, self.promised
        if promised is not None and present < promised:
            return f"it ends early: {present:,} of {promised:,} bytes of audio are there"
        return f"it ends early: {self.missing:,} bytes behind its audio are missing"


def read_structure(path: Path) -> Structure:
    """Read the headers of all chunks. Raises NotAWav where there is no audio to be found, OSError where no file."""
    with path.open("rb") as file:
        length = file.seek(0, os.SEEK_END)
        file.seek(0)
        head = file.read(RIFF_HEADER)
        if head[:4] not in _CONTAINERS or not b"WAVE".startswith(head[8:]):
            raise NotAWav(f"it is {what_else(file, length)}, not a WAV")
        if len(head) < RIFF_HEADER:
            raise NotAWav("it ends before its audio begins")
        chunks = tuple(islice(read_chunks(file), _MOST_CHUNKS))
        audio = next((chunk for chunk in chunks if chunk.name == b"data"), None)
        layout = _layout_before(audio, chunks, file)
        if audio is None:
            if len(chunks) == _MOST_CHUNKS:
                raise NotAWav("it has no audio among its first chunks")
            raise NotAWav("it ends before its audio begins")
        if layout is None:
            raise NotAWav("its audio comes without a format")
        if layout.coded_byte_rate == 0:
            layout = replace(layout, coded_byte_rate=_byte_rate_of_fact(layout, audio, chunks, file))
        outer = _outer_size(head, chunks, file)
    extent = measure(audio, chunks, frame=layout.frame_bytes or 1, outer=outer, length=length)
    return Structure(
        container=head[:4].decode(),
        format=WavFormat(
            encoding=layout.encoding,
            sample_rate=layout.sample_rate,
            bits=layout.bits,
            channels=layout.channels,
            data_bytes=extent.present,
            data_start=audio.start,
            valid_bits=layout.valid_bits,
            coded_byte_rate=layout.coded_byte_rate,
        ),
        promised=extent.promised,
        missing=extent.missing,
        remarks=tuple(_remarks(layout, extent)),
        chunks=chunks,
    )


def _layout_before(audio: Chunk | None, chunks: Sequence[Chunk], file: BinaryIO) -> Layout | None:
    for chunk in chunks:
        if chunk is audio:
            break
        if chunk.name == b"fmt ":
            file.seek(chunk.start)
            return read_layout(file.read(min(chunk.size, LONGEST_LAYOUT)))
    return None


def _byte_rate_of_fact(layout: Layout, audio: Chunk, chunks: Sequence[Chunk], file: BinaryIO) -> float:
    """Take the number of samples from the chunk `fact`: ffmpeg tells no byte rate of an MP3."""
    for chunk in chunks:
        if chunk.name == b"fact":
            file.seek(chunk.start)
            samples = int.from_bytes(file.read(4), "little")
            if samples and audio.size:
                return audio.size * layout.sample_rate / samples
    raise NotAWav(f"its format makes no sense ({layout.encoding} without a byte rate)")


def _outer_size(head: bytes, chunks: Sequence[Chunk], file: BinaryIO) -> int:
    """Give the size of the whole as its header tells it, which in RF64 may be in `ds64`."""
    size: int = struct.unpack_from("<I", head, 4)[0]
    if size == IN_DS64 and chunks[0].name == b"ds64":
        file.seek(chunks[0].start)
        content = file.read(8)
        if len(content) == 8:
            (size,) = struct.unpack("<Q", content)
    return size


def _remarks(layout: Layout, extent: Extent) -> Iterator[str]:
    yield from extent.remarks
    if layout.odd_byte_rate is not None:
        yield f"tells a wrong byte rate, {layout.odd_byte_rate:,}"
    if layout.coded_byte_rate is not None:
        yield f"holds {layout.encoding} in place of PCM"
    elif extent.promised is not None and extent.promised % layout.frame_bytes:
        yield "ends within a frame"
