"""How long compressed audio is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from suno_wav_cli.wav.fmt_chunk import NotAWav

if TYPE_CHECKING:
    from suno_wav_cli.wav.fmt_chunk import Coding, FmtChunk

_MS_ADPCM, _A_LAW, _MU_LAW, _IMA_ADPCM, _GSM = 0x0002, 0x0006, 0x0007, 0x0011, 0x0031


def find_coded_byte_rate(fmt: FmtChunk, coding: Coding, size: int, stated: int) -> float:
    """Return the bytes a second of `size` bytes of audio, by which its length is told.

    `stated` is the number of samples in the chunk `fact`, 0 without one. Raise NotAWav if the length
    cannot be told.
    """
    if coding.code in (_A_LAW, _MU_LAW):
        return fmt.sample_rate * fmt.channels
    most = _samples_in_block(fmt, coding, coding.block)
    if most:
        whole, rest = divmod(size, coding.block)
        known = coding.block_samples if 0 < coding.block_samples <= most else most
        samples = whole * known + min(_samples_in_block(fmt, coding, rest), known)
        # The last block is filled up, and only `fact` says how far.
        if samples - known < stated <= samples:
            samples = stated
        return size * fmt.sample_rate / samples if samples else coding.block * fmt.sample_rate / known
    if coding.byte_rate:
        return coding.byte_rate
    # ffmpeg states none for an MP3.
    if stated:
        return size * fmt.sample_rate / stated
    raise NotAWav(f"its format makes no sense ({fmt.encoding} without a byte rate)")


def _samples_in_block(fmt: FmtChunk, coding: Coding, size: int) -> int:
    """Return how many samples of each channel `size` bytes of a block hold, 0 for other encodings."""
    channels = fmt.channels
    if coding.code == _GSM:
        return size // 65 * 320
    if coding.code == _MS_ADPCM:
        # Each channel begins with 7 bytes, which hold two samples.
        return (size - 7 * channels) * 2 // channels + 2 if size >= 7 * channels else 0
    if coding.code == _IMA_ADPCM:
        # Each channel begins with 4 bytes, which hold one sample, and goes on in words of 4 bytes.
        words = size // (4 * channels) - 1
        return words * 32 // (fmt.bits or 4) + 1 if words >= 0 else 0
    return 0
