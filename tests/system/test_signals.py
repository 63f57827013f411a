"""The exit codes of programs that a signal has ended."""

from __future__ import annotations

import signal

from suno_wav_cli.system.signals import exit_code_of

CTRL_BREAK = 21
"""The number on Windows."""


def test_ctrl_break_counts_as_ctrl_c() -> None:
    assert exit_code_of(CTRL_BREAK, ctrl_break=CTRL_BREAK) == 130
    assert exit_code_of(signal.SIGINT, ctrl_break=CTRL_BREAK) == 130
    assert exit_code_of(signal.SIGTERM, ctrl_break=CTRL_BREAK) == 143
    assert exit_code_of(signal.SIGHUP) == 129
