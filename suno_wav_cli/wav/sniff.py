"""What a file is if it is not a WAV, by its first bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from suno_wav_cli.wav.samples import is_constant

if TYPE_CHECKING:
    from collections.abc import Sequence

_ENOUGH = 512
_MOST_ZEROS = 64 * 1024 * 1024
"""Bytes to look at: a sparse file may be longer than any disk."""

_RIFF_KINDS = {b"AVI ": "an AVI film", b"WEBP": "a WebP picture"}
_TEXTS: Sequence[tuple[bytes, str]] = (
    (b"<?xml", "an XML answer"),
    (b"<", "a web page"),
    (b"{", "a JSON answer"),
    (b"[", "a JSON answer"),
    (b"#EXTM3U", "a playlist"),
)
_STARTS: Sequence[tuple[bytes, str]] = (
    (b"ID3", "an MP3"),
    (b"fLaC", "a FLAC file"),
    (b"OggS", "an Ogg file"),
    (b"\x1a\x45\xdf\xa3", "a WebM or Matroska file"),
    (b"\x1f\x8b", "compressed with gzip"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF", "a PDF"),
    (b"RIFX", "a big-endian WAV (RIFX)"),
    (b"riff", "a Wave64 file"),
    (b"caff", "a CAF file"),
    (b".snd", "an AU file"),
    (b"\x30\x26\xb2\x75", "a WMA file"),
)


def name_content(file: BinaryIO, length: int) -> str:
    """Return what completes the sentence "it is …"."""
    file.seek(0)
    head = file.read(_ENOUGH)
    if not head:
        return "empty"
    if not head.strip(b"\0"):
        return (
            "nothing but zero bytes"
            if is_constant(file, 0, min(length, _MOST_ZEROS))
            else "zero bytes at its beginning"
        )
    return _name_container(head) or _name_text(head) or "some other kind of file"


def _name_container(head: bytes) -> str | None:
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return "an AIFF file"
    if head[:4] == b"RIFF":
        return _RIFF_KINDS.get(head[8:12])
    if head[4:8] == b"ftyp":
        return "an M4A file" if head[8:11] == b"M4A" else "an MP4 file"
    for start, name in _STARTS:
        if head.startswith(start):
            return name
    return _name_mpeg_audio(head)


def _name_mpeg_audio(head: bytes) -> str | None:
    """Recognise a frame header of any version, layer and rate (ISO/IEC 11172-3, 2.4.1.3)."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer, bit_rate, sample_rate = head[1] >> 3 & 3, head[1] >> 1 & 3, head[2] >> 4, head[2] >> 2 & 3
    if version == 1:
        return None
    if layer == 0:
        return "an AAC file" if head[1] & 0xF0 == 0xF0 else None
    return "an MP3" if bit_rate != 15 and sample_rate != 3 else None


def _name_text(head: bytes) -> str | None:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    for start, name in _TEXTS:
        if text.startswith(start):
            return name
    # The last character may be cut in two.
    readable = head.decode("utf-8", errors="ignore")
    is_text = len(readable.encode()) > len(head) - 4 and all(
        character.isprintable() or character in "\r\n\t" for character in readable
    )
    return "a text" if is_text else None
