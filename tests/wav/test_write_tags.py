"""Tags in WAVs as programs write them: the audio stays as it is, and everybody reads what was written."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import wave
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from mutagen import id3
from mutagen.wave import WAVE

from suno_wav_cli.errors import TagsNotWritten
from suno_wav_cli.models import Cover, SongTags
from suno_wav_cli.wav.structure import read_format
from suno_wav_cli.wav.write_tags import check_tagging_possible, write_tags

if TYPE_CHECKING:
    from typing_extensions import Buffer

PICTURE = Cover(content=b"\xff\xd8\xff\xe0 a JPEG, near enough", media_type="image/jpeg")
TAGS = SongTags(
    title="Là-haut ♪", style="indie pop, dreamy", lyrics="[Verse]\nla la\n\n[Chorus]\n春の歌", cover=PICTURE
)
PLAIN = SongTags(title="A title", style="sine", lyrics="la", cover=PICTURE)
UNKNOWN = 0xFFFFFFFF
DIRECTION_MARKS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack("<4sI", name, len(content)) + content + b"\0" * (len(content) % 2)


FMT = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 48000, 48000, 1, 8))
OTHERS = {
    "info": chunk(b"LIST", b"INFO" + chunk(b"INAM", b"an old title\0") + chunk(b"ISFT", b"Lavf\0")),
    "id3": chunk(b"id3 ", b"ID3\x03\0\0\0\0\0\x0a" + bytes(10)),
    "ID3": chunk(b"ID3 ", b"ID3\x04\0\0\0\0\0\x0a" + bytes(10)),
    "charset": chunk(b"CSET", struct.pack("<HHHH", 1252, 0, 0, 0)),
    "labels": chunk(b"LIST", b"adtl" + chunk(b"labl", struct.pack("<I", 1) + b"here\0")),
    "odd": chunk(b"odd ", b"abc"),
    "empty list": chunk(b"LIST", b""),
    "cues": chunk(b"cue ", struct.pack("<I", 0)),
}
OLD_TAGS = {"info", "id3", "ID3", "charset"}


def wav(
    audio: bytes, *, before: bytes = b"", after: bytes = b"", form: bytes = b"RIFF", size: int | None = None
) -> bytes:
    """Make a WAV of 8 bit; `size` is the one that a RIFF's header claims."""
    body = before + FMT + chunk(b"data", audio) + after
    if form == b"RIFF":
        return form + struct.pack("<I", 4 + len(body) if size is None else size) + b"WAVE" + body
    body = body.replace(b"data" + struct.pack("<I", len(audio)), b"data" + struct.pack("<I", UNKNOWN))
    sizes = struct.pack("<QQQI", 4 + 36 + len(body), len(audio), len(audio), 0)
    return form + struct.pack("<I", UNKNOWN) + b"WAVE" + chunk(b"ds64", sizes) + body


@dataclass(frozen=True)
class Read:
    """A file as a strict reader finds it: every chunk in order, whole, padded, up to the end that the header tells."""

    chunks: list[tuple[bytes, bytes]]

    def of(self, name: bytes) -> bytes:
        (content,) = [content for found, content in self.chunks if found == name]
        return content

    @property
    def lists(self) -> list[bytes]:
        return [content for name, content in self.chunks if name == b"LIST" and content[:4] == b"INFO"]

    @property
    def info(self) -> dict[str, str]:
        (content,) = self.lists
        return {
            name.decode(): text.removesuffix(b"\0").decode() for name, text in split(content[4:], long=None)
        }

    @property
    def id3(self) -> id3.ID3:
        return id3.ID3(io.BytesIO(self.of(b"id3 ")), translate=False)


def read(content: bytes) -> Read:
    form, size, kind = struct.unpack_from("<4sI4s", content)
    assert form in (b"RIFF", b"RF64", b"BW64")
    assert kind == b"WAVE"
    long = None
    if form != b"RIFF":
        assert (size, content[12:16]) == (UNKNOWN, b"ds64")
        size, long = struct.unpack_from("<QQ", content, 20)
    assert size == len(content) - 8
    assert size % 2 == 0
    return Read(chunks=split(content[12:], long=long))


def split(content: bytes, *, long: int | None) -> list[tuple[bytes, bytes]]:
    found, at = [], 0
    while at < len(content):
        name, size = struct.unpack_from("<4sI", content, at)
        size = long if name == b"data" and long is not None else size
        assert at + 8 + size + size % 2 <= len(content)
        assert size % 2 == 0 or content[at + 8 + size] == 0
        found.append((name, content[at + 8 : at + 8 + size]))
        at += 8 + size + size % 2
    return found


