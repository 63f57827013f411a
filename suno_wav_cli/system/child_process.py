"""Programs that run beside the event loop, and end with the task that waits for them."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from suno_wav_cli.system.threads import start_in_thread

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_GRACE = 0.4
"""Seconds between asking a program to end and killing it. Ctrl-C must end a run within a second."""


async def run_to_end(argv: Sequence[str], environ: Mapping[str, str], *, seconds: float) -> int:
    """Run a program without a shell, and return its exit code: negative if a signal has ended it.

    Its standard input is empty, and its standard output is this program's standard error. A task that is
    cancelled ends it, and what it has started. Raise OSError if it cannot be started, TimeoutError
    after `seconds`.
    """
    # In a session of its own: Ctrl-C at the terminal reaches this program alone, which ends it.
    process = subprocess.Popen(  # noqa: ASYNC220, S603 - waited for in a thread; the command is the user's own
        argv, stdin=subprocess.DEVNULL, stdout=_standard_error(), env=dict(environ), start_new_session=True
    )
    ended = start_in_thread(process.wait, "command")
    try:
        async with asyncio.timeout(seconds):
            return await asyncio.shield(ended)
    finally:
        if not ended.done():
            await _end(process, ended)


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


def _standard_error() -> int:
    try:
        return sys.stderr.fileno()
    except (AttributeError, OSError, ValueError):
        return subprocess.DEVNULL
