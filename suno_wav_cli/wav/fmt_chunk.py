"""The chunk `fmt `: how the audio is encoded."""

from __future__ import annotations

import struct
from dataclasses import dataclass

_PCM, _FLOAT, _EXTENSIBLE = 0x0001, 0x0003, 0xFFFE
_COMPRESSED = {
    0x0002: "Microsoft ADPCM",
    0x0006: "A-law",
    0x0007: "mu-law",
    0x0011: "IMA ADPCM",
    0x0031: "GSM 6.10",
    0x0050: "MPEG audio",
    0x0055: "MP3",
    0x00FF: "AAC",
    0x1610: "AAC",
}
_IN_BLOCKS = (0x0002, 0x0011, 0x0031)
"""Encodings whose number of samples in a block follows the common fields."""

LONGEST_FMT = 40
_GUID_TAILS = (
    bytes.fromhex("000000001000800000aa00389b71"),
    # Ambisonics, in the same encodings.
    bytes.fromhex("00002107d3118644c8c1ca000000"),
)
"""What follows the encoding's code in the sub-format of WAVE_FORMAT_EXTENSIBLE."""


class NotAWav(Exception):
    """`reason` completes the sentence "… is not a whole WAV: …"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class FmtChunk:
    """The fields of WavFormat that come from `fmt `.

    `coded_byte_rate` is 0 if it is not stated. `odd_byte_rate` is the stated byte rate if that
    contradicts the other fields.
    """

    encoding: str
    sample_rate: int
    bits: int
    channels: int
    valid_bits: int | None
    coded_byte_rate: float | None
    odd_byte_rate: int | None

    @property
    def frame_bytes(self) -> int:
        """The length of one sample of every channel, 0 for compressed encodings."""
        return 0 if self.coded_byte_rate is not None else self.channels * (self.bits // 8)


def read_fmt(content: bytes) -> FmtChunk:
    """Read the content of `fmt `. Raise NotAWav if it is cut short or contradicts itself."""
    if len(content) < 16:
        raise NotAWav("its format is cut short")
    code, channels, rate, byte_rate, block, bits = struct.unpack_from("<HHIIHH", content)
    valid_bits = bits
    encoding = None
    if code == _EXTENSIBLE:
        if len(content) < LONGEST_FMT:
            raise NotAWav("its format is cut short")
        stated_valid, _, code = struct.unpack_from("<HIH", content, 18)
        valid_bits = stated_valid or bits
        if content[26:40] not in _GUID_TAILS:
            encoding, code = f"encoding {content[24:40].hex()}", 0
    senseless = NotAWav(
        f"its format makes no sense ({rate} Hz, {bits} bit, {channels} channels, {block} bytes a frame)"
    )
    if channels == 0 or rate == 0 or block == 0:
        raise senseless
    if code not in (_PCM, _FLOAT):
        # The length follows from the byte rate, unless the size of a block tells it more exactly.
        block_samples = int.from_bytes(content[18:20], "little")
        coded_byte_rate = rate * block / block_samples if code in _IN_BLOCKS and block_samples else byte_rate
        encoding = encoding or _COMPRESSED.get(code, f"encoding 0x{code:04x}")
        return FmtChunk(
            encoding=encoding,
            sample_rate=rate,
            bits=bits,
            channels=channels,
            valid_bits=None,
            coded_byte_rate=coded_byte_rate,
            odd_byte_rate=None,
        )
    stored, odd = divmod(block * 8, channels)
    if odd or stored % 8 or not 0 < bits <= stored <= 64 or (code == _FLOAT and bits not in (32, 64)):
        raise senseless
    return FmtChunk(
        encoding="PCM" if code == _PCM else "float",
        sample_rate=rate,
        bits=stored,
        channels=channels,
        valid_bits=valid_bits if valid_bits < stored else None,
        coded_byte_rate=None,
        # Players ignore it, so a wrong one is not a reason to refuse the file.
        odd_byte_rate=byte_rate if byte_rate != rate * block else None,
    )