def tagged(content: bytes, tags: SongTags = TAGS) -> bytes:
    file = io.BytesIO(content)
    write_tags(file, tags)
    return file.getvalue()


def made_by_wave(path: Path) -> bytes:
    audio = bytes(range(256)) * 24
    with wave.open(str(path), "wb") as writer:
        writer.setparams((2, 3, 44100, 0, "NONE", ""))
        writer.writeframes(audio)
    return audio


# What is written, and who reads it


def test_a_file_is_tagged_where_it_is(tmp_path: Path) -> None:
    path = tmp_path / "song.wav"
    audio = made_by_wave(path)
    before = path.read_bytes()
    with path.open("r+b") as file:
        write_tags(file, TAGS)
    after = path.read_bytes()
    assert after[8:].startswith(before[8:])
    assert read(after).of(b"data") == audio
    assert read_format(path).data_bytes == len(audio)
    with wave.open(str(path)) as reader:
        assert reader.readframes(reader.getnframes()) == audio


def test_both_worlds_find_all_that_they_can_hold() -> None:
    found = read(tagged(wav(b"audio")))
    assert found.info == {"INAM": TAGS.title, "IGNR": TAGS.style, "ICMT": TAGS.lyrics}
    assert found.id3.version == (2, 3, 0)
    assert {frame.HashKey: str(frame) for frame in found.id3.values() if frame.FrameID != "APIC"} == {
        "TIT2": TAGS.title,
        "TCON": TAGS.style,
        "USLT::und": TAGS.lyrics,
    }
    (picture,) = found.id3.getall("APIC")
    assert (picture.mime, picture.type, picture.data) == ("image/jpeg", 3, PICTURE.content)


def test_another_program_finds_the_tags(tmp_path: Path) -> None:
    path = tmp_path / "song.wav"
    path.write_bytes(tagged(wav(b"audio")))
    found = WAVE(path)
    assert [str(found[frame]) for frame in ("TIT2", "TCON", "USLT::und")] == [
        TAGS.title,
        TAGS.style,
        TAGS.lyrics,
    ]


def test_a_list_says_how_it_is_encoded_where_that_matters() -> None:
    names = [[name for name, _ in read(tagged(wav(b"audio"), tags)).chunks] for tags in (TAGS, PLAIN)]
    assert names == [
        [b"fmt ", b"data", b"CSET", b"LIST", b"id3 "],
        [b"fmt ", b"data", b"LIST", b"id3 "],
    ]
    assert struct.unpack("<HHHH", read(tagged(wav(b"audio"))).of(b"CSET"))[0] == 65001


@pytest.mark.parametrize("without", ["title", "style", "lyrics", "cover"])
def test_what_is_not_known_is_not_written(without: str) -> None:
    found = read(tagged(wav(b"audio"), replace(TAGS, **{without: None})))
    missing = {"title": "TIT2", "style": "TCON", "lyrics": "USLT", "cover": "APIC"}[without]
    assert {frame.FrameID for frame in found.id3.values()} == {"TIT2", "TCON", "USLT", "APIC"} - {missing}
    assert len(found.info) == (3 if without == "cover" else 2)


def test_a_cover_alone_makes_no_list() -> None:
    found = read(tagged(wav(b"audio"), SongTags(cover=PICTURE)))
    assert [name for name, _ in found.chunks] == [b"fmt ", b"data", b"id3 "]


@pytest.mark.parametrize(
    "nothing", [SongTags(), SongTags(title="", style=" ", lyrics="\0\n")], ids=["nothing", "nothing visible"]
)
def test_a_song_of_which_nothing_is_known_is_left_alone(nothing: SongTags) -> None:
    content = wav(b"audio", after=OTHERS["info"], size=UNKNOWN)
    assert tagged(content, nothing) == content


@pytest.mark.first_cases(3)
@pytest.mark.parametrize("mark", DIRECTION_MARKS)
def test_direction_marks_go_from_titles(mark: str) -> None:
    """They would turn around what a player shows beside the title. In lyrics they keep lines in order."""
    tags = SongTags(title=f"{mark}a{mark}b {mark}", style=f"pop{mark}", lyrics=f"la{mark}la")
    found = read(tagged(wav(b"audio"), tags))
    assert found.info == {"INAM": "ab", "IGNR": "pop", "ICMT": f"la{mark}la"}
    assert (str(found.id3["TIT2"]), str(found.id3["TCON"])) == ("ab", "pop")


