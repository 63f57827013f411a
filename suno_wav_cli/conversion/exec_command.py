"""`--exec`: the user's command for each saved song."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

from suno_wav_cli.errors import UsageError
from suno_wav_cli.events.follow_up import CommandFailed, CommandOutput
from suno_wav_cli.system.child_process import run_to_end
from suno_wav_cli.system.shell_words import split_command

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from suno_wav_cli.events import Report

PLACE = "{}"

_OURS = ("SUNO_", "NGROK_AUTHTOKEN")
"""Beginnings of the variables that are this program's own: among them may be keys and secret addresses."""

_BATCH_FILES = (".bat", ".cmd")
"""Windows runs them by its shell, which takes parts of a file name for commands."""


class CommandRunner:
    """Runs a command for one saved song after another, `at_once` of them side by side."""

    def __init__(
        self, command: str, environ: Mapping[str, str], *, at_once: int, seconds: float, report: Report
    ) -> None:
        self._words = split_command(command)
        self._environ = {name: value for name, value in environ.items() if not name.upper().startswith(_OURS)}
        self._room = asyncio.Semaphore(at_once)
        self._seconds = seconds
        self._report = report

    async def run(self, audio_id: str, place: str) -> bool:
        """Run the command for the file or object at `place`. Report a failure, and return False."""

        def say(line: str) -> None:
            self._report(CommandOutput(audio_id=audio_id, line=line))

        code, words = None, fill_place(self._words, place)
        async with self._room:
            try:
                code = await run_to_end(words, self._environ, seconds=self._seconds, say=say)
                reason = _describe(code)
            except TimeoutError:
                reason = f"it was ended after {self._seconds:g} s (--timeout)"
            except (OSError, ValueError) as error:
                # A path with a null character cannot be, but a command may have one.
                reason = f"{self._words[0]}: {getattr(error, 'strerror', None) or error}"
        if code == 0:
            return True
        exit_code = code if code is not None and code > 0 else None
        self._report(CommandFailed(audio_id=audio_id, place=place, code=exit_code, reason=reason))
        return False


def check_command(command: str) -> None:
    """Raise UsageError, before anything is paid for, if the command cannot be started."""
    name = split_command(command)[0]
    if PLACE in name:
        raise UsageError(
            f"--exec: the command itself is a song, '{name}'", "Name the program first: --exec 'PROGRAM {}'"
        )
    found = shutil.which(name)
    if found is None:
        raise UsageError(f"--exec: there is no program {name}", "Install it, or write its whole path.")
    if os.name == "nt" and found.lower().endswith(_BATCH_FILES):
        raise UsageError(
            f"--exec: {found} is a batch file, which only a shell runs", "Name the program that it starts."
        )


def fill_place(words: Sequence[str], place: str) -> list[str]:
    """Put the path in place of each `{}`, or after the last word if there is none."""
    if not any(PLACE in word for word in words):
        return [*words, place]
    return [word.replace(PLACE, place) for word in words]


def _describe(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    with suppress(ValueError):
        return f"ended by {signal.Signals(-code).name}"
    return f"ended by signal {-code}"
