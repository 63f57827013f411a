"""RIFF as real programs write it, and as broken connections and strangers leave it."""

from __future__ import annotations

import gzip
import io
import struct
import time
import wave
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from suno_wav_cli.errors import NotAWholeWav
from suno_wav_cli.models import WavFormat
from suno_wav_cli.wav.samples import is_silent
from suno_wav_cli.wav.structure import read_format, read_structure
from tests.support.quick import examples

PCM, FLOAT, ADPCM, EXTENSIBLE = 1, 3, 17, 0xFFFE
KSDATAFORMAT = bytes.fromhex("000000001000800000aa00389b71")
FILE = Path("song.wav")


def made_by_wave(rate: int = 48000, width: int = 2, channels: int = 2, frames: int = 100) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((channels, width, rate, 0, "NONE", ""))
        writer.writeframes(bytes(frames * channels * width))
    return file.getvalue()


def chunk(name: bytes, content: bytes, size: int | None = None) -> bytes:
    """Make a chunk, padded to an even length; `size` is the one it claims."""
    return (
        struct.pack("<4sI", name, len(content) if size is None else size)
        + content
        + b"\0" * (len(content) % 2)
    )


def fmt(
    code: int = PCM,
    channels: int = 2,
    rate: int = 48000,
    bits: int = 16,
    more: bytes = b"",
    *,
    block: int | None = None,
    byte_rate: int | None = None,
) -> bytes:
    frame = channels * bits // 8 if block is None else block
    byte_rate = rate * frame if byte_rate is None else byte_rate
    return chunk(
        b"fmt ",
        struct.pack("<HHIIHH", code, channels, rate, byte_rate % 2**32, frame % 2**16, bits) + more,
    )


def riff(*chunks: bytes, name: bytes = b"RIFF", size: int | None = None) -> bytes:
    content = b"WAVE" + b"".join(chunks)
    return name + struct.pack("<I", len(content) if size is None else size) + content


def extension(code: int, valid_bits: int) -> bytes:
    return struct.pack("<HHIH", 22, valid_bits, 3, code) + KSDATAFORMAT


def ds64(data_size: int, riff_size: int | None = None) -> bytes:
    """Tell of the two lengths; without any other chunk than `fmt `, the whole has 72 bytes more than its audio."""
    whole = min(data_size + 72, 2**64 - 1) if riff_size is None else riff_size
    return chunk(b"ds64", struct.pack("<QQQI", whole, data_size, 0, 0))


def read(content: bytes) -> WavFormat:
    FILE.write_bytes(content)
    return read_format(FILE)


