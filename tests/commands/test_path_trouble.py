"""Every command meets every kind of path that cannot be used: a line and an exit code, never a bug."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from suno_wav_cli.journal import open_journal
from suno_wav_cli.journal.entry import State
from suno_wav_cli.models import Song
from tests.commands.test_listen import listening, submitted, success
from tests.support.program import command_line, read_until, run_program, started

if TYPE_CHECKING:
    from tests.support.program import Sandbox

TROUBLES = {
    "a name that is too long": "x" * 300 + ".wav",
    "a file in place of a folder": "file/song.wav",
    "a link to itself": "loop/song.wav",
    "a link in its own place": "loop",
    "no such folder": "absent/song.wav",
    "a folder": "folder",
}
COMMANDS = [
    ("convert", "demo+trouble", "--out", "{path}"),
    ("convert", "demo+trouble", "--out", "{path}", "--skip-existing", "--dry-run"),
    ("convert", "demo+trouble", "demo+trouble2", "--out", "{path}/"),
    ("convert", "demo+trouble", "--errors", "{path}"),
    ("convert", "--from-file", "{path}"),
    ("convert", "demo+trouble", "--log-file", "{path}"),
    ("resume", "--out", "{path}"),
    ("status", "{task}", "--wait", "--download", "--out", "{path}"),
    ("inspect", "{path}"),
    ("trigger", "http://127.0.0.1:9", "--from", "{path}"),
    ("listen", "--port", "0", "--tunnel", "none", "--out", "{path}/x"),
    ("listen", "--port", "0", "--tunnel", "none", "--save", "{path}/x"),
]
HOMES = [
    ("config",),
    ("config", "--path"),
    ("jobs",),
    ("convert", "demo+trouble"),
    ("convert", "demo+trouble", "--dry-run"),
    ("resume",),
    ("status", "@last"),
    ("tracks", "m" * 32),
    ("credits",),
    ("login", "--unverified"),
    ("logout",),
]


@pytest.fixture(autouse=True)
def troubles() -> None:
    Path("file").write_text("text")
    Path("folder").mkdir()
    Path("loop").symlink_to("loop")


@pytest.fixture
def task(sandbox: Sandbox) -> str:
    """Give a task of the sandbox that is not saved."""
    done = sandbox.run("convert", "demo+in-trouble", "--no-wait")
    return done.out.strip()


def check(code: int, err: str) -> None:
    assert code in {0, 2, 3, 5, 6, 7, 9, 10}, err
    assert "a bug in" not in err


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_path_that_cannot_be_used(
    sandbox: Sandbox, command: tuple[str, ...], trouble: str, task: str
) -> None:
    arguments = [word.format(path=TROUBLES[trouble], task=task) for word in command]
    done = sandbox.run(*arguments)
    check(done.code, done.err)


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("command", HOMES, ids=" ".join)
def test_a_home_that_cannot_be_used(sandbox: Sandbox, command: tuple[str, ...], trouble: str) -> None:
    env = sandbox.settings | {"SUNO_WAV_HOME": str(Path.cwd() / TROUBLES[trouble])}
    done = run_program(*command, env=env, entered=b"key\n")
    check(done.code, done.err)


def without_privileges(*arguments: str) -> list[str]:
    """Run the program so that permissions count, even for root."""
    if os.geteuid() != 0:
        return command_line(*arguments)
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("nothing is closed to root, and there is no setpriv")
    return [setpriv, "--bounding-set=-dac_override,-dac_read_search", *command_line(*arguments)]


@pytest.mark.long
@pytest.mark.parametrize("command", [*COMMANDS, ("jobs",)], ids=" ".join)
def test_a_closed_folder(sandbox: Sandbox, command: tuple[str, ...], task: str) -> None:
    closed = Path("closed")
    closed.mkdir()
    with open_journal(Path(os.environ["SUNO_WAV_HOME"]) / "journal.sqlite3", sandbox.service) as journal:
        target = closed / "song.wav"
        target.write_bytes(b"12345")
        entry = journal.claim(Song(audio_id="demo+closed"), target).entry
        entry = journal.move(journal.accept(entry, "a" * 32), State.READY)
        journal.move(journal.begin_rename(entry, target, 5, "ab" * 32), State.SAVED)
    closed.chmod(0)
    try:
        arguments = [word.format(path="closed/song.wav", task=task) for word in command]
        done = subprocess.run(
            without_privileges(*arguments),
            env=os.environ | sandbox.settings,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        check(done.returncode, done.stderr)
        assert command != ("jobs",) or "demo+closed" in done.stdout
    finally:
        closed.chmod(0o700)


@pytest.mark.long
@pytest.mark.parametrize(
    "command",
    [
        ("convert", "demo+gone"),
        ("convert", "demo+gone", "--errors", "e.txt"),
        ("jobs",),
        ("resume",),
        ("config",),
    ],
    ids=" ".join,
)
@pytest.mark.usefixtures("task")
def test_a_current_folder_that_was_removed(sandbox: Sandbox, command: tuple[str, ...]) -> None:
    gone = Path("gone")
    gone.mkdir()
    done = subprocess.run(
        ["sh", "-c", 'cd gone && rmdir ../gone && exec "$@"', "sh", *command_line(*command)],
        env=os.environ
        | sandbox.settings
        | {"PYTHONPATH": str(Path(sys.modules["suno_wav_cli"].__path__[0]).parent)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    check(done.returncode, done.stderr)


@pytest.mark.long
def test_a_part_that_vanishes_costs_one_song_and_keeps_the_list(sandbox: Sandbox) -> None:
    """Its folder is removed while it is downloaded; the other song is saved, and the list is written."""
    arguments = ("convert", "demo-stall+vanish", "demo+stays", "--out", "{audio_id}-x/song.wav")
    for name in ("demo-stall+vanish-x", "demo+stays-x"):
        Path(name).mkdir()
    with started(sandbox, *arguments, "--errors", "errors.txt", "--stall-timeout", "1s") as process:
        read_until(
            process,
            lambda event: event["event"] == "download_progress" and event["audio_id"] == "demo-stall+vanish",
        )
        shutil.rmtree("demo-stall+vanish-x")
        _, err = process.communicate(timeout=60)
    assert process.returncode == 5, err
    assert Path("demo+stays-x/song.wav").exists()
    assert Path("errors.txt").read_text().startswith("demo-stall+vanish  # ")


@pytest.mark.long
def test_a_part_that_vanishes_does_not_end_listen(sandbox: Sandbox) -> None:
    """It is that song's failure, and the next delivery's file is saved."""
    Path("wavs").mkdir()
    env = sandbox.settings | {"SUNO_WAV_STALL_TIMEOUT": "1s"}
    with listening("--out", "wavs", env=env) as listener:
        listener.post(success(submitted(sandbox, "demo-stall+heard"), None))
        listener.next("download_progress")
        shutil.rmtree("wavs")
        failed = listener.next("song_failed")
        Path("wavs").mkdir()
        listener.post(success(submitted(sandbox, "demo+heard"), None))
        listener.next("saved")
    assert (failed["audio_id"], failed["exit_code"]) == ("demo-stall+heard", 9)