def test_what_joins_letters_stays_in_titles() -> None:
    title = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 \U0001f468\u200d\U0001f3a4"
    assert read(tagged(wav(b"audio"), SongTags(title=title))).info == {"INAM": title}


@pytest.mark.parametrize(
    ("style", "written"),
    [
        ("17", '"17"'),
        ("(17)", "[17]"),
        ("(17)Rock on", "[17]Rock on"),
        ("((17)", '"([17]"'),
        ("80s pop", '"80s pop"'),
        ("17, dreamy", '"17, dreamy"'),
        ("-5 x", '"-5 x"'),
        ("+17", '"+17"'),
        ("1980", '"1980"'),
        ("\uff11\uff17", '"\uff11\uff17"'),
        ("\u0661\u0667", '"\u0661\u0667"'),
        ("\u00b2", '"\u00b2"'),
        ("RX", '"RX"'),
        ("CR", '"CR"'),
        ("(RX)", "[RX]"),
        ("pop (80)", "pop [80]"),
        ("pop/17", "pop/ 17"),
        ("pop/17/RX", "pop/ 17/ RX"),
        ("(live) pop", '"(live) pop"'),
        ("pop (live)", "pop (live)"),
        ("pop, 80s", "pop, 80s"),
        ("Crunk", "Crunk"),
        ("drum/bass", "drum/bass"),
    ],
)
def test_a_style_is_no_number_of_a_genre(style: str, written: str) -> None:
    """17 is Rock in ID3v1, 80 is Folk. What each program takes for a number stands at the function."""
    found = read(tagged(wav(b"audio"), SongTags(style=style)))
    assert found.info == {"IGNR": written}
    assert str(found.id3["TCON"]) == written
    # mutagen's own reading of genres.
    assert found.id3["TCON"].genres == [written]


# What is there already


@pytest.mark.first_cases(3)
@pytest.mark.parametrize("after", OTHERS)
@pytest.mark.parametrize("before", OTHERS)
def test_tags_are_replaced_and_everything_else_stays(before: str, after: str) -> None:
    content = wav(b"audio", before=OTHERS[before], after=OTHERS[after])
    found = read(tagged(content))
    stay = [name for name, _ in read(content).chunks]
    if after in OLD_TAGS:
        stay.pop()
    if before in OLD_TAGS:
        stay[0] = b"JUNK"
    assert [name for name, _ in found.chunks] == [*stay, b"CSET", b"LIST", b"id3 "]
    assert found.info["INAM"] == TAGS.title
    assert found.of(b"data") == b"audio"


def test_tags_between_others_become_filler() -> None:
    found = read(tagged(wav(b"audio", after=OTHERS["info"] + OTHERS["labels"] + OTHERS["ID3"])))
    names = [name for name, _ in found.chunks]
    assert names == [b"fmt ", b"data", b"JUNK", b"LIST", b"CSET", b"LIST", b"id3 "]


def test_shorter_tags_leave_nothing_of_longer_ones() -> None:
    assert tagged(tagged(wav(b"audio"), TAGS), PLAIN) == tagged(wav(b"audio"), PLAIN)


def test_a_last_chunk_that_is_not_padded_gets_its_byte() -> None:
    content = wav(b"audio")
    assert tagged(content[:-1]) == tagged(content)


@pytest.mark.parametrize("size", [0, UNKNOWN, 0x7FFFFFFF])
def test_a_header_that_does_not_know_its_size_learns_it(size: int) -> None:
    assert tagged(wav(b"audio", size=size)) == tagged(wav(b"audio"))