@pytest.mark.first_cases(2)
@pytest.mark.timing
@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("bits", [8, 16, 24, 32])
@pytest.mark.parametrize("rate", [8000, 44100, 48000, 192000])
def test_what_the_standard_library_writes_is_read(rate: int, bits: int, channels: int) -> None:
    content = made_by_wave(rate, bits // 8, channels, frames=rate // 10)
    found = read(content)
    assert found == WavFormat(
        encoding="PCM",
        sample_rate=rate,
        bits=bits,
        channels=channels,
        data_bytes=rate // 10 * channels * bits // 8,
    )
    assert found.seconds == pytest.approx(0.1)


AUDIO = bytes(range(256)) * 3


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(
            riff(fmt(EXTENSIBLE, bits=24, more=extension(PCM, 24)), chunk(b"data", AUDIO)),
            WavFormat(encoding="PCM", sample_rate=48000, bits=24, channels=2, data_bytes=768),
            id="extensible PCM",
        ),
        pytest.param(
            riff(fmt(EXTENSIBLE, bits=32, more=extension(FLOAT, 32)), chunk(b"data", AUDIO)),
            WavFormat(encoding="float", sample_rate=48000, bits=32, channels=2, data_bytes=768),
            id="extensible float",
        ),
        pytest.param(
            riff(fmt(FLOAT, bits=32, more=b"\0\0"), chunk(b"fact", bytes(4)), chunk(b"data", AUDIO)),
            WavFormat(encoding="float", sample_rate=48000, bits=32, channels=2, data_bytes=768),
            id="float with a fact chunk",
        ),
        pytest.param(
            riff(fmt(FLOAT, bits=64), chunk(b"data", AUDIO)),
            WavFormat(encoding="float", sample_rate=48000, bits=64, channels=2, data_bytes=768),
            id="64 bit float",
        ),
        pytest.param(
            riff(fmt(0x1234, bits=16), chunk(b"data", AUDIO)),
            WavFormat(
                encoding="encoding 0x1234",
                sample_rate=48000,
                bits=16,
                channels=2,
                data_bytes=768,
                coded_byte_rate=192000,
            ),
            id="an encoding without a name",
        ),
        pytest.param(
            riff(chunk(b"LIST", b"INFOISFT\x0e\0\0\0Lavf60.16.100\0"), fmt(), chunk(b"data", AUDIO)),
            WavFormat(encoding="PCM", sample_rate=48000, bits=16, channels=2, data_bytes=768),
            id="a list before the format",
        ),
        pytest.param(
            riff(fmt(), *[chunk(b"LIST", b"INFO" + bytes(n)) for n in range(50)], chunk(b"data", AUDIO)),
            WavFormat(encoding="PCM", sample_rate=48000, bits=16, channels=2, data_bytes=768),
            id="lists of odd and even lengths before the audio",
        ),
        pytest.param(
            riff(fmt(), chunk(b"odd ", b"abc"), chunk(b"data", AUDIO)),
            WavFormat(encoding="PCM", sample_rate=48000, bits=16, channels=2, data_bytes=768),
            id="a chunk of odd length is padded",
        ),
        pytest.param(
            riff(fmt(bits=8, channels=1), struct.pack("<4sI", b"data", 3) + AUDIO[:3]),
            WavFormat(encoding="PCM", sample_rate=48000, bits=8, channels=1, data_bytes=3),
            id="odd audio at the very end, without its padding",
        ),
        pytest.param(
            riff(fmt(), chunk(b"data", AUDIO), chunk(b"id3 ", b"ID3" + bytes(40)), chunk(b"LIST", b"INFO")),
            WavFormat(encoding="PCM", sample_rate=48000, bits=16, channels=2, data_bytes=768),
            id="tags after the audio",
        ),
        pytest.param(
            riff(fmt(), chunk(b"data", AUDIO)) + b"trailing bytes",
            WavFormat(encoding="PCM", sample_rate=48000, bits=16, channels=2, data_bytes=768),
            id="something after the end",
        ),
        pytest.param(
            riff(fmt(), chunk(b"data", AUDIO), size=0xFFFFFFFF),
            WavFormat(encoding="PCM", sample_rate=48000, bits=16, channels=2, data_bytes=768),
            id="written to a pipe: the outer length is not known",
        ),
        pytest.param(
            riff(ds64(768), fmt(), chunk(b"data", AUDIO, 0xFFFFFFFF), name=b"RF64", size=0xFFFFFFFF),
            WavFormat(encoding="PCM", sample_rate=48000, bits=16, channels=2, data_bytes=768),
            id="RF64",
        ),
        pytest.param(
            riff(ds64(768), fmt(), chunk(b"data", AUDIO), name=b"RF64"),
            WavFormat(encoding="PCM", sample_rate=48000, bits=16, channels=2, data_bytes=768),
            id="RF64 with a short length",
        ),
        pytest.param(
            riff(ds64(768), fmt(), chunk(b"data", AUDIO, 0xFFFFFFFF), name=b"BW64", size=0xFFFFFFFF),
            WavFormat(encoding="PCM", sample_rate=48000, bits=16, channels=2, data_bytes=768),
            id="BW64",
        ),
        pytest.param(
            riff(fmt(bits=20, block=6), chunk(b"data", AUDIO)),
            WavFormat(encoding="PCM", sample_rate=48000, bits=24, channels=2, data_bytes=768, valid_bits=20),
            id="20 bits in three bytes",
        ),
        pytest.param(
            riff(fmt(EXTENSIBLE, bits=32, more=extension(PCM, 24)), chunk(b"data", AUDIO)),
            WavFormat(encoding="PCM", sample_rate=48000, bits=32, channels=2, data_bytes=768, valid_bits=24),
            id="24 valid bits in four bytes",
        ),
        pytest.param(
            riff(fmt(EXTENSIBLE, more=struct.pack("<HHI", 22, 16, 3) + bytes(16)), chunk(b"data", AUDIO)),
            WavFormat(
                encoding=f"encoding {'00' * 16}",
                sample_rate=48000,
                bits=16,
                channels=2,
                data_bytes=768,
                coded_byte_rate=192000,
            ),
            id="extensible, and unknown",
        ),
        pytest.param(
            riff(fmt(7, bits=8), chunk(b"data", AUDIO)),
            WavFormat(
                encoding="mu-law",
                sample_rate=48000,
                bits=8,
                channels=2,
                data_bytes=768,
                coded_byte_rate=96000,
            ),
            id="mu-law",
        ),
        pytest.param(
            riff(fmt(ADPCM, bits=4, block=256, more=struct.pack("<HH", 2, 249)), chunk(b"data", AUDIO)),
            WavFormat(
                encoding="IMA ADPCM",
                sample_rate=48000,
                bits=4,
                channels=2,
                data_bytes=768,
                coded_byte_rate=48000 * 256 / 249,
            ),
            id="ADPCM, in blocks",
        ),
        pytest.param(
            riff(
                fmt(0x55, bits=0, block=1, byte_rate=0),
                chunk(b"fact", struct.pack("<I", 24000)),
                chunk(b"data", AUDIO),
            ),
            WavFormat(
                encoding="MP3", sample_rate=48000, bits=0, channels=2, data_bytes=768, coded_byte_rate=1536
            ),
            id="MP3, half a second by its number of samples",
        ),
        pytest.param(
            riff(chunk(b"JUNK", bytes(28)), fmt(), chunk(b"data", AUDIO)),
            WavFormat(encoding="PCM", sample_rate=48000, bits=16, channels=2, data_bytes=768),
            id="room for a ds64 that was not needed",
        ),
    ],
)
def test_every_layout_of_a_whole_file_is_read(content: bytes, expected: WavFormat) -> None:
    found = read(content)
    assert replace(found, data_start=44) == expected
    start, length = found.data_start, found.data_bytes
    assert (content[start - 8 : start - 4], content[start:][:length]) == (b"data", (AUDIO + AUDIO)[:length])


