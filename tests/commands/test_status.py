"""`status`: the service's words beside the journal's, and the way to finish what was begun."""

from __future__ import annotations

import re
import shlex
import signal
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.program import ENDS_WITHIN, named, read_until, started

if TYPE_CHECKING:
    from tests.support.program import Sandbox


def submitted(sandbox: Sandbox, audio_id: str, *more: str) -> str:
    return sandbox.run("convert", audio_id, "--no-wait", *more).out.strip()


def without_journal(tmp_path: Path) -> dict[str, str]:
    """Be another machine: one that has never heard of the task."""
    return {"SUNO_WAV_HOME": str(tmp_path / "elsewhere")}


@pytest.mark.long
def test_a_task_at_work_is_shown_with_what_the_journal_adds(sandbox: Sandbox) -> None:
    task_id = submitted(sandbox, "demo-never+s1", "--out", "song.wav")
    done = sandbox.run("status", task_id)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert re.fullmatch(r"created   \d{4}-\d\d-\d\d \d\d:\d\d:\d\d", lines.pop(3))
    assert lines == [
        f"task      {task_id}",
        "state     pending (PENDING)",
        "song      demo-never+s1",
        "journal   submitted",
    ]


@pytest.mark.long
def test_a_file_is_shown_only_where_there_is_one(sandbox: Sandbox) -> None:
    """A foreign file where the song is to be saved is not the song's."""
    sandbox.run("convert", "demo+s20", "--out", "song.wav")
    Path("mine.wav").write_text("mine")
    waiting = submitted(sandbox, "demo-never+s20", "--out", "mine.wav")
    assert "file      " not in sandbox.run("status", waiting).out
    assert f"file      {Path('song.wav').absolute()}\n" in sandbox.run("status", "demo+s20").out
    # It was moved by hand.
    Path("song.wav").rename("other.wav")
    gone = sandbox.run("status", "demo+s20")
    assert ("journal   saved, but the file is gone\n" in gone.out, "file      " in gone.out) == (True, False)
    (event,) = sandbox.run("status", "demo+s20", "--json").named("task_status")
    assert (event["path"], event["path_exists"]) == (str(Path("song.wav").absolute()), False)


@pytest.mark.long
def test_the_title_is_shown_where_it_is_known(sandbox: Sandbox) -> None:
    song = sandbox.run("tracks", "music-titles", "--json").named("track")[0]
    task_id = submitted(sandbox, song["audio_id"], "--task-id", "music-titles")
    assert f"title     {song['title']}\n" in sandbox.run("status", task_id).out


@pytest.mark.long
@pytest.mark.timing
@pytest.mark.parametrize(
    ("typed", "names_song"),
    [
        pytest.param(("@last", "--wait", "--download"), True, id="in the journal"),
        pytest.param(
            ("@last", "--watch", "--download", "--out", "there/new.wav", "--tag"), True, id="elsewhere"
        ),
        pytest.param(("@last", "--wait"), True, id="without a file"),
        pytest.param(
            ("TASK", "--wait", "--download", "--out", "new name.wav"), False, id="of another machine"
        ),
        pytest.param(("TASK", "--wait", "--download"), False, id="of another machine, without a name"),
    ],
)
def test_the_line_of_an_interrupted_wait_goes_on_with_it(
    sandbox: Sandbox,
    tmp_path: Path,
    typed: tuple[str, ...],
    *,
    names_song: bool,
    request: pytest.FixtureRequest,
) -> None:
    """`@last` may be another task by then. The file comes where it was asked for."""
    song = f"demo-slow+{request.node.callspec.id.replace(' ', '-').replace(',', '')}"
    Path("mine.wav").write_text("mine")
    task_id = submitted(sandbox, song, "--out", "mine.wav" if "--out" in typed else "song.wav")
    world = {} if names_song else without_journal(tmp_path)
    with started(
        sandbox, "status", *(task_id if word == "TASK" else word for word in typed), env=world
    ) as process:
        read_until(process, named("looked_up"))
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=2 * ENDS_WITHIN)
    assert process.returncode == 130
    program, *words = shlex.split(said.partition("To continue: ")[2].strip())
    assert (program, task_id in words) == ("suno-wav", True)
    submitted(sandbox, f"{song}-later")
    done = sandbox.run(*words, env=world)
    assert done.code == 0
    if "--download" in typed:
        expected = (
            typed[typed.index("--out") + 1]
            if "--out" in typed
            else "song.wav"
            if names_song
            else f"{song}.wav"
        )
        assert Path(done.out.strip()).absolute() == Path(expected).absolute()
    assert Path("mine.wav").read_text() == "mine"
    assert sandbox.counted("submissions", song) == 1