# What takes no tags


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"<!DOCTYPE html>", id="a page"),
        pytest.param(b"RIFF\x04\0\0\0AVI ", id="not a WAVE"),
        pytest.param(b"RIFX" + wav(b"audio")[4:], id="big-endian"),
        pytest.param(OTHERS["ID3"][8:] + wav(b"audio"), id="ID3 before the header"),
        pytest.param(
            wav(b"audio!", before=chunk(b"ds64", struct.pack("<QQQI", 84, 6, 6, 0)), size=UNKNOWN).replace(
                b"data\6\0\0\0", b"data\xff\xff\xff\xff"
            ),
            id="a RIFF with ds64, whose audio has no end for other readers",
        ),
        pytest.param(
            wav(b"audio!" * 9, size=UNKNOWN).replace(b"data\x36", b"data\0"),
            id="for a pipe, with a size of 0",
        ),
        pytest.param(b"RIFF\x04\0\0\0WAVE", id="no chunk"),
        pytest.param(wav(b"audio").replace(b"data", b"date"), id="no audio"),
        pytest.param(wav(b"audio!")[:-1], id="cut short"),
        pytest.param(wav(b"audio") + b"\0\0", id="something behind the end"),
        pytest.param(wav(b"audio") + b"TAG" + bytes(125), id="something long behind the end"),
        pytest.param(
            wav(b"audio!", size=UNKNOWN).replace(b"data\6\0\0\0", b"data\xff\xff\xff\xff"), id="for a pipe"
        ),
        pytest.param(
            wav(b"audio!", form=b"RF64")[:12] + wav(b"audio!", form=b"RF64")[48:], id="RF64 without ds64"
        ),
        pytest.param(
            b"RF64\xff\xff\xff\xffWAVE" + chunk(b"ds64", bytes(8)) + wav(b"audio")[12:], id="a short ds64"
        ),
        pytest.param(wav(b"audio", before=chunk(b"none", b"") * 20_000), id="a hostile number of chunks"),
    ],
)
def test_what_takes_no_tags_stays_as_it_is(content: bytes) -> None:
    file = io.BytesIO(content)
    with pytest.raises(TagsNotWritten) as failed:
        write_tags(file, TAGS)
    assert file.getvalue() == content
    assert failed.value.message.startswith("the file takes no tags: ")


def sparse(path: Path, head: bytes, length: int) -> None:
    with path.open("wb") as file:
        file.write(head)
        file.truncate(length)


def test_a_file_that_would_be_too_large_for_a_riff_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "song.wav"
    audio = 2**32 - 200
    head = wav(b"")
    sparse(path, head[:-4] + struct.pack("<I", audio), len(head) + audio)
    before = path.stat()
    with path.open("r+b") as file, pytest.raises(TagsNotWritten, match="larger than a WAV can be"):
        write_tags(file, TAGS)
    # To read it changes the time of its last access.
    after = path.stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)


def test_an_rf64_may_be_larger(tmp_path: Path) -> None:
    path = tmp_path / "song.wav"
    audio = 2**32 + 100
    head = wav(b"", form=b"RF64")
    sizes = struct.pack("<QQ", len(head) + audio - 8, audio)
    sparse(path, head[:20] + sizes + head[36:], len(head) + audio)
    with path.open("r+b") as file:
        write_tags(file, TAGS)
        length = file.seek(0, os.SEEK_END)
        file.seek(0)
        form, size, _, _, _, long_size, data_size = struct.unpack("<4sI4s4sIQQ", file.read(36))
        assert (form, size, long_size, data_size) == (b"RF64", UNKNOWN, length - 8, audio)
        file.seek(len(head) + audio)
        names = [name for name, _ in split(file.read(), long=None)]
    assert names == [b"CSET", b"LIST", b"id3 "]
    assert read_format(path).data_bytes == audio


# What is left when it does not come to its end


