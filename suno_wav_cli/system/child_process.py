"""Programs that run beside the event loop, and end with the task that waits for them."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from contextlib import suppress
from typing import IO, TYPE_CHECKING, cast

from suno_wav_cli.system.threads import start_in_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_GRACE = 0.4
"""Seconds between asking a program to end and killing it. Ctrl-C must end a run within a second."""

_LONGEST_LINE = 65_536
"""Bytes. A longer line is cut into several."""


async def run_to_end(
    argv: Sequence[str], environ: Mapping[str, str], *, seconds: float, say: Callable[[str], None]
) -> int:
    """Run a program without a shell, and return its exit code: negative if a signal has ended it.

    Its standard input is empty, and `say` gets each line that it prints. A task that is cancelled ends
    it, and what it has started. Raise OSError if it cannot be started, TimeoutError after `seconds`.
    """
    # In a session of its own: Ctrl-C at the terminal reaches this program alone, which ends it.
    process = subprocess.Popen(  # noqa: ASYNC220, S603 - waited for in a thread; the command is the user's own
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=dict(environ),
        start_new_session=True,
    )
    ended = start_in_thread(process.wait, "command")
    said = asyncio.create_task(_say_lines(cast("IO[bytes]", process.stdout), say))
    try:
        async with asyncio.timeout(seconds):
            code = await asyncio.shield(ended)
        # What the program has left running may keep its output open.
        await asyncio.wait({said}, timeout=_GRACE)
        return code
    finally:
        said.cancel()
        if not ended.done():
            await _end(process, ended)


async def _say_lines(output: IO[bytes], say: Callable[[str], None]) -> None:
    """Read lines as fast as they can be shown: a program that prints more waits."""
    while line := await start_in_thread(lambda: output.readline(_LONGEST_LINE), "command output"):
        # Of a line that was drawn again and again, the last state counts.
        say(line.decode("utf-8", "backslashreplace").rstrip("\r\n").rpartition("\r")[2])
    output.close()


async def _end(process: subprocess.Popen[bytes], ended: asyncio.Future[int]) -> None:
    try:
        _signal(process, signal.SIGTERM)
        await asyncio.wait({ended}, timeout=_GRACE)
    finally:
        # A second Ctrl-C leaves the wait above.
        if not ended.done():
            _signal(process, getattr(signal, "SIGKILL", signal.SIGTERM))


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    if os.name == "posix":
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
    else:
        process.kill()
