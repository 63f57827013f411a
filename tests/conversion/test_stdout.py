"""`--out -`: the song on standard output and nothing else there, nothing left behind, and no wait for a reader that is gone."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.context import file_of
from tests.support.program import ENDS_WITHIN, Sandbox, start_program

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGE = "demo-17mb"
"""More than a pipe takes while nobody reads."""


@contextmanager
def piped(
    sandbox: Sandbox, *arguments: str, stdout: int = subprocess.PIPE
) -> Iterator[subprocess.Popen[bytes]]:
    process = start_program(
        *(*arguments, "--out", "-"),
        env=sandbox.settings,
        stdout=stdout,
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def ended(process: subprocess.Popen[bytes], within: float = 20.0) -> tuple[int, str]:
    """Wait for the end; the exit code, and what was said."""
    assert process.stderr is not None
    code = process.wait(within)
    said = process.stderr.read().decode()
    assert "Traceback" not in said
    assert "Exception ignored" not in said
    return code, said


def left() -> list[str]:
    """Name what stays in the folder, and of songs in the program's own."""
    home = Path(os.environ["SUNO_WAV_HOME"])
    return [path.name for folder in (Path(), *home.rglob("piped")) for path in folder.iterdir()]


@pytest.mark.long
def test_the_song_arrives_byte_for_byte_and_nothing_else(sandbox: Sandbox) -> None:
    with piped(sandbox, "convert", "demo-17mb+pipe") as process:
        song, said = process.communicate(timeout=30)
    assert process.returncode == 0
    assert song == file_of(LARGE)
    assert left() == []
    assert "Traceback" not in said.decode()


@pytest.mark.long
def test_resume_sends_it_there_too(sandbox: Sandbox) -> None:
    task = sandbox.run("convert", "demo+pipe-later", "--no-wait").out.strip()
    with piped(sandbox, "resume", task) as process:
        song, _ = process.communicate(timeout=30)
    assert (process.returncode, song == file_of("demo"), left()) == (0, True, [])


@pytest.mark.long
def test_a_file_that_is_no_song_does_not_arrive_at_all(sandbox: Sandbox) -> None:
    """What was written to a pipe cannot be taken back."""
    with piped(sandbox, "convert", "demo-cdn-page~always+pipe") as process:
        song, said = process.communicate(timeout=30)
    assert (process.returncode, song, left()) == (9, b"", [])
    assert "it is a web page" in said.decode()


@pytest.mark.long
def test_a_reader_that_leaves_early_is_exit_9_and_the_song_need_not_be_fetched_again(
    sandbox: Sandbox,
) -> None:
    with piped(sandbox, "convert", "demo-17mb+leaves") as process:
        assert process.stdout is not None
        assert process.stdout.read(1000) == file_of(LARGE)[:1000]
        process.stdout.close()
        code, said = ended(process)
    assert code == 9
    assert "standard output did not take the whole song" in said
    requests = sandbox.counted("file_requests", "demo-17mb+leaves")
    with piped(sandbox, "convert", "demo-17mb+leaves") as process:
        song, _ = process.communicate(timeout=30)
    assert (process.returncode, song == file_of(LARGE), left()) == (0, True, [])
    assert sandbox.counted("file_requests", "demo-17mb+leaves") == requests
    assert sandbox.counted("accepted", "demo-17mb+leaves") == 1


@pytest.mark.long
def test_what_a_failed_run_has_left_is_no_obstacle_to_a_later_one(sandbox: Sandbox) -> None:
    """Not even where the song went elsewhere in between; and after its days at the service it is cleared away."""
    with piped(sandbox, "convert", "demo+full", stdout=os.open("/dev/full", os.O_WRONLY)) as process:
        assert ended(process)[0] == 9
    assert left() == ["demo+full.wav.part"]
    assert sandbox.run("convert", "demo+full", "--out", "song.wav").code == 0
    for command in ("resume", "convert"):
        with piped(sandbox, command, "demo+full") as process:
            song, _ = process.communicate(timeout=30)
        assert (process.returncode, song == Path("song.wav").read_bytes()) == (0, True)
    (old,) = Path(os.environ["SUNO_WAV_HOME"]).rglob("piped")
    (old / "old.wav.part").write_bytes(b"song")
    os.utime(old / "old.wav.part", (0, 0))
    with piped(sandbox, "convert", "demo+full") as process:
        process.communicate(timeout=30)
    assert left() == ["song.wav"]


