"""A WAV as its chunk headers describe it, whole or not."""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO

from suno_wav_cli.errors import NotAWholeWav
from suno_wav_cli.models import WavFormat
from suno_wav_cli.wav.coded_length import find_coded_byte_rate
from suno_wav_cli.wav.completeness import Completeness, Extent, check_completeness, find_audio
from suno_wav_cli.wav.fmt_chunk import LONGEST_FMT, FmtChunk, NotAWav, read_fmt
from suno_wav_cli.wav.riff import (
    LONG_FORMS,
    RIFF_HEADER,
    Chunk,
    find_header,
    read_chunks,
    read_outer_size,
)
from suno_wav_cli.wav.sniff import name_content

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_CONTAINERS = (b"RIFF", *LONG_FORMS)
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


def read_structure(path: Path, *, length_met: bool = False) -> Structure:
    """Read the headers of all chunks. Raise NotAWav if there is no audio, and OSError.

    `length_met` means that a server announced the file's length, and sent as much.
    """
    with path.open("rb") as file:
        length = file.seek(0, os.SEEK_END)
        header = find_header(file)
        file.seek(header)
        head = file.read(RIFF_HEADER)
        if head[:4] not in _CONTAINERS or not b"WAVE".startswith(head[8:]):
            raise NotAWav(f"it is {name_content(file, length)}, not a WAV")
        if len(head) < RIFF_HEADER:
            raise NotAWav("it ends before its audio begins")
        chunks = tuple(islice(read_chunks(file, header), _MOST_CHUNKS))
        audio = find_audio(chunks)
        fmt = _read_fmt_before(audio, chunks, file)
        if audio is None:
            if len(chunks) == _MOST_CHUNKS:
                raise NotAWav("it has no audio among its first chunks")
            raise NotAWav("it ends before its audio begins")
        if fmt is None:
            raise NotAWav("its audio comes without a format")
        extent = Extent(
            header=header,
            outer=read_outer_size(file, header, chunks[0]),
            is_long=head[:4] in LONG_FORMS,
            chunks=chunks,
            length=length,
        )
        completeness = check_completeness(audio, extent, frame=fmt.frame_bytes or 1, length_met=length_met)
        samples = _read_fact(completeness.chunks, file)
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
            coded_byte_rate=None
            if fmt.coding is None
            else find_coded_byte_rate(
                fmt, fmt.coding, completeness.promised or completeness.present, samples
            ),
        ),
        promised=completeness.promised,
        missing=completeness.missing,
        remarks=tuple(_list_remarks(fmt, completeness, header)),
        chunks=_front_tag(header) + completeness.chunks,
    )


def read_format(path: Path, *, length_met: bool = False) -> WavFormat:
    """Read the format of a download from its headers. Raise NotAWholeWav."""
    try:
        structure = read_structure(path, length_met=length_met)
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


def _read_fact(chunks: Sequence[Chunk], file: BinaryIO) -> int:
    """Return the number of samples that the chunk `fact` states, 0 without it."""
    for chunk in chunks:
        if chunk.name == b"fact":
            file.seek(chunk.start)
            return int.from_bytes(file.read(4), "little")
    return 0


def _front_tag(header: int) -> tuple[Chunk, ...]:
    """Return the ID3 tag before the header as the chunk that it should be."""
    return (Chunk(name=b"ID3 ", start=0, size=header),) if header else ()


def _list_remarks(fmt: FmtChunk, completeness: Completeness, header: int) -> Iterator[str]:
    if header:
        yield "begins with an ID3 tag, which some programs take for an MP3"
    yield from completeness.remarks
    if fmt.odd_block is not None:
        yield f"tells a wrong size of a frame, {fmt.odd_block:,} bytes"
    if fmt.odd_byte_rate is not None:
        yield f"tells a wrong byte rate, {fmt.odd_byte_rate:,}"
    if fmt.coding is not None:
        yield f"holds {fmt.encoding} in place of PCM"
