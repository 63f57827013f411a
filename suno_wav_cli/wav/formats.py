"""RIFF WAVE: whether a file is whole, and what it holds.

Reads the chunk headers only, so the cost does not grow with the file.
"""

from __future__ import annotations

import struct
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO

from suno_wav_cli.errors import NotAWholeWav
from suno_wav_cli.models import WavFormat
from suno_wav_cli.wav.chunks import CHUNK_HEADER, RIFF_HEADER, read_chunks

if TYPE_CHECKING:
    from pathlib import Path

_PCM, _FLOAT, _EXTENSIBLE = 0x0001, 0x0003, 0xFFFE
_ENCODINGS = {_PCM: "PCM", _FLOAT: "float"}
_MOST_CHUNKS = 10_000
"""A real file has a handful; without a bound a hostile one of empty chunks keeps the reader busy for minutes."""

_OTHER_FILES = (
    (b"<", "a web page"),
    (b"{", "a JSON answer"),
    (b"ID3", "an MP3"),
    (b"\xff\xfb", "an MP3"),
    (b"\xff\xf3", "an MP3"),
    (b"fLaC", "a FLAC file"),
    (b"OggS", "an Ogg file"),
)


def read_format(path: Path) -> WavFormat:
    """Read what the file says of itself; raises NotAWholeWav where it is something else, or ends early."""
    length = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        if len(head) < 12 or head[:4] not in (b"RIFF", b"RF64") or head[8:12] != b"WAVE":
            raise _not_whole(f"it is {_what_else(head)}, not a WAV")
        return _read_chunks(file, length)


def _read_chunks(file: BinaryIO, length: int) -> WavFormat:
    layout: tuple[str, int, int, int] | None = None
    last = RIFF_HEADER
    for chunk in islice(read_chunks(file), _MOST_CHUNKS):
        last = chunk.stop
        if chunk.name == b"data":
            if layout is None:
                raise _not_whole("its audio comes without a format")
            return _checked_audio(layout, chunk.size, length - chunk.start)
        if chunk.name == b"fmt ":
            file.seek(chunk.start)
            layout = _layout(file.read(min(chunk.size, 40)))
    if last + CHUNK_HEADER > length:
        raise _not_whole("it ends before its audio begins")
    raise _not_whole("it has no audio among its first chunks")


def _layout(chunk: bytes) -> tuple[str, int, int, int]:
    if len(chunk) < 16:
        raise _not_whole("its format is cut short")
    code, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", chunk)
    if code == _EXTENSIBLE and len(chunk) >= 26:
        (code,) = struct.unpack_from("<H", chunk, 24)
    if channels == 0 or rate == 0 or bits == 0 or bits % 8:
        raise _not_whole(f"its format makes no sense ({rate} Hz, {bits} bit, {channels} channels)")
    return _ENCODINGS.get(code, f"encoding 0x{code:04x}"), rate, bits, channels


def _checked_audio(layout: tuple[str, int, int, int], size: int, present: int) -> WavFormat:
    if size > present:
        raise _not_whole(f"it ends early: {present:,} of {size:,} bytes of audio are there")
    if size == 0:
        raise _not_whole("it holds no audio")
    encoding, rate, bits, channels = layout
    return WavFormat(encoding, rate, bits, channels, size)


def _what_else(head: bytes) -> str:
    if not head:
        return "empty"
    for start, name in _OTHER_FILES:
        if head.lstrip().startswith(start):
            return name
    return "some other kind of file"


def _not_whole(why: str) -> NotAWholeWav:
    return NotAWholeWav(
        f"what was downloaded is not a whole WAV: {why}",
        "Run the same command again; if it stays so, ask your provider.",
    )