@pytest.mark.long
@pytest.mark.timing
@pytest.mark.parametrize("command", ["convert", "resume"])
def test_a_song_that_is_to_be_saved_elsewhere_is_continued_there(sandbox: Sandbox, command: str) -> None:
    """The journal learns of the new place before the file is there."""
    task_id = submitted(sandbox, f"demo-slow+moved-{command}", "--out", "first.wav")
    what = task_id if command == "resume" else f"demo-slow+moved-{command}"
    with started(sandbox, command, what, "--out", "second.wav") as process:
        read_until(process, named("looked_up"))
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=2 * ENDS_WITHIN)
    done = sandbox.run(*shlex.split(said.partition("To continue: suno-wav ")[2]))
    assert (done.code, [path.name for path in Path().iterdir()]) == (0, ["second.wav"])


@pytest.mark.long
def test_a_failed_task_is_shown_with_the_services_words(sandbox: Sandbox) -> None:
    """Looking is not failing: exit 0. Waiting for it is: exit 7."""
    task_id = submitted(sandbox, "demo-fails+s2")
    waited = sandbox.run("status", task_id, "--wait")
    looked = sandbox.run("status", task_id)
    assert (waited.code, looked.code) == (7, 0)
    assert "state     failed (GENERATE_WAV_FAILED)" in looked.out
    assert "error     501 WAV format conversion failed" in looked.out


@pytest.mark.long
def test_wait_alone_shows_the_state_when_it_is_decided(sandbox: Sandbox) -> None:
    task_id = submitted(sandbox, "demo+s3")
    done = sandbox.run("status", task_id, "--wait")
    assert done.code == 0
    assert "state     ready (SUCCESS)" in done.out
    assert list(Path().iterdir()) == []


@pytest.mark.long
def test_download_alone_does_not_wait(sandbox: Sandbox) -> None:
    task_id = submitted(sandbox, "demo-never+s4")
    done = sandbox.run("status", task_id, "--download")
    assert (done.code, done.out) == (8, "")
    assert "add --wait" in done.err


@pytest.mark.long
def test_a_task_of_another_machine_is_downloaded(sandbox: Sandbox, tmp_path: Path) -> None:
    """The journal knows nothing of it; the file is named for the song, or as --out says."""
    task_id = submitted(sandbox, "demo+s5")
    elsewhere = without_journal(tmp_path)
    first = sandbox.run("status", task_id, "--wait", "--download", env=elsewhere)
    second = sandbox.run("status", task_id, "--download", "--out", "mine.wav", env=elsewhere)
    assert (first.code, first.out, second.code, second.out) == (0, "demo+s5.wav\n", 0, "mine.wav\n")
    assert Path("mine.wav").read_bytes() == Path("demo+s5.wav").read_bytes()


@pytest.mark.long
def test_what_is_saved_is_not_downloaded_again(sandbox: Sandbox) -> None:
    task_id = submitted(sandbox, "demo+s6", "--out", "song.wav")
    first = sandbox.run("status", task_id, "--wait", "--download")
    second = sandbox.run("status", task_id, "--wait", "--download")
    assert (first.code, second.code, first.out) == (0, 0, second.out)
    assert sandbox.counted("file_requests", "demo+s6") == 1


@pytest.mark.long
def test_an_existing_file_is_not_touched(sandbox: Sandbox) -> None:
    task_id = submitted(sandbox, "demo+s7", "--out", "song.wav")
    Path("song.wav").write_text("mine")
    done = sandbox.run("status", task_id, "--wait", "--download")
    assert (done.code, Path("song.wav").read_text()) == (10, "mine")


@pytest.mark.long
def test_a_song_that_was_not_accepted_has_no_task_and_the_reason_is_said(sandbox: Sandbox) -> None:
    assert sandbox.run("convert", "demo-no-credits+status").code == 4
    done = sandbox.run("status", "@last")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(
        "error: demo-no-credits+status has no task to look up: it was not accepted: not enough credits"
    ), done


def test_an_unknown_task_is_said_to_be_unknown(sandbox: Sandbox) -> None:
    done = sandbox.run("status", "f" * 32, "--wait", "--download", "--timeout", "1s")
    assert (done.code, done.out) == (7, "")
    assert "the service does not know this task" in done.err


