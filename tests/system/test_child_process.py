"""Programs beside the event loop: what they print."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from suno_wav_cli.system.child_process import run_to_end

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the programs are shell scripts")


def printed(script: str) -> list[str]:
    """Return the lines of a shell script that ends with exit code 0."""
    lines: list[str] = []
    environ = {"PATH": os.environ["PATH"]}
    assert asyncio.run(run_to_end(["sh", "-c", script], environ, seconds=60, say=lines.append)) == 0
    return lines


def test_an_unfinished_line_is_shown_though_the_output_stays_open() -> None:
    *lines, left_running, end = printed("echo one; sleep 600 & printf '%s\\nend' $!")
    os.kill(int(left_running), signal.SIGTERM)
    assert (lines, end) == (["one"], "end")


def test_what_goes_on_printing_after_the_end_is_not_read_for_ever() -> None:
    lines = printed("while :; do echo y; done & echo $!")
    os.kill(int(next(line for line in lines if line != "y")), signal.SIGKILL)
