"""Programs that run beside the event loop, and end with the task that waits for them."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from suno_wav_cli.system.threads import start_in_thread

if TYPE_CHECKING:
    import io
    from collections.abc import Callable, Mapping, Sequence

_GRACE = 0.4
"""Seconds between asking a program to end and killing it, and of silence after its end.

Ctrl-C must end a run within a second.
"""

_MOST_BYTES = 65_536
"""Read at once: all that a pipe holds. A longer line is cut."""


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
    output = _Output(cast("io.BufferedReader", process.stdout))
    said = asyncio.create_task(output.say_lines(say))
    try:
        async with asyncio.timeout(seconds):
            code = await asyncio.shield(ended)
        # What the program has left running may keep its output open, and may go on printing.
        most, before = output.bytes_read + _MOST_BYTES, -1
        while not said.done() and before < output.bytes_read <= most:
            before = output.bytes_read
            await asyncio.wait({said}, timeout=_GRACE)
        return code
    finally:
        said.cancel()
        if not ended.done():
            await _end(process, ended)
        await asyncio.wait({said})


class _Output:
    """What a program prints, and how much of it has been read."""

    def __init__(self, reader: io.BufferedReader) -> None:
        self._reader = reader
        self.bytes_read = 0

    async def say_lines(self, say: Callable[[str], None]) -> None:
        """Read lines as fast as they can be shown: a program that prints more waits."""
        rest = b""
        try:
            while piece := await start_in_thread(lambda: self._reader.read1(_MOST_BYTES), "command output"):
                self.bytes_read += len(piece)
                *lines, rest = (rest + piece).split(b"\n")
                if len(rest) >= _MOST_BYTES:
                    lines, rest = [*lines, rest], b""
                for line in lines:
                    say(_printed(line))
        finally:
            # A thread may still be reading, and the end come only with the last program that may write.
            start_in_thread(self._reader.close, "command output")
            if rest:
                say(_printed(rest))


def _printed(line: bytes) -> str:
    """Return a line as text. Of one that was drawn again and again, the last state counts."""
    return line.decode("utf-8", "backslashreplace").rstrip("\r").rpartition("\r")[2]


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
