"""Many songs and one window: programs share it, and trouble closes one gate for all songs."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import time
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from suno_wav_cli.models import SubmissionWindow
from suno_wav_cli.sandbox import run_sandbox
from suno_wav_cli.system.loopback import address_of, bind_socket
from tests.support.program import (
    ENDS_WITHIN,
    Sandbox,
    named,
    read_until,
    run_program,
    start_program,
    started,
)
from tests.support.quick_limits import API_SPEED, WAIT_SPEED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SPEED = 20.0
EIGHT = {"SUNO_WAV_WINDOW": "8/1s"}


@contextmanager
def a_narrow_sandbox() -> Iterator[Sandbox]:
    """Start a sandbox that takes eight submissions a second."""
    window = SubmissionWindow(submissions=8, seconds=_SPEED)
    with bind_socket(0) as bound, run_sandbox(bound, speed=_SPEED, window=window):
        yield Sandbox(base_url=address_of(bound))


def names(word: str, count: int) -> list[str]:
    return [f"demo+{word}{number}" for number in range(count)]


def refused(sandbox: Sandbox, songs: Sequence[str]) -> int:
    return sum(sandbox.counted("submissions", song) - sandbox.counted("accepted", song) for song in songs)


@pytest.mark.long
def test_two_programs_with_one_journal_share_the_window() -> None:
    lists = [names(word, 12) for word in ("first", "second")]
    with a_narrow_sandbox() as sandbox:
        programs = [
            start_program(
                *("convert", *songs, "--out", ".", "--tunnel", "none"),
                env={**sandbox.settings, **EIGHT},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for songs in lists
        ]
        assert [program.wait(60) for program in programs] == [0, 0]
        both = [song for songs in lists for song in songs]
        assert [sandbox.counted("submissions", song) for song in both] == [1] * 24
        assert refused(sandbox, both) == 0


@pytest.mark.long
def test_a_run_right_after_a_kill_waits_for_the_slots_of_the_killed_one() -> None:
    songs = names("killed", 16)
    with a_narrow_sandbox() as sandbox:
        convert = ("convert", *songs, "--out", ".", "--tunnel", "none")
        with started(sandbox, *convert, env=EIGHT) as process:
            for _ in range(8):
                read_until(process, named("submitted"))
            process.kill()
        sandbox.run(*convert, env=EIGHT)
        assert refused(sandbox, songs) == 0
        assert max(sandbox.counted("accepted", song) for song in songs) == 1


@pytest.mark.long
def test_without_credits_one_message_tells_what_was_not_begun(sandbox: Sandbox) -> None:
    """What is paid for is finished."""
    songs = ["demo+paid", "demo-no-credits+second", *names("poor", 3)]
    done = sandbox.run("convert", *songs, "--out", ".", "--window", "1/1s", "--json")
    assert done.code == 4
    assert [event["audio_id"] for event in done.named("song_failed")] == [songs[1]]
    assert [event["audio_id"] for event in done.named("saved")] == [songs[0]]
    (stopped,) = done.named("submissions_stopped")
    assert (stopped["not_begun"], stopped["price"]) == (3, 1.2)
    (summary,) = done.named("summary")
    assert (summary["saved"], summary["failed"], summary["not_begun"]) == (1, 1, 3)
    assert [sandbox.counted("submissions", song) for song in songs] == [1, 1, 0, 0, 0]


@pytest.mark.long
def test_three_unknown_outcomes_in_a_row_stop_the_payments(sandbox: Sandbox) -> None:
    songs = [f"demo-lost+row{number}" for number in range(5)]
    done = sandbox.run("convert", *songs, "--window", "20/60s", "--errors", "left.txt", "--json")
    assert done.code == 6
    assert [sandbox.counted("submissions", song) for song in songs] == [1, 1, 1, 0, 0]
    assert [event["not_begun"] for event in done.named("submissions_stopped")] == [2]
    left = Path("left.txt").read_text(encoding="utf-8")
    assert all(song in left for song in songs)


@pytest.mark.long
def test_a_song_between_them_ends_the_row(sandbox: Sandbox) -> None:
    songs = ["demo-lost+a", "demo-lost+b", "demo+between", "demo-lost+c", "demo+after"]
    done = sandbox.run("convert", *songs, "--out", ".", "--window", "20/60s", "--json")
    assert done.code == 5
    assert [event["audio_id"] for event in done.named("saved")] == ["demo+between", "demo+after"]
    assert done.named("submissions_stopped") == []


@pytest.mark.long
def test_a_payment_without_an_answer_holds_up_no_other_song_for_long(sandbox: Sandbox) -> None:
    """After 30 s, here one, the service is asked for the balance before the next song is submitted."""
    songs = ["demo-hang+slow", "demo+beside", "demo-slow+behind"]
    env = {API_SPEED: "30"}
    done = sandbox.run("convert", *songs, "--out", ".", "--window", "2/4s", "--json", env=env)
    assert done.code == 5
    assert sorted(event["audio_id"] for event in done.named("saved")) == sorted(songs[1:])
    assert [event["audio_id"] for event in done.named("answer_awaited")] == songs[:1]
    assert [sandbox.counted("submissions", song) for song in songs] == [1, 1, 1]


@pytest.mark.long
def test_a_mistyped_address_fails_in_seconds_however_many_songs_there_are(free_port: int) -> None:
    began = time.monotonic()
    done = run_program(
        *("convert", *names("nowhere", 50), "--out", ".", "--tunnel", "none", "--json"),
        env=Sandbox(base_url=f"http://127.0.0.1:{free_port}").settings,
    )
    assert done.code == 6
    assert time.monotonic() - began < 30
    assert len(done.named("song_failed")) == 1
    assert [event["not_begun"] for event in done.named("submissions_stopped")] == [49]


@pytest.mark.long
def test_an_interruption_does_not_wait_for_the_turn(sandbox: Sandbox) -> None:
    songs = names("waiting", 30)
    with started(sandbox, "convert", *songs, "--out", ".", "--window", "1/1h") as process:
        read_until(process, named("submission_scheduled"))
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        assert process.wait(60) == 130
        assert time.monotonic() - began < ENDS_WITHIN
    assert [sandbox.counted("submissions", song) for song in songs] == [1] + [0] * 29


@pytest.mark.long
def test_a_song_that_is_refused_alone_fails_and_holds_up_no_other(sandbox: Sandbox) -> None:
    """The service says "maintenance" to this song, answers for the balance, and takes the others."""
    songs = ["demo-maintenance+alone", *names("behind", 3)]
    done = sandbox.run(
        *("convert", *songs, "--out", ".", "--window", "20/1s", "--json", "--timeout", "10s"),
        env={WAIT_SPEED: "20"},
    )
    assert done.code == 5, done
    assert sorted(event["audio_id"] for event in done.named("saved")) == songs[1:]
    assert [event["audio_id"] for event in done.named("song_failed")] == songs[:1]
    assert [sandbox.counted("submissions", song) for song in songs[1:]] == [1, 1, 1]


@pytest.mark.long
def test_a_journal_that_another_program_has_locked_costs_no_song_its_turn(sandbox: Sandbox) -> None:
    """It is locked for longer than a payment waits for it with an open connection."""
    assert sandbox.run("convert", "demo+before-lock", "--out", ".").code == 0
    journal = Path(os.environ["SUNO_WAV_HOME"]) / "journal.sqlite3"
    with (
        closing(sqlite3.connect(journal, isolation_level=None)) as other,
        started(sandbox, "convert", "demo+locked-journal", "--out", ".", "--tunnel", "none") as process,
    ):
        other.execute("BEGIN IMMEDIATE")
        read_until(process, named("run_begun"))
        # The lock lasts as long as another program's wait for it.
        with closing(sqlite3.connect(journal, timeout=7.0)) as third, suppress(sqlite3.OperationalError):
            third.execute("UPDATE conversion SET message = message")
        other.execute("ROLLBACK")
        assert process.wait(60) == 0
    assert sandbox.counted("submissions", "demo+locked-journal") == 1
