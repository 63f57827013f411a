"""How much audio is there: every mixture of the size of the whole, the size of the audio, padding and further chunks."""

from __future__ import annotations

import struct
from itertools import product
from pathlib import Path

import pytest

from suno_wav_cli.wav.fmt_chunk import NotAWav
from suno_wav_cli.wav.structure import Structure, read_structure
from tests.wav.test_structure import AUDIO, PIPE, WRONG_LENGTH, chunk, ds64, fmt, riff

FILE = Path("song.wav")
WITHIN_A_FRAME = "ends within a frame"
HEADERS = 36
"""Bytes that the size of a whole RIFF counts beside its audio."""

STREAMED = [
    pytest.param(0xFFFFFFFF, 0xFFFFFFFF, id="ffmpeg"),
    pytest.param(0x7FFFF024, 0x7FFFF000, id="sox, mpv"),
    pytest.param(0x80000023, 0x7FFFFFFF, id="lame"),
    pytest.param(0x80000024, 0x80000000, id="arecord"),
    pytest.param(0x7FFF0024, 0x7FFF0000, id="GStreamer"),
    pytest.param(0x7FFFFFFF, 0x7FFFFFD3, id="oggdec"),
    pytest.param(0xFFFFFFBF, 0xFFFFFF9B, id="node-wav"),
    pytest.param(0x00000023, 0xFFFFFFFF, id="Java, whose size of the whole overflows"),
    pytest.param(2_000_000_036, 2_000_000_000, id="a billion samples of 16 bits"),
    pytest.param(4_000_000_036, 4_000_000_000, id="a billion samples of 32 bits"),
    pytest.param(0, 0, id="never completed"),
    pytest.param(HEADERS, 0, id="mpg123, flac"),
    pytest.param(8, 0, id="old libsndfile"),
]
SIZES = (0, 8, HEADERS, 0x7FFF0000, 0x7FFFF000, 0x7FFFFFFF, 0x80000000, 2 * 10**9, 0xFFFFFFF0, 0xFFFFFFFF)
"""That stand for "not known", as the size of the audio and as that of the whole."""
UNKNOWN = [size for size in SIZES if size not in (8, HEADERS)]

LIST = chunk(b"LIST", b"INFO" + chunk(b"INAM", b"title\0"))
ODD_LIST = chunk(b"LIST", b"INFO" + b"INAM\2\0\0\0ab" + b"x")


def structure_of(content: bytes, *, length_met: bool = False) -> Structure:
    FILE.write_bytes(content)
    return read_structure(FILE, length_met=length_met)


def found(content: bytes, *, length_met: bool = False) -> tuple[int, int, set[str]]:
    """Return the bytes of audio, the bytes that are missing, and the remarks."""
    structure = structure_of(content, length_met=length_met)
    return structure.format.data_bytes, structure.missing, set(structure.remarks)


# Sizes that stand for "not known"


@pytest.mark.parametrize(("outer", "size"), STREAMED)
@pytest.mark.parametrize("length_met", [False, True])
def test_the_audio_of_every_writer_that_streams_counts(outer: int, size: int, length_met: bool) -> None:
    content = riff(fmt(), chunk(b"data", AUDIO, size), size=outer)
    assert found(content, length_met=length_met) == (len(AUDIO), 0, {PIPE})


def test_every_mixture_of_two_sizes_that_are_not_known_is_audio() -> None:
    for outer, size in product(SIZES, UNKNOWN):
        content = riff(fmt(), chunk(b"data", AUDIO, size), size=outer)
        assert found(content) == (len(AUDIO), 0, {PIPE}), (outer, size)


def test_the_size_of_the_audio_alone_may_be_unknown() -> None:
    for size in UNKNOWN:
        assert found(riff(fmt(), chunk(b"data", AUDIO, size))) == (len(AUDIO), 0, {PIPE}), size


def test_the_size_of_the_whole_alone_may_be_unknown() -> None:
    for outer in SIZES:
        for more in (b"", LIST, ODD_LIST):
            content = riff(fmt(), chunk(b"data", AUDIO), more, size=outer)
            assert found(content) == (len(AUDIO), 0, {WRONG_LENGTH}), (outer, more)


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 2 * 10**9])
def test_a_whole_of_known_size_ends_early_where_its_audio_is_open(size: int) -> None:
    """Only where a server has announced just these bytes, they are all that there is."""
    content = riff(fmt(), chunk(b"data", AUDIO, size), size=10**6)
    structure = structure_of(content)
    assert structure.flaw == "it ends early: 768 of 999,964 bytes of audio are there"
    assert found(content, length_met=True) == (len(AUDIO), 0, {PIPE})


