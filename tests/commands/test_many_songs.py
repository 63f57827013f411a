"""A list of many songs: what is checked, named and made before anything is paid for."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.program import command_line, run_program, start_program

if TYPE_CHECKING:
    from tests.support.program import Sandbox

TASK = "0123456789abcdef0123456789abcdef"


def test_a_dry_run_makes_no_folders(sandbox: Sandbox) -> None:
    done = sandbox.run("convert", "demo+dry", "--out", "new/{title}/{date}/", "--dry-run")
    assert (done.code, list(Path().iterdir())) == (0, [])


def test_what_is_too_dear_makes_no_folders(sandbox: Sandbox) -> None:
    done = sandbox.run("convert", "demo+dear", "--out", "new/", "--max-credits", "0")
    assert (done.code, list(Path().iterdir())) == (4, [])


def test_a_dry_run_to_standard_output_makes_no_spool(sandbox: Sandbox) -> None:
    home = Path(os.environ["SUNO_WAV_HOME"])
    before = sorted(home.rglob("*"))
    assert sandbox.run("convert", "demo+dry-pipe", "--out", "-", "--dry-run").code == 0
    assert sorted(home.rglob("*")) == before


@pytest.mark.long
def test_the_folder_of_errors_is_made(sandbox: Sandbox) -> None:
    """As that of `--out` is: with the list, not before anything has failed."""
    good = sandbox.run("convert", "demo+no-errors", "--out", ".", "--errors", "new/errors.txt")
    assert (good.code, Path("new").exists()) == (0, False)
    bad = sandbox.run("convert", "demo-fails+errors", "--out", ".", "--errors", "new/deep/errors.txt")
    assert bad.code == 7
    assert Path("new/deep/errors.txt").read_text().startswith("demo-fails+errors")


@pytest.mark.long
def test_two_programs_work_on_one_list(sandbox: Sandbox) -> None:
    """What one of them submits or downloads, the other waits for: that is no failure."""
    songs = [f"demo+shared{number}" for number in range(10)]
    Path("songs.txt").write_text("\n".join(songs))
    convert = ("convert", "--from-file", "songs.txt", "--out", ".", "--limit-rate", "500K", "--json")
    with Path("first").open("w") as one, Path("second").open("w") as two:
        programs = [start_program(*convert, env=sandbox.settings, stdout=out) for out in (one, two)]
        codes = [program.wait(90) for program in programs]
    ended = [
        [json.loads(line) for line in Path(name).read_text().splitlines()] for name in ("first", "second")
    ]
    assert codes == [0, 0], ended
    summaries = [[event for event in events if event["event"] == "summary"][-1] for events in ended]
    assert [summary["failed"] for summary in summaries] == [0, 0]
    assert sum(summary["saved"] for summary in summaries) == len(songs)
    assert sum(summary["skipped"] for summary in summaries) == len(songs)
    assert [sandbox.counted("submissions", song) for song in songs] == [1] * len(songs)


@pytest.mark.long
def test_missing_folders_are_made(sandbox: Sandbox) -> None:
    done = sandbox.run("convert", "demo+folders", "--out", "new/{title}/{id8}.wav")
    assert (done.code, done.out) == (0, "new/demo+folders/demo+fol.wav\n")


@pytest.mark.long
def test_the_tracks_of_one_music_task_do_not_meet(sandbox: Sandbox) -> None:
    """They usually have one title."""
    listed = [
        {"event": "track", "audio_id": f"demo+twin{n}+same", "music_task_id": TASK, "title": "Same"}
        for n in range(2)
    ]
    lines = "".join(f"{json.dumps(one)}\n" for one in listed)
    Path("tracks.jsonl").write_text(lines)
    convert = ("convert", "--from-file", "tracks.jsonl", "--out", "{title}.wav")
    done = sandbox.run(*convert)
    expected = ["Same (demo+twin0+same).wav", "Same (demo+twin1+same).wav"]
    assert (done.code, sorted(done.out.splitlines())) == (0, expected)
    again = sandbox.run(*convert)
    assert (again.code, sorted(again.out.splitlines())) == (0, expected)
    assert [sandbox.counted("submissions", f"demo+twin{n}+same") for n in range(2)] == [1, 1]
    assert sorted(path.name for path in Path().glob("*.wav")) == expected


@pytest.mark.long
def test_what_is_saved_under_the_plain_name_keeps_it(sandbox: Sandbox) -> None:
    Path("one.csv").write_text("audio_id,title\ndemo+keeps1,Same\n")
    Path("two.csv").write_text("audio_id,title\ndemo+later2,SAME\ndemo+keeps1,Same\n")
    assert sandbox.run("convert", "--from-file", "one.csv", "--out", "{title}.wav").out == "Same.wav\n"
    done = sandbox.run("convert", "--from-file", "two.csv", "--out", "{title}.wav")
    assert (done.code, done.out) == (0, "Same.wav\nSAME (demo+lat).wav\n")


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("source", ["songs", "-"])
@pytest.mark.parametrize(
    "text",
    [
        pytest.param('{"audio_id": "demo+own"}\n', id="objects"),
        pytest.param("audio_id,title\ndemo+own,x\n", id="columns"),
    ],
)
def test_columns_and_objects_are_not_replaced_by_what_failed(
    sandbox: Sandbox, source: str, text: str
) -> None:
    Path("songs").write_text(text)
    Path("link").symlink_to("songs")
    with Path("songs").open() as file:
        done = subprocess.run(
            command_line("convert", "--from-file", source, "--errors", "link"),
            env=os.environ | sandbox.settings,
            stdin=file,
            capture_output=True,
            text=True,
            check=False,
        )
    assert (done.returncode, "is the list itself" in done.stderr) == (2, True)
    assert (Path("songs").read_text(), sandbox.counted("submissions", "demo+own")) == (text, 0)


@pytest.mark.long
def test_a_title_from_a_list_is_kept_among_the_failed(sandbox: Sandbox) -> None:
    Path("songs.csv").write_text("audio_id,title\ndemo-fails+titled,One\n")
    convert = ("convert", "--out", "{title}.wav", "--errors", "failed", "--from-file")
    assert sandbox.run(*convert, "songs.csv").code == 7
    planned = sandbox.run("convert", "--from-file", "failed", "--out", "{title}.wav", "--dry-run")
    assert "demo-fails+titled -> One.wav" in planned.out
    # What this program has written may be replaced.
    assert sandbox.run(*convert, "failed").code == 7


def test_a_list_without_songs_is_a_good_end(sandbox: Sandbox) -> None:
    Path("failed").touch()
    done = sandbox.run("convert", "--from-file", "failed", "--errors", "failed")
    assert (done.code, done.out) == (0, "")
    assert done.err.splitlines() == [
        "suno-wav: failed names no songs",
        "suno-wav: nothing to do",
        "suno-wav: no failed songs in failed",
    ]


def test_bad_lines_are_shown_even_if_quiet(sandbox: Sandbox) -> None:
    Path("songs").write_text("demo+fine\n" + "?\n" * 25)
    done = sandbox.run("convert", "--from-file", "songs", "--quiet")
    assert (done.code, done.out) == (2, "")
    shown = [line for line in done.err.splitlines() if line.startswith("songs, line ")]
    assert (len(shown), shown[0]) == (20, "songs, line 2: '?' is not an audio id")
    assert "error: songs: 25 lines cannot be read; the first 20 are above" in done.err


@pytest.mark.long
def test_what_tracks_and_jobs_print_is_a_list(sandbox: Sandbox) -> None:
    Path("tracks").write_text(sandbox.run("tracks", "e" * 32, "--json").out, encoding="utf-16")
    done = sandbox.run("convert", "--from-file", "tracks", "--out", "{title}.wav")
    assert (done.code, sorted(done.out.splitlines())) == (0, ["Sandbox song 1.wav", "Sandbox song 2.wav"])
    Path("jobs").write_text(run_program("jobs", "--json").out)
    done = sandbox.run("convert", "--from-file", "jobs", "--out", "again/{task_id}/{title}.wav")
    assert (done.code, len(done.out.splitlines())) == (0, 2)
    assert sorted(path.name for path in Path("again", "e" * 32).iterdir()) == [
        "Sandbox song 1.wav",
        "Sandbox song 2.wav",
    ]
