"""`resume`: what was begun is finished, and paid for once."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from suno_wav_cli.journal import open_journal
from suno_wav_cli.journal.entry import Account, State
from suno_wav_cli.models import Song
from tests.support.program import Sandbox, named, read_until, run_program, start_program, started
from tests.support.quick import shortlist

if TYPE_CHECKING:
    from collections.abc import Callable


def journal_path() -> Path:
    return Path(os.environ["SUNO_WAV_HOME"]) / "journal.sqlite3"


def left(sandbox: Sandbox, audio_id: str, *more: str) -> str:
    return sandbox.run("convert", audio_id, "--no-wait", *more).out.strip()


@pytest.mark.long
def test_everything_unfinished_is_fetched_and_paid_for_once(sandbox: Sandbox) -> None:
    songs = ["demo+r1", "demo+r2", "demo+r3"]
    for song in songs:
        left(sandbox, song)
    done = sandbox.run("resume", "--jobs", "1")
    assert done.code == 0
    assert sorted(done.out.splitlines()) == [str(Path.cwd() / f"{song}.wav") for song in songs]
    assert [sandbox.counted("submissions", song) for song in songs] == [1, 1, 1]
    assert "3 of 3 saved" in done.err
    again = sandbox.run("resume")
    assert (again.code, again.out, again.err) == (0, "", "suno-wav: nothing to do\n")


@pytest.mark.long
def test_songs_that_resume_cannot_finish_are_said(sandbox: Sandbox) -> None:
    """A refused song is not paid for, so `resume` leaves it; but it is not saved either."""
    sandbox.run("convert", "demo-code-400+r", "--no-wait")
    done = sandbox.run("resume")
    assert (done.code, done.err.splitlines()) == (
        0,
        [
            "suno-wav: 1 song was refused or given up: `suno-wav jobs --failed` tells why",
            "suno-wav: nothing to do",
        ],
    )
    assert "demo-code-400+r" in sandbox.run("jobs", "--failed").out


@pytest.mark.long
def test_what_expires_first_is_fetched_first(sandbox: Sandbox) -> None:
    """Up to four lookups may begin together, so a song may overtake three others."""
    tasks = [left(sandbox, f"demo+e{number}") for number in range(6)]
    with closing(sqlite3.connect(journal_path())) as raw, raw:
        for days, task in enumerate(tasks):
            raw.execute(
                "UPDATE conversion SET expires = expires - ? WHERE wav_task_id = ?", (days * 86400, task)
            )
    done = sandbox.run("resume", "--jobs", "1", "--window", "20/10s", "--json")
    saved = [event["task_id"] for event in done.named("saved")]
    assert sorted(saved) == sorted(tasks)
    assert all(place - saved.index(task) < 4 for place, task in enumerate(tasks[::-1])), saved


@pytest.mark.long
def test_only_what_is_named_is_resumed(sandbox: Sandbox) -> None:
    first, second = left(sandbox, "demo+n1"), left(sandbox, "demo+n2")
    assert len({first[:12], second[:12]}) == 2
    assert sandbox.run("resume", first[:12]).out == f"{Path.cwd() / 'demo+n1.wav'}\n"
    assert sandbox.run("resume", "@last", "--out", "two.wav").out == "two.wav\n"


@pytest.mark.long
def test_a_task_of_another_machine_is_fetched(sandbox: Sandbox, tmp_path: Path) -> None:
    task_id = left(sandbox, "demo+foreign")
    done = sandbox.run("resume", task_id, env={"SUNO_WAV_HOME": str(tmp_path / "elsewhere")})
    assert (done.code, done.out) == (0, "demo+foreign.wav\n")


@pytest.mark.long
def test_a_folder_that_is_missing_is_made(sandbox: Sandbox) -> None:
    left(sandbox, "demo+folder-resumed", "--out", "new/folder/")
    assert not Path("new").exists()
    done = sandbox.run("resume")
    assert (done.code, Path(done.out.strip()).parent) == (0, Path("new/folder").absolute())


@pytest.mark.long
def test_a_folder_that_cannot_be_made_fails_with_a_remedy_and_the_others_go_on(sandbox: Sandbox) -> None:
    Path("wavs").mkdir()
    task_id = left(sandbox, "demo+gone", "--out", "wavs/")
    left(sandbox, "demo+there")
    Path("wavs").rmdir()
    Path("wavs").touch()
    done = sandbox.run("resume")
    assert (done.code, Path(done.out.strip()).name) == (5, "demo+there.wav")
    assert "is not a folder" in done.err
    assert f"To continue: suno-wav resume {task_id}" in done.err
    Path("wavs").unlink()
    assert sandbox.run("resume").code == 0


@pytest.mark.long
def test_an_unknown_outcome_is_said_and_paid_for_again_only_when_told(sandbox: Sandbox) -> None:
    song = "demo-lost+u1"
    assert sandbox.run("convert", song).code == 6
    done = sandbox.run("resume")
    assert (done.code, done.out) == (6, "")
    assert "it is not known whether the song was submitted and charged" in done.err
    assert f"suno-wav resume {song} --resubmit" in done.err
    assert sandbox.counted("submissions", song) == 1
    sandbox.run("resume", "--resubmit")
    assert sandbox.counted("submissions", song) == 2


@pytest.mark.long
def test_resubmitting_pays_for_nothing_whose_outcome_is_known(sandbox: Sandbox) -> None:
    left(sandbox, "demo+u2")
    done = sandbox.run("resume", "--resubmit")
    assert (done.code, sandbox.counted("submissions", "demo+u2")) == (0, 1)


def test_a_lost_request_that_the_service_has_taken_is_adopted(sandbox: Sandbox) -> None:
    """409 with a task id tells: it was accepted, and nothing more is paid."""
    with open_journal(journal_path(), sandbox.service) as journal:
        lost = journal.claim(Song(audio_id="demo-exists+u3"), Path("song.wav").absolute()).entry
        journal.move(lost, State.UNKNOWN, message="it is not known")
    done = sandbox.run("resume", "--resubmit", "--json")
    assert (done.code, sandbox.counted("accepted", "demo-exists+u3")) == (0, 0)
    assert done.named("resumed")[0]["reason"] == "the service had it already"
    assert Path("song.wav").exists()


def test_409_without_an_id_tells_that_the_lost_request_was_accepted(sandbox: Sandbox) -> None:
    with open_journal(journal_path(), sandbox.service) as journal:
        lost = journal.claim(Song(audio_id="demo-exists-null+u4"), Path("song.wav").absolute()).entry
        journal.move(lost, State.UNKNOWN, message="it is not known")
    done = sandbox.run("resume", "--resubmit")
    assert done.code == 7
    assert "the request whose answer was lost here was accepted" in done.err


@pytest.mark.long
def test_409_for_a_song_that_was_converted_at_another_service_says_where(sandbox: Sandbox) -> None:
    other = Account(base_url="https://api.kie.ai", provider="kie", kept_days=14)
    with open_journal(journal_path(), other) as journal:
        journal.accept(journal.claim(Song(audio_id="demo-exists-null+u5"), Path("x.wav")).entry, "c" * 32)
    done = sandbox.run("convert", "demo-exists-null+u5")
    assert done.code == 7
    assert f"suno-wav resume {'c' * 32} --provider kie" in done.err


def test_what_is_unfinished_elsewhere_is_not_a_failure(sandbox: Sandbox) -> None:
    for task, service in (
        ("a", Account(base_url="https://api.sunoapi.org", provider="sunoapi", kept_days=15)),
        ("b", sandbox.service),
    ):
        with open_journal(journal_path(), service) as journal:
            journal.adopt(task * 32, None, Path(f"{task}.wav"))
    without_key = run_program("resume", "--provider", "kie")
    assert without_key.code == 0
    assert "To continue: suno-wav resume\n" in without_key.err
    assert (
        f"To continue: suno-wav resume --provider sandbox --base-url {sandbox.base_url}\n" in without_key.err
    )


@pytest.mark.long
def test_a_song_that_another_program_still_downloads_has_not_failed(sandbox: Sandbox) -> None:
    """It is waited for until `--timeout`, while the other songs go on."""
    left(sandbox, "demo+held2")
    with started(sandbox, "convert", "demo-stall+held1", "--out", "held.wav") as process:
        read_until(process, lambda event: event["event"] == "download_progress" and event["received"] > 0)
        done = sandbox.run("resume", "--timeout", "2s", "--json")
    assert done.code == 5
    assert [event["audio_id"] for event in done.named("saved")] == ["demo+held2"]
    (told,) = done.named("other_run_awaited")
    assert (told["audio_id"], told["downloading"]) == ("demo-stall+held1", True)
    (summary,) = done.named("summary")
    assert (summary["failed"], summary["unfinished"]) == (0, 1)


@pytest.mark.long
def test_time_that_is_up_counts_as_still_running(sandbox: Sandbox) -> None:
    left(sandbox, "demo-never+t1")
    done = sandbox.run("resume", "--timeout", "500ms", "--json")
    assert done.code == 8
    assert done.named("summary")[0]["unfinished"] == 1


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    ("song", "reached"),
    [
        pytest.param("demo-slow+killed", named("submitted"), id="submitted"),
        # The silence is for the one that is killed: whoever comes after it is served at once.
        pytest.param(
            "demo-stall+killed",
            lambda event: event["event"] == "download_progress" and event["received"] > 0,
            id="downloading",
        ),
    ],
)
def test_a_killed_conversion_is_resumed(
    sandbox: Sandbox, song: str, reached: Callable[[dict[str, Any]], bool]
) -> None:
    with started(sandbox, "convert", song, "--out", "song.wav") as process:
        read_until(process, reached)
    done = sandbox.run("resume")
    assert (done.code, Path(done.out.strip()).name) == (0, "song.wav")
    assert sandbox.counted("submissions", song) == 1


@pytest.mark.long
def test_a_refused_song_is_told_to_be_converted(sandbox: Sandbox) -> None:
    assert sandbox.run("convert", "demo-no-credits+x").code == 4
    done = sandbox.run("resume", "demo-no-credits+x")
    assert done.code == 2
    assert "suno-wav convert demo-no-credits+x" in done.err


@pytest.mark.long
def test_a_saved_song_is_fetched_again_only_where_it_is_gone(sandbox: Sandbox) -> None:
    assert sandbox.run("convert", "demo+back", "--out", "song.wav").code == 0
    assert sandbox.run("resume", "demo+back").out == f"{Path.cwd() / 'song.wav'}\n"
    assert sandbox.counted("file_requests", "demo+back") == 1
    Path("song.wav").unlink()
    assert sandbox.run("resume", "@last").code == 0
    assert (Path("song.wav").exists(), sandbox.counted("file_requests", "demo+back")) == (True, 2)


@pytest.mark.long
def test_a_second_place_does_not_hide_the_first(sandbox: Sandbox) -> None:
    for out in ("one.wav", "two.wav", "one.wav", "two.wav"):
        assert sandbox.run("convert", "demo+places", "--out", out).code == 0
    assert sandbox.counted("file_requests", "demo+places") == 2


@pytest.mark.long
def test_a_copy_with_tags_does_not_hide_the_one_without(sandbox: Sandbox) -> None:
    """They have different sizes, and each is known by its own."""
    plain = ["--task-id", "6" * 32, "--out", "{id8}.wav"]
    assert sandbox.run("convert", *plain).code == 0
    assert sandbox.run("convert", *plain[:2], "--tag", "--out", "{id8}-tagged.wav").code == 0
    again = sandbox.run("convert", *plain)
    assert (again.code, again.err.count("file exists, nothing was paid\n")) == (0, 2)
    wanted = sandbox.run("convert", *plain, "--tag")
    assert (wanted.code, wanted.err.count("to write its tags, free of charge, add --force\n")) == (0, 2)
    forced = sandbox.run("convert", *plain, "--tag", "--force")
    assert (forced.code, forced.err.count(": saved, ")) == (0, 2)


@pytest.mark.long
def test_a_service_that_is_away_leaves_the_line_that_continues(sandbox: Sandbox) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as closed:
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with open_journal(journal_path(), Account(base_url=address, provider="sandbox", kept_days=15)) as journal:
        journal.adopt("d" * 32, "demo", Path("song.wav").absolute())
    done = sandbox.run("resume", "--base-url", address, "--retries", "0")
    assert done.code == 6
    assert f"To continue: suno-wav resume {'d' * 32}" in done.err


@pytest.mark.long
@pytest.mark.parametrize("count", shortlist([2, 10]))
def test_many_programs_at_once_pay_once_for_a_song(sandbox: Sandbox, count: int) -> None:
    """On the same song, and each on one of its own: one POST a song, no row lost, and no word of a locked journal."""
    same = f"demo+same{count}"
    programs = [
        start_program(
            *("convert", same, f"demo+own{count}x{number}", "--timeout", "30s"),
            env=sandbox.settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(count)
    ]
    said = [program.communicate(timeout=90)[1] for program in programs]
    assert [text for text in said if "locked" in text or "bug" in text] == []
    own = [f"demo+own{count}x{number}" for number in range(count)]
    assert [sandbox.counted("submissions", song) for song in (same, *own)] == [1] * (count + 1)
    jobs = run_program("jobs", "--json", "--limit", "0").events
    assert sorted(job["audio_id"] for job in jobs) == sorted([same, *own])
    sandbox.run("resume")
    assert all(Path(f"{song}.wav").is_file() for song in (same, *own))