@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param(b"", "empty", id="empty"),
        pytest.param(b"<!DOCTYPE html><title>Error</title>", "a web page", id="HTML"),
        pytest.param(b"\r\n\r\n  <html><body>", "a web page", id="HTML after blanks"),
        pytest.param(b'<?xml version="1.0"?><Error><Code>AccessDenied</Code>', "an XML answer", id="XML"),
        pytest.param(b'{"code": 403, "msg": "expired"}', "a JSON answer", id="JSON"),
        pytest.param(b"ID3\x04\x00\x00\x00\x00\x00\x00TIT2", "an MP3", id="MP3 with tags"),
        pytest.param(b"\xff\xfb\x90\x00" + bytes(20), "an MP3", id="MP3 without tags"),
        pytest.param(b"fLaC\0\0\0\x22" + bytes(20), "a FLAC file", id="FLAC"),
        pytest.param(b"OggS" + bytes(20), "an Ogg file", id="Ogg"),
        pytest.param(b"\xff\xf2\x90\x00" + bytes(20), "an MP3", id="MP3 of MPEG 2 with a checksum"),
        pytest.param(b"\xff\xe3\x90\x00" + bytes(20), "an MP3", id="MP3 of MPEG 2.5"),
        pytest.param(b"\xff\xf1\x50\x80" + bytes(20), "an AAC file", id="AAC"),
        pytest.param(b"FORM\0\0\0\x24AIFFCOMM", "an AIFF file", id="AIFF"),
        pytest.param(b"\0\0\0\x1cftypM4A \0\0\2\0", "an M4A file", id="M4A"),
        pytest.param(b"\0\0\0\x1cftypisom\0\0\2\0", "an MP4 file", id="MP4"),
        pytest.param(b"\x1a\x45\xdf\xa3" + bytes(20), "a WebM or Matroska file", id="WebM"),
        pytest.param(gzip.compress(made_by_wave()), "compressed with gzip", id="gzip"),
        pytest.param(b"PK\x03\x04" + bytes(20), "a zip archive", id="zip"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + bytes(20), "a PNG picture", id="PNG"),
        pytest.param(b"\xff\xd8\xff\xe0" + bytes(20), "a JPEG picture", id="JPEG"),
        pytest.param(b"RIFF\x24\0\0\0WEBPVP8 ", "a WebP picture", id="WebP"),
        pytest.param(b"RIFF\x24\0\0\0AVI LIST", "an AVI film", id="AVI"),
        pytest.param(b"RIFF\x24\0\0\0CDXA", "some other kind of file", id="another RIFF"),
        pytest.param(b"RIFX" + made_by_wave()[4:], "a big-endian WAV", id="big-endian"),
        pytest.param("Zugriff verweigert für Sie".encode(), "a text", id="text"),
        pytest.param("é".encode() * 600, "a text", id="text, cut within a character"),
        pytest.param(b"\x01\x02\x03" * 100, "some other kind of file", id="bytes"),
        pytest.param(bytes(200_000), "nothing but zero bytes", id="zeros"),
        pytest.param(bytes(200_000) + b"x", "zero bytes at its beginning", id="zeros, and something"),
        pytest.param(b"RIFF", "ends before its audio", id="four bytes"),
        pytest.param(made_by_wave()[:11], "ends before its audio", id="eleven bytes"),
        pytest.param(made_by_wave()[:12], "ends before its audio", id="no chunk"),
        pytest.param(made_by_wave()[:19], "ends before its audio", id="half a chunk header"),
        pytest.param(made_by_wave()[:30], "cut short", id="half a format"),
        pytest.param(made_by_wave()[:36], "ends before its audio", id="no audio chunk"),
        pytest.param(made_by_wave()[:44], "0 of 400 bytes of audio", id="the header alone"),
        pytest.param(made_by_wave()[:-1], "399 of 400 bytes of audio", id="a byte short"),
        pytest.param(riff(fmt(), chunk(b"data", b"")), "holds no audio", id="no frames"),
        pytest.param(
            riff(fmt(), chunk(b"data", AUDIO, 769)), "768 of 769 bytes", id="the audio's length is a lie"
        ),
        pytest.param(
            riff(fmt(), chunk(b"data", AUDIO, 2**31 + 4)), "768 of 2,147", id="almost one for pipes"
        ),
        pytest.param(
            riff(fmt(), chunk(b"data", b"", 0xFFFFFFFF)), "holds no audio", id="a pipe without audio"
        ),
        pytest.param(
            riff(fmt(), chunk(b"data", AUDIO), chunk(b"LIST", b"INFO" * 5))[:-10],
            "10 bytes behind its audio are missing",
            id="the tags are cut",
        ),
        pytest.param(
            riff(fmt(), chunk(b"data", AUDIO), chunk(b"LIST", b"INFO" * 5))[:-28],
            "28 bytes behind its audio are missing",
            id="the tags are missing altogether",
        ),
        pytest.param(
            riff(ds64(768, 5000), fmt(), chunk(b"data", AUDIO, 0xFFFFFFFF), name=b"RF64", size=0xFFFFFFFF),
            "bytes behind its audio are missing",
            id="RF64, the whole is longer",
        ),
        pytest.param(
            riff(ds64(10**12), fmt(), chunk(b"data", AUDIO, 0xFFFFFFFF), name=b"RF64"),
            "768 of 1,000,000,000,000",
            id="RF64, the length is a lie",
        ),
        pytest.param(
            riff(ds64(2**64 - 1), fmt(), chunk(b"data", AUDIO, 0xFFFFFFFF), name=b"RF64"),
            "ends early",
            id="RF64, the largest length",
        ),
        pytest.param(
            riff(chunk(b"data", AUDIO), fmt()), "comes without a format", id="the audio before its format"
        ),
        pytest.param(riff(chunk(b"data", AUDIO)), "comes without a format", id="no format"),
        pytest.param(
            riff(chunk(b"fmt ", bytes(14)), chunk(b"data", AUDIO)), "cut short", id="a format of 14 bytes"
        ),
        pytest.param(
            riff(fmt(EXTENSIBLE, bits=24), chunk(b"data", AUDIO)), "cut short", id="extensible, and no more"
        ),
        pytest.param(
            riff(fmt(FLOAT, bits=24), chunk(b"data", AUDIO)), "makes no sense", id="float of 24 bits"
        ),
        pytest.param(
            riff(fmt(0x55, byte_rate=0), chunk(b"data", AUDIO)), "without a byte rate", id="MP3 of any length"
        ),
        pytest.param(riff(fmt(channels=0), chunk(b"data", AUDIO)), "makes no sense", id="no channels"),
        pytest.param(riff(fmt(rate=0), chunk(b"data", AUDIO)), "makes no sense", id="no rate"),
        pytest.param(riff(fmt(bits=0), chunk(b"data", AUDIO)), "makes no sense", id="no bits"),
        pytest.param(riff(fmt(bits=65), chunk(b"data", AUDIO)), "makes no sense .*65 bit", id="65 bits"),
        pytest.param(
            riff(fmt(0x55, block=0), chunk(b"data", AUDIO)), "makes no sense", id="blocks of 0 bytes"
        ),
        pytest.param(
            riff(chunk(b"LIST", b"", 0xFFFFFFFF), fmt(), chunk(b"data", AUDIO)),
            "ends before its audio",
            id="a list that would swallow the rest",
        ),
    ],
)
def test_what_is_not_a_whole_wav_is_told_apart(content: bytes, why: str) -> None:
    with pytest.raises(NotAWholeWav, match=why):
        read(content)


