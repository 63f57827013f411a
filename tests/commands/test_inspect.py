"""`inspect`, on what real programs have written, and on what is left of it after ten thousand accidents."""

from __future__ import annotations

import json
import os
import random
import shutil
import struct
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from suno_wav_cli.commands import inspect as inspection
from suno_wav_cli.errors import NotAWholeWav
from suno_wav_cli.events.commands import Inspected
from suno_wav_cli.models import AudioLevels, Tag
from suno_wav_cli.terminal.waveform import describe_levels
from suno_wav_cli.wav.structure import read_format
from tests.support.event_log import EventLog
from tests.support.program import command_line, run_program
from tests.support.quick import shortlist
from tests.terminal.test_screen import screen_of
from tests.wav.test_structure import PIPE, chunk, fmt, riff

WAVES = Path(__file__).parent.parent / "waves"
TABLE: dict[str, dict[str, Any]] = json.loads((WAVES / "table.json").read_text())
ENCODINGS = {"alaw": "A-law", "mulaw": "mu-law", "adpcm_ima_wav": "IMA ADPCM", "adpcm_ms": "Microsoft ADPCM"}
MP3_FRAME = 1152


def inspected(path: Path) -> Inspected:
    found = EventLog()
    inspection.inspect_files([path], found.append)
    (event,) = found
    assert isinstance(event, Inspected)
    return event


@pytest.mark.first_cases(4)
@pytest.mark.parametrize("name", TABLE)
def test_what_a_real_program_has_written_is_what_ffmpeg_finds_in_it(name: str) -> None:
    expected = TABLE[name]
    event = inspected(WAVES / name)
    found = event.wav
    assert (event.exit_code, event.problem) == (0, None)
    assert found is not None
    wav, codec = found.format, expected["codec"]
    assert (wav.sample_rate, wav.channels) == (expected["sample_rate"], expected["channels"])
    frames = wav.seconds * wav.sample_rate
    assert frames == pytest.approx(expected["frames"], abs=MP3_FRAME if codec == "mp3" else 0.001)
    if codec.startswith("pcm_") and codec not in ENCODINGS and codec[4:] not in ENCODINGS:
        kind, bits = codec[4], int(codec[5:].removesuffix("le"))
        assert (wav.encoding, wav.bits) == ("float" if kind == "f" else "PCM", bits)
        assert found.levels is not None
        assert (found.levels.peak, found.levels.loudness) == (expected["peak"], expected["loudness"])
        assert found.levels.silent == (expected["peak"] is None)
    else:
        assert wav.encoding == ENCODINGS.get(codec.removeprefix("pcm_"), codec.upper())
        assert found.levels is None
    assert found.container == ("RF64" if "rf64" in name else "BW64" if "bw64" in name else "RIFF")
    assert (PIPE in found.remarks) == ("pipe" in name)
    if expected["title"]:
        assert expected["title"] in {tag.value for tag in found.tags if tag.name == "title"}


def test_silence_and_clipping_are_seen() -> None:
    padded = inspected(WAVES / "sox-padded.wav").wav
    clipped = inspected(WAVES / "sox-clipped.wav").wav
    assert padded is not None
    assert padded.levels is not None
    assert (padded.levels.quiet_start, padded.levels.quiet_end) == (0.6, 0.7)
    assert clipped is not None
    assert clipped.levels is not None
    assert clipped.levels.clipped > 10


def test_both_kinds_of_tags_are_read() -> None:
    info = inspected(WAVES / "ffmpeg-s16-tags.wav").wav
    id3 = inspected(WAVES / "mutagen-id3.wav").wav
    assert info is not None
    assert set(info.tags) >= {
        Tag(name="title", key="INAM", value="Größe"),
        Tag(name="artist", key="IART", value="ffmpeg"),
    }
    assert id3 is not None
    assert set(id3.tags) == {
        Tag(name="title", key="TIT2", value="Größe"),
        Tag(name="lyrics", key="USLT", value="la la\nla"),
        Tag(name="cover", key="APIC", value="image/png, 15 bytes"),
    }