def aged(file: Path) -> Path:
    file.write_bytes(b"content")
    os.utime(file, (0, 0))
    return file


def spool() -> Path:
    folder = Path(os.environ["SUNO_WAV_HOME"]) / "piped"
    folder.mkdir(parents=True)
    return folder


def convert_to_standard_output(sandbox: Sandbox, audio_id: str) -> None:
    with piped(sandbox, "convert", audio_id) as process:
        song, said = process.communicate(timeout=30)
    assert (process.returncode, song) == (0, file_of("demo")), said


@pytest.mark.long
def test_only_old_part_files_of_its_own_are_cleared_away(sandbox: Sandbox, tmp_path: Path) -> None:
    folder = spool()
    ours = [
        aged(folder / name) for name in ("demo.wav.part", "8551ab12-34cd-4e5f-8a9b-0c1d2e3f662c.wav.part")
    ]
    young = folder / "young.wav.part"
    young.write_bytes(b"song")
    elsewhere = aged(tmp_path / "elsewhere.wav.part")
    for link in ("link.wav.part", "link.txt"):
        (folder / link).symlink_to(elsewhere)
        os.utime(folder / link, (0, 0), follow_symlinks=False)
    (folder / "folder.wav.part").mkdir()
    os.utime(folder / "folder.wav.part", (0, 0))
    for foreign in (
        "letter.txt",
        "song.wav",
        "my thesis.wav.part",
        ".wav.part",
        "song.part",
        "a.wav.part.bak",
    ):
        aged(folder / foreign)
    before = {path.name for path in folder.iterdir()}
    convert_to_standard_output(sandbox, "demo+clears")
    assert before - {path.name for path in folder.iterdir()} == {path.name for path in ours}
    assert elsewhere.exists()


@pytest.mark.long
@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")
def test_what_another_user_owns_is_not_cleared_away(sandbox: Sandbox) -> None:
    theirs = aged(spool() / "theirs.wav.part")
    os.chown(theirs, 12345, 12345)
    os.utime(theirs, (0, 0))
    convert_to_standard_output(sandbox, "demo+theirs-piped")
    assert theirs.exists()


@pytest.mark.long
def test_nothing_is_written_or_cleared_away_through_a_link(sandbox: Sandbox, tmp_path: Path) -> None:
    folder = spool()
    folder.rmdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    folder.symlink_to(elsewhere)
    old = aged(elsewhere / "old.wav.part")
    done = sandbox.run("convert", "demo+link", "--out", "-")
    assert (done.code, sandbox.counted("accepted", "demo+link")) == (2, 0)
    assert f"{folder} cannot be used: it is a link" in done.err
    assert list(elsewhere.iterdir()) == [old]


@pytest.mark.long
@pytest.mark.timing
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_it_leaves_at_once_while_the_pipe_is_full(
    sandbox: Sandbox, number: signal.Signals, code: int
) -> None:
    with piped(sandbox, "convert", f"demo-17mb+{number.name}-pipe") as process:
        assert process.stdout is not None
        # It is writing, and the pipe is full.
        process.stdout.read(1)
        begun = time.monotonic()
        process.send_signal(number)
        assert ended(process)[0] == code
        assert time.monotonic() - begun < ENDS_WITHIN


@pytest.mark.long
def test_a_pipe_that_does_not_wait_is_waited_for(sandbox: Sandbox) -> None:
    """Other programs that have the pipe can make it so."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with (
        os.fdopen(reading, "rb") as reader,
        piped(sandbox, "convert", "demo-17mb+nonblocking", stdout=writing) as process,
    ):
        os.close(writing)
        assert reader.read() == file_of(LARGE)
        assert ended(process)[0] == 0


def test_a_terminal_gets_no_song_and_nothing_is_paid_for(sandbox: Sandbox) -> None:
    master, slave = pty.openpty()
    try:
        with piped(sandbox, "convert", "demo+terminal", stdout=slave) as process:
            code, said = ended(process)
    finally:
        os.close(slave)
        os.close(master)
    assert (code, sandbox.counted("submissions", "demo+terminal")) == (2, 0)
    assert "| ffmpeg" in said