PIPE = "was written to a pipe: its header does not say how long it is"
WRONG_LENGTH = "tells a wrong length of the whole in its first bytes"


@pytest.mark.parametrize(
    ("content", "remarks"),
    [
        pytest.param(riff(fmt(), chunk(b"data", AUDIO, 0xFFFFFFFF), size=0xFFFFFFFF), {PIPE}, id="as ffmpeg"),
        pytest.param(riff(fmt(), chunk(b"data", AUDIO, 0x7FFFF000), size=0x7FFFF024), {PIPE}, id="as sox"),
        pytest.param(riff(fmt(), chunk(b"data", AUDIO, 0x7FFFFFFF), size=0), {PIPE}, id="as others"),
        pytest.param(riff(fmt(), chunk(b"data", AUDIO, 0), size=0), {PIPE}, id="never completed"),
        pytest.param(
            riff(ds64(0, 0), fmt(), chunk(b"data", AUDIO, 0xFFFFFFFF), name=b"RF64", size=0xFFFFFFFF),
            {PIPE},
            id="RF64 that was never completed",
        ),
        pytest.param(
            riff(chunk(b"ds64", bytes(8)), fmt(), chunk(b"data", AUDIO, 0xFFFFFFFF), name=b"RF64"),
            {PIPE},
            id="RF64 without its lengths",
        ),
        pytest.param(riff(fmt(), chunk(b"data", AUDIO), size=4), {WRONG_LENGTH}, id="the whole is too short"),
        pytest.param(
            riff(fmt(), chunk(b"data", AUDIO), size=len(riff(fmt(), chunk(b"data", AUDIO)))),
            {WRONG_LENGTH},
            id="the whole, with its own header counted in",
        ),
        pytest.param(
            riff(fmt(), chunk(b"data", AUDIO)) + b"trailing bytes",
            {"goes on for 14 bytes after its end"},
            id="something after the end",
        ),
        pytest.param(
            riff(fmt(byte_rate=7), chunk(b"data", AUDIO)), {"tells a wrong byte rate, 7"}, id="byte rate"
        ),
        pytest.param(
            riff(fmt(), chunk(b"data", AUDIO + b"x")), {"ends within a frame"}, id="three quarters of a frame"
        ),
        pytest.param(
            riff(fmt(0x55, bits=0, block=1, byte_rate=16000), chunk(b"data", AUDIO)),
            {"holds MP3 in place of PCM"},
            id="MP3 in a WAV",
        ),
        pytest.param(riff(fmt(), chunk(b"odd ", b"abc"), chunk(b"data", AUDIO)), set(), id="nothing"),
        pytest.param(riff(fmt(bits=8, channels=1), chunk(b"data", AUDIO[:3]))[:-1], set(), id="no padding"),
    ],
)
def test_what_is_unusual_is_whole_and_remarked(content: bytes, remarks: set[str]) -> None:
    FILE.write_bytes(content)
    found = read_structure(FILE)
    assert (found.flaw, set(found.remarks)) == (None, remarks)
    assert found.format.data_bytes in (len(AUDIO), len(AUDIO) + 1, 3)