@pytest.mark.parametrize("size", [10**9 + 4, 1_500_000_000, 2**31 + 4, 3 * 10**9 + 10**6])
def test_a_server_that_has_sent_all_makes_an_absurd_size_an_unknown_one(size: int) -> None:
    content = riff(fmt(), chunk(b"data", AUDIO, size), size=size + HEADERS)
    assert f"768 of {size:,} bytes" in (structure_of(content).flaw or "")
    assert found(content, length_met=True) == (len(AUDIO), 0, {PIPE})


@pytest.mark.parametrize("outer", [10**6 + HEADERS, 0xFFFFFFFF, 0, 768 + HEADERS])
@pytest.mark.parametrize("length_met", [False, True])
def test_a_size_that_may_be_true_is_a_promise(outer: int, length_met: bool) -> None:
    """A server may have stored a file that was cut before, and announce what it has."""
    content = riff(fmt(), chunk(b"data", AUDIO, 10**6), size=outer)
    assert structure_of(content, length_met=length_met).flaw == (
        "it ends early: 768 of 1,000,000 bytes of audio are there"
    )


@pytest.mark.parametrize("size", UNKNOWN)
def test_a_header_without_audio_is_no_audio(size: int) -> None:
    for outer, length_met in product(SIZES, (False, True)):
        with pytest.raises(NotAWav, match="holds no audio"):
            structure_of(riff(fmt(), chunk(b"data", b"", size), size=outer), length_met=length_met)


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
@pytest.mark.parametrize(
    ("bits", "channels", "cut", "remarks"),
    [
        pytest.param(16, 2, 1, {PIPE, WITHIN_A_FRAME}, id="16 bit, a byte short"),
        pytest.param(16, 2, 4, {PIPE}, id="16 bit, a frame short"),
        pytest.param(24, 1, 1, {PIPE, WITHIN_A_FRAME}, id="24 bit, a byte short"),
        pytest.param(24, 1, 3, {PIPE}, id="24 bit, a frame short"),
        pytest.param(8, 1, 1, {PIPE}, id="8 bit"),
    ],
)
def test_a_frame_that_is_not_whole_is_noticed_in_an_open_file(
    size: int, bits: int, channels: int, cut: int, remarks: set[str]
) -> None:
    frame = bits // 8 * channels
    content = riff(fmt(bits=bits, channels=channels), chunk(b"data", AUDIO, size), size=size)[:-cut]
    assert found(content) == ((len(AUDIO) - cut) // frame * frame, 0, remarks)


def test_the_padding_of_an_odd_open_file_is_no_frame() -> None:
    """As sox writes it: 241 frames of 24 bits."""
    content = riff(fmt(bits=24, channels=1), chunk(b"data", AUDIO[:723], 0x7FFFF000), size=0x7FFFF024)
    assert found(content) == (723, 0, {PIPE})


def sparse(head: bytes, length: int) -> None:
    with FILE.open("wb") as file:
        file.write(head)
        file.truncate(length)


@pytest.mark.parametrize("size", [2**32 - 2, 2**32 - 100, 2**31 - 1000 + HEADERS, 2**31 + HEADERS])
def test_a_correct_header_of_a_long_file_gets_no_remark(size: int) -> None:
    """Its sizes look like those of a pipe."""
    head = riff(fmt(), chunk(b"data", b"", size - HEADERS), size=size)
    sparse(head, size + 8)
    structure = read_structure(FILE)
    assert (structure.format.data_bytes, structure.flaw) == (size - HEADERS, None)
    assert set(structure.remarks) <= {WITHIN_A_FRAME}


@pytest.mark.parametrize("missing", [1, 2, 1000, 10**9])
def test_a_long_file_that_lacks_its_tags_is_not_whole(missing: int) -> None:
    size = 2**30 * 3
    sparse(riff(fmt(), chunk(b"data", b"", size), size=size + HEADERS + 50_000), size + 50_000 + 44 - missing)
    assert read_structure(FILE).missing == missing


def test_audio_of_more_than_a_riff_can_state_goes_on_to_the_end() -> None:
    sparse(riff(fmt(), chunk(b"data", b"", 0xFFFFFFFF), size=0xFFFFFFFF), 5 * 10**9)
    assert read_structure(FILE).format.data_bytes == 5 * 10**9 - 44


# An empty chunk before the audio


EMPTY = chunk(b"data", b"")


@pytest.mark.parametrize(
    "chunks",
    [
        pytest.param([fmt(), EMPTY, chunk(b"data", AUDIO)], id="before it"),
        pytest.param([fmt(), EMPTY, EMPTY, chunk(b"data", AUDIO)], id="two of them"),
        pytest.param([EMPTY, fmt(), chunk(b"data", AUDIO)], id="before the format"),
        pytest.param([fmt(), EMPTY, LIST, chunk(b"data", AUDIO), LIST], id="with tags between"),
        pytest.param([fmt(), EMPTY, ODD_LIST, chunk(b"data", AUDIO)], id="with odd tags between"),
        pytest.param([fmt(), chunk(b"data", AUDIO), EMPTY], id="behind it"),
    ],
)
def test_an_empty_chunk_is_not_the_audio(chunks: list[bytes]) -> None:
    structure = structure_of(riff(*chunks))
    assert (structure.format.data_bytes, structure.flaw, structure.remarks) == (len(AUDIO), None, ())
    start = structure.format.data_start
    assert FILE.read_bytes()[start:][: len(AUDIO)] == AUDIO


@pytest.mark.parametrize("size", UNKNOWN)
def test_the_audio_behind_an_empty_chunk_may_be_open(size: int) -> None:
    content = riff(fmt(), EMPTY, chunk(b"data", AUDIO, size), size=0)
    assert found(content) == (len(AUDIO), 0, {PIPE})


def test_the_audio_behind_an_empty_chunk_may_be_cut() -> None:
    content = riff(fmt(), EMPTY, chunk(b"data", AUDIO))[:-100]
    assert "668 of 768" in (structure_of(content).flaw or "")


@pytest.mark.parametrize("outer", [None, 0, 0xFFFFFFFF])
@pytest.mark.parametrize("more", [LIST, ODD_LIST, ODD_LIST[:-1], EMPTY, LIST + chunk(b"id3 ", b"abcd")])
def test_tags_behind_no_audio_are_no_audio(more: bytes, outer: int | None) -> None:
    with pytest.raises(NotAWav, match="holds no audio"):
        structure_of(riff(fmt(), EMPTY, more, size=outer))


@pytest.mark.parametrize("audio", [bytes(768), AUDIO, b"\xff\x7f\x01\x80" * 192, b"LIST" * 192])
def test_audio_behind_a_size_of_zero_is_no_chunks(audio: bytes) -> None:
    """Its first bytes may look like the name of one."""
    assert found(riff(fmt(), chunk(b"data", audio, 0), size=0)) == (768, 0, {PIPE})


# The last byte


WHOLE = {
    "audio": riff(fmt(), chunk(b"data", AUDIO)),
    "audio, for a pipe": riff(fmt(), chunk(b"data", AUDIO), size=0xFFFFFFFF),
    "odd audio": riff(fmt(bits=8, channels=1), chunk(b"data", AUDIO[:3])),
    "tags": riff(fmt(), chunk(b"data", AUDIO), LIST),
    "odd tags": riff(fmt(), chunk(b"data", AUDIO), ODD_LIST),
    "tags behind odd audio": riff(fmt(bits=8, channels=1), chunk(b"data", AUDIO[:3]), LIST),
    "tags, for a pipe": riff(fmt(), chunk(b"data", AUDIO), LIST, size=0xFFFFFFFF),
    "odd tags, without a size": riff(fmt(), chunk(b"data", AUDIO), ODD_LIST, size=0),
    "tags, the whole is too short": riff(fmt(), chunk(b"data", AUDIO), LIST, size=4),
    "RF64": riff(ds64(768), fmt(), chunk(b"data", AUDIO, 0xFFFFFFFF), name=b"RF64", size=0xFFFFFFFF),
    "RF64, tags": riff(
        ds64(768, 72 + 768 + len(LIST)),
        fmt(),
        chunk(b"data", AUDIO, 0xFFFFFFFF),
        LIST,
        name=b"RF64",
        size=0xFFFFFFFF,
    ),
    "tags, one size too large": riff(fmt(), chunk(b"data", AUDIO), LIST, size=HEADERS + 768 + len(LIST) + 8),
}


@pytest.mark.first_cases(5)
@pytest.mark.parametrize("name", WHOLE)
def test_each_missing_byte_is_noticed_unless_it_is_padding(name: str) -> None:
    whole = WHOLE[name]
    assert structure_of(whole).flaw is None
    assert (structure_of(whole[:-1]).flaw is None) == name.startswith("odd")
    start = structure_of(whole).format.data_start
    for length in (*range(start, len(whole), 97), *range(max(start, len(whole) - 50), len(whole) - 1)):
        structure = structure_of(whole[:length])
        # Without a size of the whole, nothing tells that there were tags.
        no_tags = structure.format.data_bytes <= length - start < structure.format.data_bytes + 8
        assert structure.missing or (no_tags and WRONG_LENGTH in structure.remarks), length


@pytest.mark.parametrize("outer", [None, 0, 0xFFFFFFFF])
@pytest.mark.parametrize(
    "rubbish", [b"trailing bytes", b"TAG" + b"title".ljust(125, b"\0"), b"\0" * 700, b"APETAGEX" + bytes(40)]
)
def test_what_follows_the_end_is_not_cut_short(rubbish: bytes, outer: int | None) -> None:
    remarks = {f"goes on for {len(rubbish)} bytes after its end"}
    content = riff(fmt(), chunk(b"data", AUDIO), size=outer) + rubbish
    assert found(content) == (len(AUDIO), 0, remarks if outer is None else remarks | {WRONG_LENGTH})


# ds64, and what stands before the header


@pytest.mark.parametrize("size", [768, 100, 10**9 + 4, 0])
def test_a_ds64_counts_in_long_forms_only(size: int) -> None:
    """In a RIFF other readers do not know it, and take tags behind such audio for audio."""
    sizes = (ds64(size), fmt(), chunk(b"data", AUDIO, 0xFFFFFFFF))
    assert found(riff(*sizes, size=0xFFFFFFFF)) == (len(AUDIO), 0, {PIPE})
    assert found(riff(*sizes, LIST, size=0xFFFFFFFF)) == (
        (768 + len(LIST)) // 4 * 4,
        0,
        {PIPE} | ({WITHIN_A_FRAME} if len(LIST) % 4 else set()),
    )
    assert structure_of(riff(*sizes, name=b"RF64", size=0xFFFFFFFF)).promised == (size or None)


def test_a_ds64_does_not_tell_the_size_of_a_riff() -> None:
    content = riff(ds64(768, 10**6), fmt(), chunk(b"data", AUDIO), size=0xFFFFFFFF)
    assert found(content) == (len(AUDIO), 0, {WRONG_LENGTH})


FRONT = "begins with an ID3 tag, which some programs take for an MP3"


def id3(size: int, *, flags: int = 0) -> bytes:
    head = b"ID3\4\0" + bytes([flags]) + bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))
    return head + bytes(size) + (b"3DI" + head[3:] if flags & 0x10 else b"")


