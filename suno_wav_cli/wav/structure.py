"""A WAV as its chunk headers describe it, whole or not."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO

from suno_wav_cli.errors import NotAWholeWav
from suno_wav_cli.models import WavFormat
from suno_wav_cli.wav.completeness import Completeness, check_completeness
from suno_wav_cli.wav.fmt_chunk import LONGEST_FMT, FmtChunk, NotAWav, read_fmt
from suno_wav_cli.wav.riff import IN_DS64, RIFF_HEADER, Chunk, read_chunks
from suno_wav_cli.wav.sniff import name_content

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_CONTAINERS = (b"RIFF", b"RF64", b"BW64")
_MOST_CHUNKS = 10_000
"""A real file has a handful. A hostile one of empty chunks would take minutes."""


@dataclass(frozen=True, kw_only=True)
class Structure:
    """What the headers of a file say.

    `format.data_bytes` is the audio that is present, `promised` what the header states, None if it
    states nothing. `missing` is how many bytes the file ends early. `remarks` complete the sentence
    "it …": what is unusual, but harmless.
    """

    container: str
    format: WavFormat
    promised: int | None
    missing: int
    remarks: tuple[str, ...]
    chunks: tuple[Chunk, ...]

    @property
    def flaw(self) -> str | None:
        """Completes the sentence "it is not a whole WAV: …". None for a whole one."""
        if not self.missing:
            return None
        present, promised = self.format.data_bytes, self.promised
        if promised is not None and present < promised:
            return f"it ends early: {present:,} of {promised:,} bytes of audio are there"
        return f"it ends early: {self.missing:,} bytes behind its audio are missing"


def read_structure(path: Path) -> Structure:
    """Read the headers of all chunks. Raise NotAWav if there is no audio, and OSError."""
    with path.open("rb") as file:
        length = file.seek(0, os.SEEK_END)
        file.seek(0)
        head = file.read(RIFF_HEADER)
        if head[:4] not in _CONTAINERS or not b"WAVE".startswith(head[8:]):
            raise NotAWav(f"it is {name_content(file, length)}, not a WAV")
        if len(head) < RIFF_HEADER:
            raise NotAWav("it ends before its audio begins")
        chunks = tuple(islice(read_chunks(file), _MOST_CHUNKS))
        audio = next((chunk for chunk in chunks if chunk.name == b"data"), None)
        fmt = _read_fmt_before(audio, chunks, file)
        if audio is None:
            if len(chunks) == _MOST_CHUNKS:
                raise NotAWav("it has no audio among its first chunks")
            raise NotAWav("it ends before its audio begins")
        if fmt is None:
            raise NotAWav("its audio comes without a format")
        if fmt.coded_byte_rate == 0:
            fmt = replace(fmt, coded_byte_rate=_read_byte_rate(fmt, audio, chunks, file))
        outer = _read_outer_size(head, chunks, file)
    completeness = check_completeness(audio, chunks, frame=fmt.frame_bytes or 1, outer=outer, length=length)
    return Structure(
        container=head[:4].decode(),
        format=WavFormat(
            encoding=fmt.encoding,
            sample_rate=fmt.sample_rate,
            bits=fmt.bits,
            channels=fmt.channels,
            data_bytes=completeness.present,
            data_start=audio.start,
            valid_bits=fmt.valid_bits,
            coded_byte_rate=fmt.coded_byte_rate,
        ),
        promised=completeness.promised,
        missing=completeness.missing,
        remarks=tuple(_list_remarks(fmt, completeness)),
        chunks=chunks,
    )


def read_format(path: Path) -> WavFormat:
    """Read the format of a download from its headers. Raise NotAWholeWav."""
    try:
        structure = read_structure(path)
    except NotAWav as error:
        raise _not_whole(error.reason) from error
    if structure.flaw is not None:
        raise _not_whole(structure.flaw)
    return structure.format


def _not_whole(why: str) -> NotAWholeWav:
    return NotAWholeWav(
        f"what was downloaded is not a whole WAV: {why}",
        "Run the same command again; if it stays so, ask your provider.",
    )


def _read_fmt_before(audio: Chunk | None, chunks: Sequence[Chunk], file: BinaryIO) -> FmtChunk | None:
    for chunk in chunks:
        if chunk is audio:
            break
        if chunk.name == b"fmt ":
            file.seek(chunk.start)
            return read_fmt(file.read(min(chunk.size, LONGEST_FMT)))
    return None


def _read_byte_rate(fmt: FmtChunk, audio: Chunk, chunks: Sequence[Chunk], file: BinaryIO) -> float:
    """Compute the byte rate from the chunk `fact`: ffmpeg states none for an MP3."""
    for chunk in chunks:
        if chunk.name == b"fact":
            file.seek(chunk.start)
            samples = int.from_bytes(file.read(4), "little")
            if samples and audio.size:
                return audio.size * fmt.sample_rate / samples
    raise NotAWav(f"its format makes no sense ({fmt.encoding} without a byte rate)")


def _read_outer_size(head: bytes, chunks: Sequence[Chunk], file: BinaryIO) -> int:
    """Return the stated size of the whole file, which in RF64 may be in `ds64`."""
    size: int = struct.unpack_from("<I", head, 4)[0]
    if size == IN_DS64 and chunks[0].name == b"ds64":
        file.seek(chunks[0].start)
        content = file.read(8)
        if len(content) == 8:
            (size,) = struct.unpack("<Q", content)
    return size


def _list_remarks(fmt: FmtChunk, completeness: Completeness) -> Iterator[str]:
    yield from completeness.remarks
    if fmt.odd_byte_rate is not None:
        yield f"tells a wrong byte rate, {fmt.odd_byte_rate:,}"
    if fmt.coded_byte_rate is not None:
        yield f"holds {fmt.encoding} in place of PCM"
    elif completeness.promised is not None and completeness.promised % fmt.frame_bytes:
        yield "ends within a frame"
