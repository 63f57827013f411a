"""`--from-file` and `--errors`: a batch that a person can run again."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from suno_wav_cli.conversion.song_list import read_songs, write_failures
from suno_wav_cli.errors import UsageError
from suno_wav_cli.models import Song
from tests.support.program import command_line, run_program

if TYPE_CHECKING:
    from tests.support.program import Sandbox

TASK = "0123456789abcdef0123456789abcdef"
UUID = "8551ab12-34cd-4e5f-8a9b-0c1d2e3f662c"
OTHER_UUID = "8551ab12-34cd-4e5f-8a9b-0c1d2e3f662d"
WITH_UUID = Song(audio_id=UUID, music_task_id=OTHER_UUID)


def read(source: str) -> list[Song]:
    return read_songs(source, lambda _event: None).songs


def listed(text: str | bytes) -> str:
    Path("songs.txt").write_bytes(text if isinstance(text, bytes) else text.encode())
    return "songs.txt"


@pytest.mark.parametrize(
    ("text", "songs"),
    [
        pytest.param("", [], id="nothing"),
        pytest.param("\n# only a comment\n   \n", [], id="nothing but comments"),
        pytest.param("a\nb", [Song(audio_id="a"), Song(audio_id="b")], id="no end of the last line"),
        pytest.param(f"a {TASK}\n", [Song(audio_id="a", music_task_id=TASK)], id="with its task"),
        pytest.param(
            f"  a\t{TASK}  # why\r\n",
            [Song(audio_id="a", music_task_id=TASK)],
            id="blanks, a comment, Windows",
        ),
        pytest.param("\ufeffa\n", [Song(audio_id="a")], id="a mark of the encoding"),
        pytest.param("https://suno.com/song/a#t=3 # c\n", [Song(audio_id="a")], id="an address with a #"),
        pytest.param("b\na\nb\n", [Song(audio_id="b"), Song(audio_id="a")], id="twice counts once"),
        pytest.param(
            f"a\na {TASK}\na\n", [Song(audio_id="a", music_task_id=TASK)], id="twice, once with its task"
        ),
        pytest.param(
            "8551AB12-34cd-4e5f-8a9b-0c1d2e3f662c\n8551ab12-34cd-4e5f-8a9b-0c1d2e3f662c\n",
            [Song(audio_id="8551ab12-34cd-4e5f-8a9b-0c1d2e3f662c")],
            id="the same in capitals",
        ),
        pytest.param(f"audio_id task_id\n{UUID} {OTHER_UUID} # c\n", [WITH_UUID], id="columns with names"),
        pytest.param(
            f'# c\ntitle,Audio_Id,music_task_id\n"One, #1",{UUID},{OTHER_UUID}\n',
            [replace(WITH_UUID, title="One, #1")],
            id="with commas",
        ),
        pytest.param(f"audio_id;x\r\n{UUID};1\r\n", [Song(audio_id=UUID)], id="with semicolons"),
        pytest.param(
            f'{{"event": "track", "audio_id": "{UUID.upper()}", "music_task_id": "{OTHER_UUID}"}}\n',
            [WITH_UUID],
            id="as tracks --json prints",
        ),
        pytest.param(
            f'{{"event": "job", "audio_id": "{UUID}", "music_task_id": null, "task_id": "{TASK}"}}\n',
            [Song(audio_id=UUID)],
            id="as jobs --json prints",
        ),
        pytest.param(
            f"{TASK} {TASK[::-1]}\n",
            [Song(audio_id=TASK, music_task_id=TASK[::-1])],
            id="an audio id like a task's, beside its task",
        ),
    ],
)
def test_a_list_is_read(text: str, songs: list[Song]) -> None:
    assert read(listed(text)) == songs


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            "a\n\nb c d\n", "songs.txt, line 3: more than an audio id and a task id", id="three words"
        ),
        pytest.param("a\n?\n", "songs.txt, line 2: '?' is not an audio id", id="no id"),
        pytest.param(f"#\n{TASK}\n", f"songs.txt, line 2: {TASK} looks like a task id", id="a task id"),
        pytest.param(f"{UUID},{OTHER_UUID}\n", "songs.txt, line 1: columns without names", id="commas"),
        pytest.param(
            f"https://suno.com/song/{UUID} https://suno.com/song/{OTHER_UUID}\n",
            "songs.txt, line 1: two audio ids on a line",
            id="two URLs",
        ),
        pytest.param(
            f"a\n{UUID} {OTHER_UUID}\n",
            "songs.txt, line 2: two audio ids on a line",
            id="two songs on a line",
        ),
        pytest.param(f"{TASK} {UUID}\n", f"songs.txt, line 1: {TASK} looks like a task id", id="swapped"),
        pytest.param("song.wav\n", "songs.txt, line 1: 'song.wav' is a file name", id="a file name"),
        pytest.param("audio_id\nID\n", "songs.txt, line 2: 'ID' is a placeholder", id="a placeholder"),
        pytest.param('{"title": "x"}\n', "songs.txt, line 1: no audio_id", id="an object without a song"),
        pytest.param('{"audio_id": \n', "songs.txt, line 1: not JSON", id="half an object"),
        pytest.param('{"a":' * 9999, "songs.txt, line 1: not JSON", id="an object without an end"),
        pytest.param(
            f"{UUID}," + "x" * 200_000, "songs.txt, line 1: the columns", id="a cell without an end"
        ),
        pytest.param("a ?\n", "songs.txt, line 1: '?' is not a task id", id="no task id"),
        pytest.param(
            "a t1\na t2\n", "songs.txt, line 2: a is given twice, with different task ids", id="two tasks"
        ),
        pytest.param(b"a\nb\xff\n", "songs.txt, line 2: not UTF-8 text", id="another encoding"),
        pytest.param("a\0b\n", "songs.txt, line 1: ", id="a zero"),
        pytest.param(
            "a\n" + "x" * 1_000_001, "songs.txt: line 2 is longer than 1,000,000 ch", id="a long line"
        ),
    ],
)
def test_what_is_wrong_in_a_list_is_said_with_its_line(text: str | bytes, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(listed(text))
    assert caught.value.message.startswith(said)


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("name", ["nowhere.txt", ".", "/dev/null/x"])
def test_a_list_that_cannot_be_read_is_said(name: str) -> None:
    done = run_program("convert", "--from-file", name)
    assert (done.code, f"error: {name} cannot be read: " in done.err) == (2, True)


# A digit first, because words such as `id` and `status` are refused.
_IDS = st.from_regex(r"[0-9][a-z0-9]{0,19}", fullmatch=True)


@pytest.mark.long
@given(
    failures=st.lists(
        st.tuples(st.builds(Song, audio_id=_IDS, music_task_id=st.none() | _IDS), st.text(max_size=40)),
        max_size=8,
        unique_by=lambda failure: failure[0].audio_id,
    )
)
def test_what_is_written_is_what_is_read(failures: list[tuple[Song, str]]) -> None:
    """Whatever the service says of a failure is a comment, and one line."""
    path = Path("errors.txt")
    path.touch()
    assert write_failures(path, failures)
    assert read(str(path)) == [song for song, _ in failures]


@example(content=b",")
@given(content=st.binary(max_size=200))
def test_any_file_is_a_list_or_one_of_our_errors(content: bytes) -> None:
    try:
        songs = read(listed(content))
    except UsageError:
        return
    assert len({song.audio_id for song in songs}) == len(songs)


@pytest.mark.long
def test_a_list_is_converted_beside_the_arguments(sandbox: Sandbox) -> None:
    listed(f"demo+list1 {TASK}  # comment\ndemo+list2\ndemo+list1\n")
    done = sandbox.run("convert", "demo+list3", "demo+list2", "--from-file", "songs.txt")
    assert done.code == 0
    assert sorted(done.out.split()) == ["demo+list1.wav", "demo+list2.wav", "demo+list3.wav"]
    assert [sandbox.counted("submissions", f"demo+list{number}") for number in (1, 2, 3)] == [1, 1, 1]


@pytest.mark.long
def test_a_list_comes_from_standard_input(sandbox: Sandbox) -> None:
    done = subprocess.run(
        command_line("convert", "--from-file", "-", "--dry-run"),
        env=os.environ | sandbox.settings,
        input="demo+stdin\n?\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "standard input, line 2: '?' is not an audio id" in done.stderr) == (2, True)


def test_an_empty_list_is_nothing_to_do(sandbox: Sandbox) -> None:
    listed("# all done\n")
    done = sandbox.run("convert", "--from-file", "songs.txt")
    assert (done.code, done.out) == (0, "")


@pytest.mark.long
def test_what_failed_is_listed_and_the_same_command_tries_only_that_again(sandbox: Sandbox) -> None:
    """The list is its own list of errors: what is done leaves it."""
    listed(f"demo+rerun1\ndemo-fails+rerun2 {TASK}\ndemo-mp3+rerun3\n")
    again = ("convert", "--from-file", "songs.txt", "--errors", "songs.txt")
    done = sandbox.run(*again)
    assert (done.code, done.out) == (5, "demo+rerun1.wav\n")
    assert "suno-wav: 2 failed songs in songs.txt\n" in done.err
    first, second = Path("songs.txt").read_text().splitlines()
    assert first.startswith(f"demo-fails+rerun2 {TASK}  # the service could not convert the song: ")
    assert second.startswith("demo-mp3+rerun3  # ")
    for options, paid in (((), [1, 1, 1]), (("--resubmit",), [1, 2, 1])):
        assert sandbox.run(*again, *options).code != 0
        assert [
            sandbox.counted("submissions", song)
            for song in ("demo+rerun1", "demo-fails+rerun2", "demo-mp3+rerun3")
        ] == paid


@pytest.mark.long
def test_where_nothing_failed_no_list_is_made_and_one_that_is_there_is_emptied(sandbox: Sandbox) -> None:
    assert sandbox.run("convert", "demo+fine1", "--errors", "new.txt").code == 0
    assert not Path("new.txt").exists()
    Path("old.txt").write_text("demo+fine2\n")
    done = sandbox.run("convert", "demo+fine2", "--errors", "old.txt")
    assert (done.code, Path("old.txt").read_text()) == (0, "")
    assert "suno-wav: no failed songs in old.txt\n" in done.err


def test_a_run_that_does_not_begin_leaves_the_list_alone(sandbox: Sandbox) -> None:
    Path("old.txt").write_text("demo+kept\n")
    done = sandbox.run("convert", "demo+kept", "--errors", "old.txt", "--max-credits", "0")
    assert (done.code, Path("old.txt").read_text()) == (4, "demo+kept\n")


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("path", ["/dev/null/errors.txt", ".", "/dev/null"])
def test_a_list_that_cannot_be_written_is_found_before_anything_is_paid(sandbox: Sandbox, path: str) -> None:
    done = sandbox.run("convert", "demo+unlisted", "--errors", path)
    assert (done.code, "error: --errors: " in done.err) == (2, True)
    assert sandbox.counted("submissions", "demo+unlisted") == 0


@pytest.mark.parametrize(
    "song", [WITH_UUID, Song(audio_id=TASK), Song(audio_id=TASK, music_task_id=UUID)], ids=str
)
def test_a_line_that_could_be_misunderstood_is_written_below_names(song: Song) -> None:
    failures = [(song, "why"), (Song(audio_id="a"), "why #2")]
    assert write_failures(Path("errors.txt"), failures)
    assert read("errors.txt") == [song, Song(audio_id="a")]


def test_a_link_to_the_list_stays_a_link() -> None:
    Path("real.txt").touch()
    Path("link.txt").symlink_to("real.txt")
    assert write_failures(Path("link.txt"), [(Song(audio_id="a"), "why")])
    assert (Path("link.txt").is_symlink(), Path("real.txt").read_text()) == (True, "a  # why\n")