@pytest.mark.parametrize(
    ("code", "bits", "channels", "block", "stored"),
    [
        pytest.param(PCM, 16, 2, 2, 16, id="of one channel"),
        pytest.param(PCM, 16, 2, 3, 16, id="odd"),
        pytest.param(PCM, 16, 2, 0, 16, id="none"),
        pytest.param(PCM, 16, 2, 8, 16, id="of 32 bits"),
        pytest.param(PCM, 16, 1, 4, 16, id="of two channels"),
        pytest.param(PCM, 16, 2, 65535, 16, id="the largest"),
        pytest.param(PCM, 8, 2, 4, 8, id="8 bit"),
        pytest.param(PCM, 24, 2, 4, 24, id="24 bit"),
        pytest.param(PCM, 20, 2, 8, 24, id="20 bit in three bytes"),
        pytest.param(PCM, 12, 2, 3, 16, id="12 bit, packed"),
        pytest.param(PCM, 4, 2, 1, 8, id="4 bit, packed"),
        pytest.param(FLOAT, 32, 2, 4, 32, id="float"),
        pytest.param(FLOAT, 64, 1, 4, 64, id="double"),
    ],
)
@pytest.mark.parametrize("told", ["both", "the size of a frame alone"])
def test_a_wrong_size_of_a_frame_is_worked_out(
    *, code: int, bits: int, channels: int, block: int, stored: int, told: str
) -> None:
    """By bits and channels, as ffmpeg, sox and libsndfile do. They read the same number of frames."""
    frame = stored // 8 * channels
    byte_rate = 48000 * (block if told == "both" else frame)
    content = riff(fmt(code, channels, bits=bits, block=block, byte_rate=byte_rate), chunk(b"data", AUDIO))
    FILE.write_bytes(content)
    found = read_structure(FILE)
    assert (found.format.bits, found.format.frame_bytes, found.flaw) == (stored, frame, None)
    assert found.format.seconds == 768 / frame / 48000
    assert found.remarks == (f"tells a wrong size of a frame, {block:,} bytes",)


