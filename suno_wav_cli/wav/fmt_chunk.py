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
class Coding:
    """How a compressed encoding states its size: bytes a second and a block, 0 if it does not.

    `block_samples` is what `fmt ` states after the common fields, if this encoding has it there.
    """

    code: int
    byte_rate: int
    block: int
    block_samples: int


@dataclass(frozen=True, kw_only=True)
class FmtChunk:
    """The fields of WavFormat that come from `fmt `, and for a compressed encoding its `coding`.

    `odd_block` and `odd_byte_rate` are what is stated in contradiction to the other fields.
    """

    encoding: str
    sample_rate: int
    bits: int
    channels: int
    valid_bits: int | None = None
    coding: Coding | None = None
    odd_block: int | None = None
    odd_byte_rate: int | None = None

    @property
    def frame_bytes(self) -> int:
        """The length of one sample of every channel, 0 for compressed encodings."""
        return 0 if self.coding is not None else self.channels * (self.bits // 8)


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
    if channels == 0 or rate == 0:
        raise senseless
    if code not in (_PCM, _FLOAT):
        if block == 0:
            raise senseless
        return FmtChunk(
            encoding=encoding or _COMPRESSED.get(code, f"encoding 0x{code:04x}"),
            sample_rate=rate,
            bits=bits,
            channels=channels,
            coding=Coding(
                code=code,
                byte_rate=byte_rate,
                block=block,
                block_samples=int.from_bytes(content[18:20], "little"),
            ),
        )
    if not 0 < bits <= 64 or (code == _FLOAT and bits not in (32, 64)):
        raise senseless
    stored = _stored_bits(bits, channels, block)
    frame = channels * stored // 8
    return FmtChunk(
        encoding="PCM" if code == _PCM else "float",
        sample_rate=rate,
        bits=stored,
        channels=channels,
        valid_bits=valid_bits if 0 < valid_bits < stored else None,
        # Players ignore both, so a wrong one is not a reason to refuse the file.
        odd_block=block if block != frame else None,
        odd_byte_rate=byte_rate if byte_rate not in (rate * frame, rate * block) else None,
    )


def _stored_bits(bits: int, channels: int, block: int) -> int:
    """Return the bits of a sample in the file: whole bytes, whatever `block` says.

    So do ffmpeg, sox and libsndfile. But for 24 bits, ffmpeg believes four bytes.
    """
    if bits == 24 and block == channels * 4:
        return 32
    return (bits + 7) // 8 * 8