@pytest.mark.long
def test_without_mutagen_the_extra_is_named(tmp_path: Path) -> None:
    """In an environment that does not have it: its name leads to nothing there."""
    (tmp_path / "mutagen.py").write_text("raise ImportError('not installed')\n")
    done = subprocess.run(
        command_line("inspect", str(WAVES / "mutagen-id3.wav")),
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "has ID3 tags, which the extra `tags` reads" in done.stdout


def id3_tag(*frames: bytes, version: int = 3, flags: int = 0, before: bytes = b"") -> bytes:
    body = before + b"".join(frames)
    return b"ID3" + bytes([version, 0, flags]) + syncsafe(len(body)) + body


def syncsafe(number: int) -> bytes:
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def id3_frame(name: bytes, content: bytes, *, version: int = 3, flags: int = 0) -> bytes:
    size = syncsafe(len(content)) if version == 4 else struct.pack(">I", len(content))
    return name + size + struct.pack(">H", flags) + content


def tags_of(content: bytes) -> tuple[tuple[str, ...], set[Tag]]:
    """Give the remarks and the tags of a file with this chunk `id3 `."""
    Path("song.wav").write_bytes(riff(fmt(), chunk(b"data", bytes(400)), chunk(b"id3 ", content)))
    found = inspected(Path("song.wav")).wav
    assert found is not None
    return found.remarks, set(found.tags)


COMPRESSED = "has compressed ID3 tags, which are not read"
UNREADABLE = "has ID3 tags, which cannot be read"
COMPRESSED_ID3 = id3_tag(id3_frame(b"TIT2", bytes(20), flags=0x0080), bytes(2))
TITLE = id3_frame(b"TIT2", b"\0Song")
TITLE_4 = id3_frame(b"TIT2", b"\0Song", version=4)
HALF_A_MEGABYTE = 1 << 19


def repeated(frame: bytes) -> bytes:
    return frame * (HALF_A_MEGABYTE // len(frame))


@pytest.mark.parametrize(
    "hostile",
    [
        pytest.param(id3_tag(repeated(id3_frame(b"PRIV", b"x"))), id="frames"),
        pytest.param(
            id3_tag(repeated(id3_frame(b"PRIV", b"x", version=4)), version=4), id="frames of ID3v2.4"
        ),
        pytest.param(id3_tag(repeated(b"PRI\0\0\1x"), version=2), id="frames of ID3v2.2"),
        pytest.param(id3_tag(repeated(b"PRIV" + bytes(6))), id="empty frames"),
        pytest.param(
            id3_tag(repeated(id3_frame(b"PRIV", b"\xff") + b"\0"), flags=0x80), id="unsynchronised frames"
        ),
        pytest.param(
            id3_tag(repeated(id3_frame(b"PRIV", b"x")), flags=0x40, before=struct.pack(">I6x", 6)),
            id="frames after an extended header",
        ),
        pytest.param(
            id3_tag(
                repeated(id3_frame(b"PRIV", b"x", version=4)),
                version=4,
                flags=0x40,
                before=syncsafe(6) + b"\1\0",
            ),
            id="frames after an extended header of ID3v2.4",
        ),
        pytest.param(id3_tag(repeated(id3_frame(b"TXXX", b"\0\0a"))), id="texts that others name"),
        pytest.param(id3_tag(TITLE * 501), id="titles"),
        pytest.param(id3_tag(id3_frame(b"TIT2", b"\0" + b"a\0" * 500 + b"a")), id="texts in one frame"),
        pytest.param(
            id3_tag(id3_frame(b"TIT2", b"\2" + b"\0a\0\0" * 500 + b"\0a")), id="texts in one frame, in UTF-16"
        ),
        pytest.param(id3_tag(id3_frame(b"TCON", b"\0" + b"(1)" * 100_000)), id="genres"),
        pytest.param(id3_tag(id3_frame(b"USLT", b"\1und" + b"\xff\xfea\0" * 100_000)), id="lyrics"),
    ],
)
def test_tags_that_would_take_long_are_not_read(hostile: bytes) -> None:
    """Whether they are is told by what is said; how long one of them takes otherwise grows with the square of its size."""
    assert tags_of(hostile) == ((UNREADABLE,), set())


def test_only_the_first_chunk_of_id3_is_read() -> None:
    chunks = [chunk(b"id3 ", content) for content in (id3_tag(TITLE), *[b"nothing of the kind"] * 100)]
    Path("song.wav").write_bytes(riff(fmt(), chunk(b"data", bytes(400)), *chunks))
    found = inspected(Path("song.wav")).wav
    assert found is not None
    assert (found.remarks, found.tags) == ((), (Tag(name="title", key="TIT2", value="Song"),))


@pytest.mark.parametrize(
    "bomb",
    [
        pytest.param(id3_tag(id3_frame(b"USLT", bytes(20), flags=0x80), TITLE), id="ID3v2.3"),
        pytest.param(
            id3_tag(id3_frame(b"APIC", bytes(20), version=4, flags=0x09), TITLE_4, version=4), id="ID3v2.4"
        ),
        pytest.param(
            id3_tag(id3_frame(b"TIT2", bytes(20), flags=0x80).replace(b"\x80", b"\xff\0"), flags=0x80),
            id="unsynchronised",
        ),
        pytest.param(
            id3_tag(id3_frame(b"TIT2", bytes(20), flags=0x80), flags=0x40, before=struct.pack(">I6x", 6)),
            id="after an extended header",
        ),
    ],
)
def test_compressed_tags_are_not_read(bomb: bytes) -> None:
    assert tags_of(bomb) == ((COMPRESSED,), set())


def test_what_is_compressed_in_the_text_of_another_frame_is_text() -> None:
    hidden = id3_frame(b"TIT2", b"\1" * 20, flags=0x80)
    lyrics = id3_frame(b"USLT", b"\0eng\0" + hidden.replace(b"\0", b"\1"), version=4)
    remarks, tags = tags_of(id3_tag(lyrics, TITLE_4, version=4))
    assert remarks == ()
    assert {tag.name for tag in tags} == {"title", "lyrics"}


LONG = "la" * 100
OLD_PICTURE = b"\0image/png\0\3front\0" + b"\xff\0" * 500_000


@pytest.mark.first_cases(4)
@pytest.mark.parametrize(
    ("content", "tags"),
    [
        pytest.param(id3_tag(TITLE, bytes(2000)), {("TIT2", "Song")}, id="padded"),
        pytest.param(id3_tag(TITLE * 500), {("TIT2", "Song")}, id="as many frames as are read"),
        pytest.param(
            id3_tag(id3_frame(b"TIT2", b"\0Song" + bytes(1000))),
            {("TIT2", "Song")},
            id="a title that is filled up",
        ),
        pytest.param(
            id3_tag(id3_frame(b"TIT2", b"\3One\0Two", version=4), version=4),
            {("TIT2", "One; Two")},
            id="two titles",
        ),
        pytest.param(
            id3_tag(id3_frame(b"TIT2", b"\0\0\0\5\1\xff\0\xfeS\0", version=4, flags=0x03), version=4),
            {("TIT2", "S")},
            id="an unsynchronised frame",
        ),
        pytest.param(
            id3_tag(id3_frame(b"TIT2", b"\1\xff\0\xfeS\0").replace(b"\x06", b"\x05", 1), flags=0x80),
            {("TIT2", "S")},
            id="an unsynchronised tag",
        ),
        pytest.param(
            id3_tag(id3_frame(b"TIT2", b"\1\xff\xfeS\0"), flags=0x80),
            {("TIT2", "S")},
            id="a tag that only says that it is unsynchronised",
        ),
        pytest.param(
            id3_tag(TITLE, flags=0x40),
            {("TIT2", "Song")},
            id="a tag that only says that it has an extended header",
        ),
        pytest.param(
            id3_tag(TITLE, flags=0x40, before=struct.pack(">I6x", 6)),
            {("TIT2", "Song")},
            id="an extended header",
        ),
        pytest.param(
            id3_tag(id3_frame(b"USLT", b"\0eng\0" + LONG.encode()), TITLE, version=4),
            {("USLT", LONG), ("TIT2", "Song")},
            id="plain sizes where they should be syncsafe",
        ),
        pytest.param(
            id3_tag(id3_frame(b"TIT2", b"\0" + LONG.encode()), version=4),
            {("TIT2", LONG)},
            id="one plain size",
        ),
        pytest.param(
            id3_tag(id3_frame(b"TIT2", b"no", flags=0x40), id3_frame(b"TALB", b"\0Album")),
            {("TALB", "Album")},
            id="an encrypted title",
        ),
        pytest.param(
            id3_tag(TITLE, id3_frame(b"APIC", OLD_PICTURE)),
            {("TIT2", "Song"), ("APIC", "image/png, 1,000,000 bytes")},
            id="a large cover",
        ),
        pytest.param(
            id3_tag(id3_frame(b"APIC", b"\1\0\3\xff\xfea\0\0\1\0\0" + b"data")),
            {("APIC", "a picture, 4 bytes")},
            id="a cover that is described in UTF-16",
        ),
        pytest.param(id3_tag(id3_frame(b"APIC", b"\1image/png\0\3" + b"a" * 100_000)), set(), id="no cover"),
        pytest.param(id3_tag(id3_frame(b"TCON", b"\0(17)")), {("TCON", "Rock")}, id="an old genre"),
        pytest.param(
            id3_tag(id3_frame(b"USLT", b"\1und\xff\xfe\0\0\xff\xfe" + ("la" * 50_000).encode("utf-16-le"))),
            {("USLT", "la" * 50_000)},
            id="long lyrics",
        ),
    ],
)
def test_tags_are_read_in_every_form_that_programs_write(content: bytes, tags: set[tuple[str, str]]) -> None:
    remarks, found = tags_of(content)
    assert remarks == ()
    assert {(tag.key, tag.value) for tag in found} == tags


@pytest.mark.parametrize(
    ("more", "remark"),
    [
        pytest.param(chunk(b"id3 ", COMPRESSED_ID3), COMPRESSED, id="zlib"),
        pytest.param(chunk(b"id3 ", b"nothing of the kind"), UNREADABLE, id="no ID3"),
        pytest.param(chunk(b"id3 ", b"ID3"), UNREADABLE, id="hardly any ID3"),
        pytest.param(chunk(b"id3 ", id3_tag(TITLE)[:-1]), UNREADABLE, id="ID3 that ends early"),
        pytest.param(
            chunk(b"id3 ", id3_tag(b"\xff" * 8, flags=0x40)), UNREADABLE, id="an endless extended header"
        ),
        pytest.param(chunk(b"LIST", b"INFO" + b"INAM\xff\xff\xff\xffcut"), None, id="an endless title"),
        pytest.param(chunk(b"LIST", b"adtl" + bytes(40)), None, id="another list"),
    ],
)
def test_tags_that_are_none_are_no_harm(more: bytes, remark: str | None) -> None:
    Path("song.wav").write_bytes(riff(fmt(), chunk(b"data", bytes(400)), more))
    found = inspected(Path("song.wav")).wav
    assert found is not None
    assert found.remarks == ((remark,) if remark else ())


def test_latin_titles_of_old_windows_are_read() -> None:
    title = chunk(b"INAM", "Größe".encode("cp1252") + b"\0")
    Path("song.wav").write_bytes(riff(fmt(), chunk(b"data", bytes(400)), chunk(b"LIST", b"INFO" + title)))
    found = inspected(Path("song.wav")).wav
    assert found is not None
    assert found.tags == (Tag(name="title", key="INAM", value="Größe"),)


def test_a_person_reads_what_it_is() -> None:
    done = run_program("inspect", str(WAVES / "sox-s16-stereo.wav"))
    lines = done.out.splitlines()
    assert (done.code, done.err) == (0, "")
    assert lines[1:9] == [
        "container RIFF, 1,008 bytes",
        "format    0:00, 8 kHz, 16 bit PCM, stereo",
        "length    0.030 s",
        "peak      -3.0 dBFS",
        "loudness  -9.0 dBFS (RMS)",
        "clipping  none",
        "silence   none",
        "whole     yes",
    ]
    assert len(lines) == 13
    assert max(map(len, lines[9:])) == 80
    assert set("".join(lines[9:])) <= set(" ▁▂▃▄▅▆▇█")


def test_json_is_one_object_a_file() -> None:
    done = run_program("inspect", "--json", str(WAVES / "sox-s16-stereo.wav"), "nothing.wav")
    found, missing = done.events
    assert done.code == 5
    assert found["event"] == missing["event"] == "inspected"
    assert found["wav"]["seconds"] == 0.03
    assert found["wav"]["format"]["channels"] == 2
    assert len(found["wav"]["levels"]["waveform"]) == 241
    assert (missing["exit_code"], missing["wav"]) == (2, None)
    assert "nothing.wav cannot be read: No such file" in done.err


def test_a_file_that_ends_early_is_measured_as_far_as_it_goes() -> None:
    Path("cut.wav").write_bytes((WAVES / "sox-s16-stereo.wav").read_bytes()[:444])
    done = run_program("inspect", "cut.wav")
    assert done.code == 9
    assert done.err.startswith(
        "error: cut.wav is not a whole WAV: it ends early: 400 of 964 bytes of audio are there\n  "
    )
    assert "length    0.013 s\n" in done.out
    assert "whole     no, 564 bytes are missing\n" in done.out
    assert "peak      -3." in done.out


@pytest.mark.long
def test_the_exit_code_is_that_of_all_files_or_says_that_they_differ() -> None:
    good = str(WAVES / "sox-s16-mono.wav")
    Path("page.wav").write_text("<html>", encoding="utf-8")
    os.mkfifo("pipe.wav")
    assert run_program("inspect", good, good).code == 0
    assert run_program("inspect", "page.wav", "page.wav").code == 9
    assert run_program("inspect", "pipe.wav", ".").code == 2
    assert run_program("inspect", "page.wav", "pipe.wav").code == 9
    assert run_program("inspect", good, "page.wav").code == 5
    assert run_program("inspect").code == 2


@pytest.mark.first_cases(2)
@pytest.mark.parametrize(
    ("name", "said"),
    [
        pytest.param("pipe.wav", "pipe.wav is not a file but a pipe or a device", id="FIFO"),
        pytest.param("/dev/null", "/dev/null is not a file but a pipe or a device", id="device"),
        pytest.param(".", ". is a folder", id="folder"),
        pytest.param("page.wav", "page.wav is not a whole WAV: it is a web page, not a WAV", id="web page"),
        pytest.param(
            "nope.wav", "nope.wav cannot be read: No such file or directory\n  Check the name.", id="missing"
        ),
        pytest.param("-", "inspect reads files, not standard input\n", id="standard input"),
        pytest.param("a\nb", "cannot be read: No such file", id="a name that would be two lines"),
        pytest.param("x" * 300, "cannot be read: File name too long", id="a name that is too long"),
    ],
)
def test_what_cannot_be_inspected_is_said(name: str, said: str) -> None:
    Path("page.wav").write_text("<html>", encoding="utf-8")
    os.mkfifo("pipe.wav")
    done = run_program("inspect", name)
    assert done.out == ""
    assert said in done.err
    assert len(done.err.splitlines()) == 2


@pytest.mark.long
@pytest.mark.parametrize("columns", [60, 120])
def test_the_waveform_is_as_wide_as_the_terminal(columns: int) -> None:
    shutil.copy(WAVES / "sox-s16-mono.wav", "song.wav")
    shown = screen_of("inspect", "song.wav", columns=columns)
    assert shown[0] == "file      song.wav"
    assert [len(line) for line in shown[-2:]] == [columns, columns]


@pytest.mark.long
def test_columns_decides_in_a_pipe_and_ascii_does_where_there_are_no_blocks() -> None:
    done = run_program(
        "inspect",
        str(WAVES / "sox-clipped.wav"),
        env={"COLUMNS": "33", "PYTHONIOENCODING": "ascii", "LC_ALL": "C.UTF-8"},
    )
    assert done.out.splitlines()[-1] == "#" * 33


@pytest.mark.long
def test_a_title_that_the_encoding_does_not_carry_is_no_lost_line() -> None:
    """In the C locale, with nothing of what Python does against it; in a process that begins so."""
    done = subprocess.run(
        command_line("inspect", str(WAVES / "ffmpeg-s16-tags.wav")),
        env=os.environ | {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        capture_output=True,
        check=True,
    )
    assert b"title     Gr\\xf6\\xdfe\n" in done.stdout


PORTRAIT = AudioLevels(
    peak=-1.04,
    loudness=-14.2,
    clipped=0,
    quiet_start=0.0,
    quiet_end=0.0,
    silent=False,
    unusable=0,
    waveform=(0.0, 0.5, 1.0, 0.25),
)


def test_one_line_fits_the_width() -> None:
    said = "peak -1.0 dBFS, loudness -14.2 dBFS"
    assert describe_levels(PORTRAIT, 60).endswith(f" {said}")
    assert len(describe_levels(PORTRAIT, 60)) == 60
    assert len(describe_levels(PORTRAIT, 200)) == len(said) + 31
    assert describe_levels(PORTRAIT, 40) == said
    assert describe_levels(replace(PORTRAIT, peak=-0.03, clipped=1, quiet_end=2.0), 40) == (
        "peak 0.0 dBFS, loudness -14.2 dBFS, clipped 1 time, silent 2.0 s at the end"
    )
    silent = AudioLevels(
        peak=None,
        loudness=None,
        clipped=0,
        quiet_start=1.0,
        quiet_end=1.0,
        silent=True,
        unusable=0,
        waveform=(0.0,),
    )
    assert describe_levels(silent, 80) == "nothing but silence"


MUTATIONS = 10_000
WILD = (0, 1, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFF000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def mutated(content: bytes, chance: random.Random) -> bytes:
    """Let one to four accidents happen, most of them among the headers."""
    found = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(min(len(found), chance.choice([60, 120, 1 << 30])) or 1)
        match chance.randrange(7):
            case 0:
                found[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                found[at : at + 2] = struct.pack("<H", chance.choice(WILD) & 0xFFFF)
            case 2:
                found[at : at + 4] = struct.pack("<I", chance.choice(WILD))
            case 3:
                found[at : at + 8] = struct.pack("<Q", chance.getrandbits(64))
            case 4:
                found[at:at] = chance.randbytes(chance.randint(1, 12))
            case 5:
                del found[at : at + chance.randint(1, 12)]
            case _:
                del found[chance.randrange(len(found) + 1) :]
    return bytes(found)


@pytest.mark.long
@pytest.mark.timing
@pytest.mark.parametrize("part", shortlist(range(4)))
def test_ten_thousand_mutations_are_inspected_without_a_bug(part: int) -> None:
    """Never an exception that is not ours, never a level that JSON cannot tell, and never for long."""
    chance = random.Random(part)
    originals = [path.read_bytes() for path in sorted(WAVES.glob("*.wav")) if path.stat().st_size < 10_000]
    codes = []
    start = time.monotonic()
    # One file for all, because to make one takes longer than the rest.
    with Path("song.wav").open("wb", buffering=0) as song:
        for _ in range(MUTATIONS // 4):
            song.seek(0)
            song.write(mutated(chance.choice(originals), chance))
            song.truncate()
            codes.append(checked_accident(Path("song.wav")))
    # Else they would be no accidents, or nothing would be left of the files.
    assert 0.1 < codes.count(0) / len(codes) < 0.9
    assert time.monotonic() - start < 60


def checked_accident(path: Path) -> int:
    event = inspected(path)
    json.dumps(event.wav, default=vars, allow_nan=False)
    assert event.exit_code in (0, 9), event
    if event.exit_code == 0:
        assert event.wav is not None
        assert read_format(path) == event.wav.format
        assert 0 < event.wav.format.data_bytes <= path.stat().st_size
    else:
        with pytest.raises(NotAWholeWav):
            read_format(path)
    return event.exit_code
