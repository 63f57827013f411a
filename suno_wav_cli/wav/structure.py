"""A file as its chunk headers describe it, whole or not."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO

from suno_wav_cli.models import WavFormat
from suno_wav_cli.wav.chunks import CHUNK_HEADER, IN_DS64, RIFF_HEADER, Chunk, read_chunks
from suno_wav_cli.wav.layout import LONGEST_LAYOUT, Layout, NotAWav, read_layout
from suno_wav_cli.wav.strangers import what_else

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_CONTAINERS = (b"RIFF", b"RF64", b"BW64")
_MOST_CHUNKS = 10_000
"""A real file has a handful; without a bound a hostile one of empty chunks keeps the reader busy for minutes."""

_LARGEST_SIZES = (1 << 31, 1 << 32)
_BELOW = 4200
"""Bytes. Who writes to a pipe does not know the length yet and puts a largest one: ffmpeg 0xFFFFFFFF, sox 0x7FFFF000
less what does not fill a frame, others these less their header."""

_WRONG_LENGTH = "tells a wrong length of the whole in its first bytes"


@dataclass(frozen=True)
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
        if head[:4] not in _CONTAINERS or head[8:] not in (b"WAVE", b""):
            raise NotAWav(f"it is {what_else(file, length)}, not a WAV")
        if len(head) < RIFF_HEADER:
            raise NotAWav("it ends before its audio begins")
        chunks = tuple(islice(read_chunks(file), _MOST_CHUNKS))
        audio = next((chunk for chunk in chunks if chunk.name == b"data"), None)
        layout = _layout_before(audio, chunks, file)
        if audio is None:
            whole = len(chunks) == _MOST_CHUNKS
            raise NotAWav(
                "it has no audio among its first chunks" if whole else "it ends before its audio begins"
            )
        if layout is None:
            raise NotAWav("its audio comes without a format")
        if layout.coded_byte_rate == 0:
            layout = replace(layout, coded_byte_rate=_byte_rate_of_fact(layout, audio, chunks, file))
        outer = _outer_size(head, chunks, file)
    return _structure(layout, audio, chunks, container=head[:4].decode(), outer=outer, length=length)


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


def _structure(
    layout: Layout, audio: Chunk, chunks: tuple[Chunk, ...], *, container: str, outer: int, length: int
) -> Structure:
    behind = length - audio.start
    remarks = []
    promised: int | None = audio.size
    # A header that was never completed says 0, or more than there is.
    if (audio.size > behind and _means_unknown(audio.size)) or (audio.size == 0 and outer <= audio.start):
        promised = None
        remarks.append("was written to a pipe: its header does not say how long it is")
    present = behind if promised is None else min(promised, behind)
    if promised == 0 or not (present or promised):
        raise NotAWav("it holds no audio")
    audio_end = audio.start + (behind if promised is None else promised)
    end = 8 + outer
    if promised is None or end < audio_end or _means_unknown(outer):
        end = audio_end
        if promised is not None:
            remarks.append(_WRONG_LENGTH)
    missing = max(audio_end, end) - length
    last = chunks[-1]
    if missing == 1 and last.size % 2 and last.stop == length + 1:
        # The padding at the very end, which some writers forget.
        missing = 0
    elif 0 < missing <= CHUNK_HEADER and last.stop == length:
        # No chunk is so small: some writers count the outer header in.
        remarks.append(_WRONG_LENGTH)
        missing = 0
    wav = WavFormat(
        layout.encoding,
        layout.sample_rate,
        layout.bits,
        layout.channels,
        present,
        audio.start,
        layout.valid_bits,
        layout.coded_byte_rate,
    )
    remarks += _more_remarks(wav, layout, end, length)
    return Structure(container, wav, promised, max(missing, 0), tuple(remarks), chunks)


def _more_remarks(wav: WavFormat, layout: Layout, end: int, length: int) -> list[str]:
    remarks = []
    if layout.odd_byte_rate is not None:
        remarks.append(f"tells a wrong byte rate, {layout.odd_byte_rate:,}")
    if wav.coded_byte_rate is not None:
        remarks.append(f"holds {wav.encoding}, which is compressed, and not PCM")
    elif wav.data_bytes % wav.frame_bytes:
        remarks.append("ends within a frame")
    if length > end + 1:
        remarks.append(f"goes on for {length - end:,} bytes after its end")
    return remarks


def _means_unknown(size: int) -> bool:
    return any(largest - _BELOW <= size <= largest for largest in _LARGEST_SIZES)