def test_24_bits_in_four_bytes_are_not_wrong() -> None:
    FILE.write_bytes(riff(fmt(bits=24, block=8), chunk(b"data", AUDIO)))
    found = read_structure(FILE)
    assert (found.format.bits, found.format.valid_bits, found.remarks) == (32, 24, ())


IMA = {"code": ADPCM, "bits": 4}
"""Blocks of 256 bytes hold 505 samples of one channel."""
MS = {"code": 2, "bits": 4}
GSM = {"code": 0x31, "bits": 0}


@pytest.mark.parametrize(
    ("fields", "channels", "block", "told", "size", "fact", "samples"),
    [
        pytest.param(IMA, 1, 256, 505, 1536, 3000, 3000, id="IMA, by fact"),
        pytest.param(IMA, 2, 512, 505, 3072, 3000, 3000, id="IMA of two channels, by fact"),
        pytest.param(IMA, 1, 256, 505, 1536, 2526, 2526, id="IMA, the least of the last block"),
        pytest.param(IMA, 1, 256, 505, 1536, 2525, 3030, id="IMA, none of the last block"),
        pytest.param(IMA, 1, 256, 505, 1536, 3030, 3030, id="IMA, all of the last block"),
        pytest.param(IMA, 1, 256, 505, 1536, 3031, 3030, id="IMA, more than there is"),
        pytest.param(IMA, 2, 512, 505, 3072, 6000, 3030, id="IMA, the samples of both channels"),
        pytest.param(IMA, 1, 256, 505, 1536, 0, 3030, id="IMA, nothing in fact"),
        pytest.param(IMA, 1, 256, 505, 1536, 0xFFFFFFFF, 3030, id="IMA, the largest in fact"),
        pytest.param(IMA, 1, 256, 505, 1536, None, 3030, id="IMA, without fact"),
        pytest.param(IMA, 1, 256, 0, 1536, None, 3030, id="IMA, without the samples of a block"),
        pytest.param(IMA, 1, 256, 5000, 1536, None, 3030, id="IMA, too many samples in a block"),
        pytest.param(IMA, 1, 256, 505, 1535, None, 3022, id="IMA, the last block is shorter"),
        pytest.param(IMA, 2, 512, 505, 3052, None, 3006, id="IMA of two channels, the last is shorter"),
        pytest.param(MS, 1, 256, 500, 1536, 2999, 2999, id="Microsoft, by fact"),
        pytest.param(MS, 2, 512, 500, 3072, 10**6, 3000, id="Microsoft, by blocks"),
        pytest.param(MS, 2, 512, 0, 3072, None, 3000, id="Microsoft, without the samples of a block"),
        pytest.param(MS, 1, 256, 500, 1535, None, 2998, id="Microsoft, the last block is shorter"),
        pytest.param(MS, 2, 512, 500, 2972, None, 2900, id="Microsoft of two channels, the last is shorter"),
        pytest.param(GSM, 1, 65, 320, 650, 3000, 3000, id="GSM, by fact"),
        pytest.param(GSM, 1, 65, 320, 650, 1500, 3200, id="GSM, by blocks"),
        pytest.param(GSM, 1, 65, 0, 650, None, 3200, id="GSM, without the samples of a block"),
        pytest.param(GSM, 1, 65, 320, 650, 6000, 3200, id="GSM, more than there is"),
        pytest.param(GSM, 1, 65, 320, 649, None, 2880, id="GSM, the last block is not whole"),
        pytest.param({"code": 6, "bits": 8, "byte_rate": 7}, 2, 2, 0, 800, None, 400, id="A-law"),
        pytest.param({"code": 7, "bits": 8, "byte_rate": 0}, 1, 1, 0, 800, 5, 800, id="mu-law"),
    ],
)
def test_the_length_of_a_compressed_encoding_is_that_of_other_readers(
    *, fields: dict[str, int], channels: int, block: int, told: int, size: int, fact: int | None, samples: int
) -> None:
    """By `fact` if that is possible: it is the only one to tell how far the last block is filled."""
    facts = b"" if fact is None else chunk(b"fact", struct.pack("<I", fact))
    more = struct.pack("<HH", 2, told)
    audio = bytes(range(1, 251)) * 20
    content = riff(
        fmt(channels=channels, block=block, more=more, **fields), facts, chunk(b"data", audio[:size])
    )
    for header in (content, content.replace(b"data" + struct.pack("<I", size), b"data\xff\xff\xff\xff")):
        if header != content and (fact or size % 2):
            # Of an open file, the padding belongs to the audio.
            continue
        found = read(header)
        assert found.seconds * found.sample_rate == pytest.approx(samples)


