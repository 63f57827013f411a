"""Help and the version that cannot be written are no success. A reader that has gone does not want it."""

from __future__ import annotations

import subprocess

import pytest

from tests.support.program import command_line

COMMANDS = [
    ["--version"],
    ["help"],
    *(
        pytest.param(arguments, marks=pytest.mark.long)
        for arguments in (["--help"], [], ["convert", "-h"], ["help", "jobs"])
    ),
]


def run(arguments: list[str], redirection: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", f'"$@" {redirection}', "bash", *command_line(*arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_full_disk_behind_standard_output_is_an_error(arguments: list[str]) -> None:
    done = run(arguments, ">/dev/full")
    assert done.returncode == 2
    assert done.stderr.startswith("error: standard output cannot be written: No space left on device\n")
    assert len(done.stderr.splitlines()) == 2


@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_reader_that_has_gone_is_not_mentioned(arguments: list[str]) -> None:
    assert run(arguments, "| true").stderr == ""
