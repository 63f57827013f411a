"""`suno-wav help`, and what is printed without a command."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.program import run_program


def test_without_a_command_and_with_help_it_says_what_to_do_first() -> None:
    alone, asked = run_program(), run_program("help")
    assert (alone.code, alone.err) == (0, "")
    assert alone == asked
    assert "suno-wav convert demo --provider sandbox --out song.wav" in alone.out
    assert max(map(len, alone.out.splitlines())) <= 80


def test_help_of_a_command_is_what_the_command_says() -> None:
    assert run_program("help", "convert").out == run_program("convert", "--help").out


@pytest.mark.long
def test_help_of_what_is_no_command_names_the_nearest() -> None:
    done = run_program("help", "job")
    assert (done.code, done.out) == (2, "")
    assert "there is no command 'job'\n  Did you mean jobs?" in done.err


def test_help_works_whatever_the_configuration_is() -> None:
    done = run_program("help", "jobs", env={"SUNO_WAV_HOME": str(Path("no-folder")), "SUNO_WAV_JOBS": "x"})
    assert done.code == 0