def test_the_length_of_what_is_left_of_a_compressed_file_is_its_share() -> None:
    """`fact` tells of the whole."""
    more = struct.pack("<HH", 2, 505)
    facts = chunk(b"fact", struct.pack("<I", 3000))
    FILE.write_bytes(
        riff(fmt(ADPCM, 1, bits=4, block=256, more=more), facts, chunk(b"data", bytes(1536)))[:-768]
    )
    found = read_structure(FILE)
    assert found.missing == 768
    assert found.format.seconds * 48000 == pytest.approx(1500)


@pytest.mark.parametrize("size", [1, 1000, 1 << 16, 200_001])
def test_silence_is_told_from_its_bytes(size: int) -> None:
    """At the last byte too; and what stands around the audio does not count."""
    audio = bytearray(b"\x80" * size)
    for last, silent in ((0x80, True), (0x81, size == 1)):
        audio[-1] = last
        wav = read(riff(fmt(bits=8, channels=1), chunk(b"data", bytes(audio)), chunk(b"LIST", b"INFO")))
        assert is_silent(FILE, wav) is silent


def test_each_shorter_file_is_not_whole() -> None:
    """Wherever the connection ended."""
    whole = made_by_wave(frames=20)
    for length in range(len(whole)):
        with pytest.raises(NotAWholeWav):
            read(whole[:length])