@pytest.mark.parametrize(
    "front",
    [
        pytest.param(id3(10), id="a tag"),
        pytest.param(id3(0), id="an empty one"),
        pytest.param(id3(11), id="an odd one"),
        pytest.param(id3(300_000), id="a picture"),
        pytest.param(id3(20, flags=0x10), id="with a footer"),
        pytest.param(id3(10) + id3(7), id="two"),
    ],
)
@pytest.mark.first_cases(6)
@pytest.mark.parametrize("name", WHOLE)
def test_an_id3_tag_before_the_header_is_a_remark(name: str, front: bytes) -> None:
    plain, fronted = structure_of(WHOLE[name]), structure_of(front + WHOLE[name])
    assert fronted.remarks == (FRONT, *plain.remarks)
    assert (fronted.flaw, fronted.format.data_bytes) == (None, plain.format.data_bytes)
    assert fronted.format.data_start == plain.format.data_start + len(front)
    assert structure_of(front + WHOLE[name][:-2]).missing > 0 or PIPE in plain.remarks


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(id3(10) + b"\xff\xfb\x90\0" + bytes(400), id="an MP3"),
        pytest.param(id3(10), id="nothing behind it"),
        pytest.param(id3(10)[:-5], id="cut"),
        pytest.param(id3(9) + riff(fmt(), chunk(b"data", AUDIO))[1:], id="nearly a header"),
        pytest.param(b"ID3\4\0\0\xff\xff\xff\xff" + riff(fmt(), chunk(b"data", AUDIO)), id="no size"),
        pytest.param(id3(0) * 9 + riff(fmt(), chunk(b"data", AUDIO)), id="many"),
    ],
)
def test_a_tag_before_something_else_is_an_mp3(content: bytes) -> None:
    with pytest.raises(NotAWav, match="it is an MP3, not a WAV"):
        structure_of(content)


def test_bytes_of_a_riff_are_counted_from_its_header() -> None:
    content = b"".join([id3(11), riff(fmt(), chunk(b"data", AUDIO), LIST)])
    structure = structure_of(content)
    names = [(one.name, one.start) for one in structure.chunks]
    assert names == [(b"ID3 ", 0), (b"fmt ", 41), (b"data", 65), (b"LIST", 841)]
    assert struct.unpack_from("<I", content, 21 + 4)[0] + 8 + 21 == len(content)


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
@pytest.mark.parametrize("cut", [1, 4, 7, 9])
def test_a_few_missing_bytes_of_open_audio_are_noticed_by_the_size_of_the_whole(size: int, cut: int) -> None:
    content = riff(fmt(), chunk(b"data", AUDIO, size), size=HEADERS + len(AUDIO))
    assert found(content)[1] == 0
    assert found(content[:-cut])[1] == cut
