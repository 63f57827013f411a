"""Output that cannot be written is not success. A reader that has gone does not want it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.program import command_line, run_program

if TYPE_CHECKING:
    from tests.support.program import Sandbox

COMMANDS = [
    ["--version"],
    ["help"],
    ["config", "--json"],
    *(
        pytest.param(arguments, marks=pytest.mark.long)
        for arguments in (
            ["--help"],
            [],
            ["convert", "-h"],
            ["help", "jobs"],
            ["config"],
            ["config", "--quiet"],
            ["config", "get", "timeout"],
            ["config", "--path"],
            ["sandbox", "--list"],
        )
    ),
]


FULL = "error: standard output cannot be written: No space left on device\n"


def run(
    arguments: list[str], redirection: str, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", f'"$@" {redirection}', "bash", *command_line(*arguments)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | (env or {}),
    )


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_full_disk_behind_standard_output_is_an_error(arguments: list[str]) -> None:
    done = run(arguments, ">/dev/full")
    assert done.returncode == 2
    assert done.stderr.startswith(FULL)
    assert len(done.stderr.splitlines()) == 2


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_reader_that_has_gone_is_not_mentioned(arguments: list[str]) -> None:
    assert run(arguments, "| true").stderr == ""


@pytest.mark.long
@pytest.mark.parametrize("redirection", [">/dev/full", "| true"])
def test_a_song_is_saved_whatever_becomes_of_the_output(sandbox: Sandbox, redirection: str) -> None:
    """It is paid for. In a run of several, the others are saved as well."""
    for options in ([], ["--json"]):
        ids = [f"demo+{redirection.encode().hex()}{number}{len(options)}" for number in range(2)]
        done = run(["convert", *ids, *options], redirection, sandbox.settings)
        assert [Path(f"{audio_id}.wav").exists() for audio_id in ids] == [True, True]
        assert (done.returncode, FULL in done.stderr) == ((2, True) if "full" in redirection else (0, False))
        assert [sandbox.counted("accepted", audio_id) for audio_id in ids] == [1, 1]


@pytest.mark.long
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_what_is_known_of_a_song_is_not_lost_in_silence(sandbox: Sandbox, options: list[str]) -> None:
    task = sandbox.run("convert", "demo").out.strip()
    for arguments in (["jobs"], ["status", "demo"], ["inspect", "demo.wav"], ["credits"]):
        done = run([*arguments, *options], ">/dev/full", sandbox.settings)
        assert (done.returncode, FULL in done.stderr) == (2, True), (arguments, task)


@pytest.mark.long
def test_an_error_of_the_command_keeps_its_exit_code(sandbox: Sandbox) -> None:
    """Exit code 8 means go on: a program has to know."""
    done = run(["convert", "demo-never", "--timeout", "1", "--json"], ">/dev/full", sandbox.settings)
    assert (done.returncode, FULL in done.stderr) == (8, True)


@pytest.mark.long
def test_a_file_that_may_not_grow_and_one_that_is_only_read_are_errors_too() -> None:
    for redirection, reason in (
        ("1</dev/null", "Bad file descriptor"),
        (">grown", "File too large"),
    ):
        done = subprocess.run(
            ["bash", "-c", f'ulimit -f 0; exec "$@" {redirection}', "bash", *command_line("config")],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 2
        assert done.stderr.startswith(f"error: standard output cannot be written: {reason}\n")


@pytest.mark.long
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_log_file_on_a_full_disk_is_said_once_and_the_run_goes_on() -> None:
    done = run_program(
        "convert", "demo", "--provider", "sandbox", "--log-file", "/dev/full", "--out", "song.wav"
    )
    assert (done.code, done.out) == (0, "song.wav\n")
    assert done.err.count("the log file /dev/full is not complete: No space left on device") == 1