@pytest.mark.timing
@pytest.mark.parametrize(
    "content",
    [
        pytest.param(riff(fmt(), chunk(b"    ", b"") * 500_000), id="half a million empty chunks"),
        pytest.param(riff(fmt() * 200_000), id="the format again and again"),
    ],
)
def test_a_hostile_file_keeps_the_reader_busy_for_a_moment_only(content: bytes) -> None:
    FILE.write_bytes(content)
    start = time.monotonic()
    with pytest.raises(NotAWholeWav):
        read_format(FILE)
    assert time.monotonic() - start < 10


@pytest.mark.timing
def test_the_cost_does_not_grow_with_the_audio() -> None:
    """A gigabyte, of which the disk holds nothing: the chunk headers are all that is read."""
    size = 1_000_000_000
    header = riff(fmt(), struct.pack("<4sI", b"data", size))
    with FILE.open("wb") as file:
        file.write(header)
        file.truncate(len(header) + size)
    start = time.monotonic()
    assert read_format(FILE) == WavFormat(
        encoding="PCM", sample_rate=48000, bits=16, channels=2, data_bytes=size
    )
    assert time.monotonic() - start < 5


VALID = (
    made_by_wave(frames=4),
    riff(fmt(EXTENSIBLE, bits=24, more=extension(PCM, 24)), chunk(b"LIST", b"INFO1"), chunk(b"data", AUDIO)),
    riff(ds64(768), fmt(), chunk(b"data", AUDIO, 0xFFFFFFFF), name=b"RF64", size=0xFFFFFFFF),
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    content = bytearray(draw(st.sampled_from(VALID)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, min(len(content), 80)))
        match draw(st.sampled_from(["replace", "insert", "remove", "cut"])):
            case "replace":
                some = draw(
                    st.one_of(st.binary(min_size=1, max_size=8), st.sampled_from([b"\0" * 4, b"\xff" * 4]))
                )
                content[at : at + len(some)] = some
            case "insert":
                content[at:at] = draw(st.one_of(st.binary(max_size=8), st.just(chunk(b"fmt ", bytes(40)))))
            case "remove":
                del content[at : at + draw(st.integers(1, 8))]
            case _:
                del content[draw(st.integers(0, len(content))) :]
    return bytes(content)


@pytest.mark.long
@pytest.mark.timing
@settings(deadline=timedelta(seconds=1), max_examples=examples(400))
@example(content=riff(fmt(bits=65528, channels=65535, rate=0xFFFFFFFF), chunk(b"data", AUDIO)))
@given(content=st.one_of(mutated(), st.binary(max_size=200), st.binary(max_size=60).map(riff)))
def test_any_bytes_are_a_format_or_not_a_whole_wav(content: bytes) -> None:
    """Never another exception, and never a length that cannot be told."""
    FILE.write_bytes(content)
    try:
        found = read_format(FILE)
    except NotAWholeWav:
        return
    assert found.seconds > 0
    assert 0 < found.data_bytes <= len(content)
    assert min(found.sample_rate, found.channels) > 0
    assert found.data_start + found.data_bytes <= len(content)