@pytest.mark.long
def test_several_tasks_of_which_one_is_unknown(sandbox: Sandbox) -> None:
    task_id = submitted(sandbox, "demo+s8")
    done = sandbox.run("status", task_id, "e" * 32, "--json")
    assert done.code == 5
    assert [event["record"]["task_id"] for event in done.named("task_status")] == [task_id]
    assert [event["task_id"] for event in done.named("song_failed")] == ["e" * 32]


@pytest.mark.long
def test_a_songs_own_id_will_do_where_the_journal_knows_its_task(sandbox: Sandbox) -> None:
    task_id = submitted(sandbox, "demo-never+s9")
    done = sandbox.run("status", "demo-never+s9")
    assert (done.code, done.out.splitlines()[0]) == (0, f"task      {task_id}")


@pytest.mark.long
def test_waiting_is_shown_from_the_first_moment(sandbox: Sandbox) -> None:
    task_id = submitted(sandbox, "demo-never+s10")
    done = sandbox.run("status", task_id, "--wait", "--timeout", "300ms", "--json")
    assert done.code == 8
    assert done.events[0]["event"] == "looked_up"


def changes(err: str, song: str) -> list[str]:
    """Read what was said of a song's states; each has its time."""
    return re.findall(rf"^{re.escape(song)}: \d\d:\d\d:\d\d (.+)$", err, re.MULTILINE)


@pytest.mark.long
def test_watching_shows_each_change_of_state_and_ends_with_the_outcome(sandbox: Sandbox) -> None:
    """Of two, one fails: exit 5. A state that stays is said once; the file is not downloaded."""
    # The slow one last: it must not be ready when the watch begins.
    tasks = [submitted(sandbox, song) for song in ("demo-fails+s11", "demo-slow+s11")]
    done = sandbox.run("status", *tasks, "--watch")
    assert done.code == 5
    assert changes(done.err, "demo-slow+s11") == ["pending (PENDING)", "ready (SUCCESS)"]
    assert changes(done.err, "demo-fails+s11")[-1] == "failed (GENERATE_WAV_FAILED)"
    assert "the service could not convert the song: GENERATE_WAV_FAILED (501" in done.err
    assert f"task      {tasks[1]}\nstate     ready (SUCCESS)\n" in done.out
    assert tasks[0] not in done.out
    assert list(Path().iterdir()) == []


@pytest.mark.long
def test_watching_a_job_shows_the_services_own_states_until_the_time_is_up(sandbox: Sandbox) -> None:
    """As JSON too, with the record; exit 8 for what is not decided."""
    jobs = sandbox.as_kie("kie-jobs")
    task_id = submitted(jobs, "demo-never+s12", "--task-id", "music-1")
    done = jobs.run("status", task_id, "--watch", "--poll-interval", "50ms", "--timeout", "600ms", "--json")
    assert done.code == 8
    seen = [event["record"]["flag"] for event in done.named("state_changed")]
    assert seen == ["waiting", "queuing", "generating"]


@pytest.mark.long
def test_watching_may_download_and_says_the_path_alone_on_standard_output(sandbox: Sandbox) -> None:
    task_id = submitted(sandbox, "demo+s13", "--out", "song.wav")
    done = sandbox.run("status", task_id, "--watch", "--download")
    assert (done.code, done.out) == (0, f"{Path.cwd() / 'song.wav'}\n")
    assert changes(done.err, "demo+s13")[-1] == "ready (SUCCESS)"


@pytest.mark.long
@pytest.mark.parametrize(
    "options", [("--wait",), ("--wait", "--download", "--out", "here.wav")], ids=" ".join
)
def test_a_task_is_recorded_when_another_program_lets_the_journal_go(
    sandbox: Sandbox, tmp_path: Path, options: tuple[str, ...]
) -> None:
    """It is paid for, so that five seconds are not enough to wait."""
    task_id = submitted(sandbox, "demo+locked")
    elsewhere = Path(without_journal(tmp_path)["SUNO_WAV_HOME"])
    sandbox.run("convert", "demo+other", "--no-wait", env=without_journal(tmp_path))
    with (
        closing(sqlite3.connect(elsewhere / "journal.sqlite3", isolation_level=None)) as other,
        started(sandbox, "status", task_id, *options, env=without_journal(tmp_path)) as process,
    ):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(8)
        other.rollback()
        assert process.wait(30) == 0
