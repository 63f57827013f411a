"""Killed with SIGKILL at every step, a conversion is finished later and paid for once, or said to be unknown."""

from __future__ import annotations

import os
import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.program import Sandbox, named, read_until, started, wait_until


def journalled_states() -> list[str]:
    journal = Path(os.environ["SUNO_WAV_HOME"]) / "journal.sqlite3"
    if not journal.exists():
        return []
    try:
        with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as connection:
            return [state for (state,) in connection.execute("SELECT state FROM conversion ORDER BY id")]
    except sqlite3.OperationalError:
        return []  # the program is just making it


@pytest.mark.long
def test_killed_before_the_request_is_heard_the_outcome_is_unknown(sandbox: Sandbox) -> None:
    """The intent is in the journal and the service never answered: nothing is paid until the person says so."""
    with closing(socket.create_server(("127.0.0.1", 0))) as deaf:
        address = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        with started(sandbox, "convert", "demo+k0", "--tunnel", "none", "--base-url", address):
            wait_until(lambda: journalled_states() == ["submitting"])
        deaf.close()
        unknown = sandbox.run("convert", "demo+k0", "--base-url", address)
        assert unknown.code == 6
        assert "it is not known whether the song was submitted and charged" in unknown.err
        assert "--resubmit" in unknown.err
        again = sandbox.run("convert", "demo+k0", "--base-url", address, "--resubmit", "--retries", "0")
        assert (again.code, journalled_states()) == (6, ["submitting"]), (
            "the port is closed: no other payment"
        )


@pytest.mark.long
def test_killed_between_the_request_and_its_answer_the_outcome_is_unknown(sandbox: Sandbox) -> None:
    """The service accepted; the program cannot know it. It does not pay again by itself."""
    with started(sandbox, "convert", "demo-hang+k1", "--tunnel", "none"):
        wait_until(lambda: sandbox.counted("accepted", "demo-hang+k1") == 1)
    for _ in range(2):
        assert sandbox.run("convert", "demo-hang+k1").code == 6
    assert sandbox.counted("submissions", "demo-hang+k1") == 1


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("finish", ["status", "convert"])
def test_killed_while_waiting_another_run_finishes(sandbox: Sandbox, finish: str) -> None:
    song = f"demo+k2{finish}"
    with started(
        sandbox, "convert", song, "--out", "song.wav", "--poll-interval", "20s", "--tunnel", "none"
    ) as process:
        task_id = read_until(process, named("submitted"))["task_id"]
    line = (
        ["status", task_id, "--wait", "--download"]
        if finish == "status"
        else ["convert", song, "--out", "song.wav"]
    )
    done = sandbox.run(*line)
    assert (done.code, Path(done.out.strip()).name) == (0, "song.wav")
    assert sandbox.counted("submissions", song) == 1


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("finish", ["status", "convert"])
def test_killed_while_downloading_another_run_finishes(sandbox: Sandbox, finish: str) -> None:
    song = f"demo-stall+k3{finish}"
    with started(sandbox, "convert", song, "--out", "song.wav") as process:
        task_id = read_until(process, named("submitted"))["task_id"]
        read_until(process, lambda event: event["event"] == "download_progress" and event["received"] > 0)
    assert [path.name for path in Path().iterdir()] == ["song.wav.part"]
    line = (
        ["status", task_id, "--wait", "--download"]
        if finish == "status"
        else ["convert", song, "--out", "song.wav"]
    )
    done = sandbox.run(*line)
    assert (done.code, Path(done.out.strip()).name) == (0, "song.wav")
    assert [path.name for path in Path().iterdir()] == ["song.wav"]
    assert Path("song.wav").stat().st_size == 1152044
    assert sandbox.counted("submissions", song) == 1


@pytest.mark.long
def test_killed_between_the_rename_and_the_journal_the_file_is_recognised(sandbox: Sandbox) -> None:
    """The file is there and the journal says READY: the next run sees that it is this song's, whole."""
    assert sandbox.run("convert", "demo+k4", "--out", "song.wav").code == 0
    with closing(sqlite3.connect(Path(os.environ["SUNO_WAV_HOME"]) / "journal.sqlite3")) as journal, journal:
        journal.execute("UPDATE conversion SET state = 'ready'")
    done = sandbox.run("convert", "demo+k4", "--out", "song.wav")
    assert (done.code, done.out, journalled_states()) == (0, "song.wav\n", ["saved"])
    assert sandbox.counted("file_requests", "demo+k4") == 1