class Dying(io.BytesIO):
    """A disk that takes so many writes, and half of the next."""

    def __init__(self, content: bytes, writes: int) -> None:
        super().__init__(content)
        self.left = writes

    def write(self, content: Buffer, /) -> int:
        if self.left == 0:
            half = bytes(content)
            super().write(half[: len(half) // 2])
            raise OSError(28, os.strerror(28))
        self.left -= 1
        return super().write(content)


@pytest.mark.parametrize("form", [b"RIFF", b"RF64"])
@pytest.mark.parametrize("after", ["info", "odd"])
@pytest.mark.parametrize("writes", range(8))
def test_a_file_that_is_left_halfway_says_no_more_than_it_has(
    writes: int, after: str, form: bytes, tmp_path: Path
) -> None:
    content = wav(b"audio!", before=OTHERS["info"], after=OTHERS[after], form=form)
    file = Dying(content.removesuffix(b"\0") if after == "odd" else content, writes)
    try:
        write_tags(file, TAGS)
    except OSError:
        left = file.getvalue()
        size = (
            struct.unpack_from("<Q", left, 20)[0] if form == b"RF64" else struct.unpack_from("<I", left, 4)[0]
        )
        # The byte that is missing behind the last chunk is counted by the header as it came.
        assert size + 8 <= len(left) + (writes == 0 and after == "odd")
        path = tmp_path / "left.wav"
        path.write_bytes(left)
        assert read_format(path).data_bytes == len(b"audio!")
    else:
        assert read(file.getvalue()).info["INAM"] == TAGS.title
        assert writes > 3


# Anything


TEXTS = st.none() | st.text(st.characters(codec=None), max_size=40)
ANY_TAGS = st.builds(
    SongTags,
    title=TEXTS,
    style=TEXTS,
    lyrics=TEXTS,
    # mutagen takes a picture of nothing but nulls for none.
    cover=st.none()
    | st.builds(
        Cover,
        content=st.binary(max_size=64).map(PICTURE.content.__add__),
        media_type=st.sampled_from(["image/jpeg", "image/png"]),
    ),
)
CHUNKS = st.lists(st.sampled_from([*OTHERS.values()]), max_size=3).map(b"".join)
ANY_WAV = st.builds(
    wav,
    st.binary(max_size=33),
    before=CHUNKS,
    after=CHUNKS,
    form=st.sampled_from([b"RIFF", b"RF64", b"BW64"]),
)


@given(content=ANY_WAV, tags=ANY_TAGS)
@example(content=wav(b"odd"), tags=SongTags(title="\ud800", style="a\0b", lyrics="x\r\ny\u2028z\x85"))
@example(content=wav(b"odd"), tags=SongTags(title="\ufeffmark", style="(17)", lyrics="𝄞"))
def test_whatever_is_written_the_file_is_whole_and_its_audio_untouched(
    content: bytes, tags: SongTags
) -> None:
    once = tagged(content, tags)
    found = read(once)
    assert found.of(b"data") == read(content).of(b"data")
    assert tagged(once, tags) == once
    if once == content:
        return
    assert len(found.lists) <= 1
    frames = {frame.FrameID: frame for frame in found.id3.values()}
    texts = found.info if found.lists else {}
    for name, frame in (("INAM", "TIT2"), ("IGNR", "TCON"), ("ICMT", "USLT")):
        assert texts.get(name, "") == (str(frames[frame]) if frame in frames else "")
    assert ("APIC" in frames) == (tags.cover is not None)
    if tags.cover is not None:
        assert frames["APIC"].data == tags.cover.content


@given(content=ANY_WAV, at=st.integers(0, 200), bytes_there=st.binary(min_size=1, max_size=9))
@example(content=wav(b"audio!", form=b"RF64"), at=28, bytes_there=b"\xff" * 8)
@example(content=wav(b"audio!"), at=40, bytes_there=b"\xff" * 4)
def test_a_damaged_file_takes_tags_or_stays_as_it_is(content: bytes, at: int, bytes_there: bytes) -> None:
    content = content[:at] + bytes_there + content[at + len(bytes_there) :]
    file = io.BytesIO(content)
    try:
        write_tags(file, TAGS)
    except TagsNotWritten:
        assert file.getvalue() == content
    else:
        assert tagged(file.getvalue()) == file.getvalue()


@pytest.mark.long
@given(
    st.text(
        st.characters(exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp"], exclude_characters=DIRECTION_MARKS),
        min_size=1,
    )
)
def test_a_text_without_control_characters_is_written_letter_for_letter(text: str) -> None:
    lines = f"{text}\n\n{text}"
    found = read(tagged(wav(b"audio"), SongTags(title=text, lyrics=lines)))
    assert found.info == {"INAM": text, "ICMT": lines}


@given(st.text(st.characters(codec=None)))
def test_no_control_character_is_written(text: str) -> None:
    content = wav(b"audio")
    written = tagged(content, SongTags(title=text, style=text, lyrics=text))
    if written != content:
        info = read(written).info
        assert {character for text in info.values() for character in text if character < " "} <= {"\n", "\t"}
        assert "\n" not in info.get("INAM", "") + info.get("IGNR", "")


# The extra


def test_where_the_extra_is_installed_tagging_is_possible() -> None:
    check_tagging_possible()


def test_where_the_extra_is_missing_the_remedy_is_said() -> None:
    script = (
        "import sys; sys.path = [path for path in sys.path if 'site-packages' not in path]; "
        "from suno_wav_cli.errors import UsageError; from suno_wav_cli.wav.write_tags import check_tagging_possible\n"
        "try: check_tagging_possible()\nexcept UsageError as error: print(error.message, error.remedy)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "--tag needs a package" in done.stdout
    assert "'suno-wav-cli[tags]'" in done.stdout
