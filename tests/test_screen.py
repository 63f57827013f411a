"""What a person sees: the program on a terminal, drawn by a terminal emulator."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from typing import TYPE_CHECKING

import pyte
import pytest

from tests.program import Sandbox, command_line

if TYPE_CHECKING:
    from collections.abc import Mapping


def screen_after(sandbox: Sandbox, *arguments: str, columns: int, ctrl_c_at: str | None = None) -> list[str]:
    """Run the program against the sandbox; see `screen_of`."""
    return screen_of(*arguments, columns=columns, ctrl_c_at=ctrl_c_at, env=sandbox.settings)


def screen_of(
    *arguments: str, columns: int, ctrl_c_at: str | None = None, env: Mapping[str, str] | None = None
) -> list[str]:
    """Run the program with all its streams on one terminal; return the lines that are left to see.

    Ctrl-C is pressed once `ctrl_c_at` is on the screen.
    """
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    process = subprocess.Popen(
        command_line(*arguments),
        env={**os.environ, **(env or {}), "TERM": "xterm-256color"},
        stdin=slave,
        stdout=slave,
        stderr=slave,
        # With the terminal as its own, so that a key pressed there reaches it.
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - no thread holds a lock here
    )
    os.close(slave)
    screen = pyte.Screen(columns, 40)
    stream = pyte.ByteStream(screen)
    deadline = time.monotonic() + 30
    try:
        while select.select([master], [], [], max(0.0, deadline - time.monotonic()))[0]:
            stream.feed(os.read(master, 65536))
            if ctrl_c_at is not None and any(ctrl_c_at in line for line in screen.display):
                os.write(master, b"\x03")
                ctrl_c_at = None
    except OSError:
        pass  # how Linux says that the last writer has gone
    finally:
        os.close(master)
        process.wait(timeout=10)
    return [line.rstrip() for line in screen.display if line.strip()]


@pytest.mark.parametrize("columns", [60, 120])
def test_no_line_is_drawn_over(sandbox: Sandbox, columns: int) -> None:
    """Three bars move while paths go to standard output on the same terminal: every line is still there, no bar is."""
    songs = [f"demo-5mb+{columns}a", f"demo+{columns}b", f"demo-fails+{columns}c"]
    seen = screen_after(sandbox, "convert", *songs, columns=columns)
    text = "\n".join(seen)
    assert [seen.count(f"{song}.wav") for song in songs] == [1, 1, 0]
    assert [text.count(f"{song}: submitted as task") for song in songs] == [1, 1, 1]
    assert [text.count(f"{song}: saved") for song in songs] == [1, 1, 0]
    assert f"{songs[2]}: error: the service could" in text
    assert seen[-1] == "suno-wav: 2 of 3 saved, 1 failed"
    assert "converting" not in text


@pytest.mark.parametrize("columns", [60, 120])
def test_ctrl_c_leaves_no_bar_behind(sandbox: Sandbox, columns: int) -> None:
    """The terminal itself writes ^C where the cursor is; the bar must be erased all the same."""
    seen = screen_after(
        sandbox, "convert", f"demo-never+{columns}", columns=columns, ctrl_c_at="converting 0:0"
    )
    text = "\n".join(seen)
    assert "stopped by Ctrl-C" in text
    assert "To continue: suno-wav resume" in text
    assert "converting" not in text


@pytest.mark.parametrize("columns", [60, 120])
def test_watching_leaves_its_lines_and_no_bar(sandbox: Sandbox, columns: int) -> None:
    song = f"demo-slow+watched{columns}"
    task_id = sandbox.run("convert", song, "--no-wait").out.strip()
    seen = screen_after(sandbox, "status", task_id, "--watch", columns=columns)
    assert [line.partition(" ")[0] for line in seen[:3]] == [f"{song}:", f"{song}:", "task"]
    assert [line.rpartition(" ")[2] for line in seen[:3]] == ["(PENDING)", "(SUCCESS)", task_id]
    assert "converting" not in "\n".join(seen)
