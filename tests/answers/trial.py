"""One cell of the table, tried: the real program against the real sandbox, in folders of its own."""

from __future__ import annotations

import os
import re
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from tests.answers.rules import Expectation, expect
from tests.answers.table import Cell, Command, Lookup, Submission
from tests.support.program import Finished, Sandbox, named, read_until, run_program, start_program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SPEED = 100.0
"""How much faster than the service its sandbox is."""

_MUSIC = "0123456789abcdef0123456789abcdef"
_PATIENCE = 90.0
_ENOUGH, _SHORT = "60s", "2s"
"""The program's timeout: where the wait must end by itself, and where it cannot."""

_SENDS_AWAY = re.compile(r"check the id|top up|is not the API|only a new conversion", re.IGNORECASE)
"""What must not be said of a task that is paid for and may yet be finished."""

_numbers = count(1)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """How the command ended, and what the service has counted for the song."""

    done: Finished
    accepted: int
    submissions: int
    lookups: int
    saved: bool


class Trial:
    """A song and its folders. `sandbox` speaks the cell's contract."""

    def __init__(self, cell: Cell, sandbox: Sandbox, folder: Path) -> None:
        self._cell = cell
        self._folder = folder / str(next(_numbers))
        self._folder.joinpath("heard").mkdir(parents=True)
        self._file = self._folder / "song.wav"
        self._sandbox = sandbox if cell.provider == "sunoapi" else sandbox.as_kie(cell.provider)
        route = "submit" if isinstance(cell.answer, Submission) else "lookup"
        self._song = f"demo-{route}-{cell.answer.name}+{self._folder.name}"
        never_ends = not isinstance(cell.answer, Submission) and cell.answer.times is None
        self._environment = {
            **os.environ,
            **self._sandbox.settings,
            "SUNO_WAV_HOME": str(self._folder / "home"),
            "SUNO_WAV_POLL_INTERVAL": "50ms",
            "SUNO_WAV_TIMEOUT": _SHORT if never_ends or "false" in cell.answer.steps else _ENOUGH,
        }

    def run(self) -> Seen:
        if isinstance(self._cell.answer, Lookup) and self._cell.command is Command.CONVERT:
            done = self._convert()
        elif self._cell.command is Command.LISTEN:
            with self._listening() as (process, url):
                self._convert("--no-wait", "--callback-url", url)
                done = _finished(process)
        else:
            is_submission = isinstance(self._cell.answer, Submission)
            done = self._convert() if is_submission else self._convert("--no-wait")
            match self._cell.command:
                case Command.AGAIN:
                    done = self._convert()
                case Command.RESUME:
                    done = self._program("resume")
                case Command.STATUS:
                    done = self._program(
                        "status", self._song, "--wait", "--download", "--out", str(self._file)
                    )
                case _:
                    pass
        heard = any(self._folder.joinpath("heard").glob("*.wav"))
        return Seen(
            done=done,
            accepted=self._sandbox.counted("accepted", self._song),
            submissions=self._sandbox.counted("submissions", self._song),
            lookups=self._sandbox.counted("lookups", self._song),
            saved=self._file.exists() or heard,
        )

    def _convert(self, *options: str) -> Finished:
        line = ("convert", self._song, "--task-id", _MUSIC, "--out", str(self._file), "--tunnel", "none")
        return self._program(*line, *options)

    def _program(self, *arguments: str) -> Finished:
        return run_program(*arguments, env=self._environment, seconds=_PATIENCE)

    @contextmanager
    def _listening(self) -> Iterator[tuple[subprocess.Popen[str], str]]:
        heard = str(self._folder / "heard")
        line = ("listen", "--out", heard, "--port", "0", "--tunnel", "none", "--max-events", "1", "--json")
        with start_program(
            *line, env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                yield process, read_until(process, named("listening"))["callback_url"]
            finally:
                process.kill()


def _finished(process: subprocess.Popen[str]) -> Finished:
    out, err = process.communicate(timeout=_PATIENCE)
    return Finished(code=process.returncode, out=out, err=err)


def check(cell: Cell, sandbox: Sandbox, folder: Path) -> list[str]:
    """Try a cell. Return what is not as the rules have it."""
    try:
        seen = Trial(cell, sandbox, folder).run()
    except (AssertionError, subprocess.TimeoutExpired) as error:
        return [f"it broke: {str(error)[:300]}"]
    return compare(cell, expect(cell), seen)


def compare(cell: Cell, expected: Expectation, seen: Seen) -> list[str]:
    found = []
    if seen.done.code not in expected.codes:
        found.append(f"exit code {seen.done.code}, not {sorted(expected.codes)}: {_last_words(seen.done)}")
    if seen.accepted > 1 or expected.accepted not in (None, seen.accepted):
        found.append(f"paid for {seen.accepted} times, not {expected.accepted}")
    if expected.submissions not in (None, seen.submissions):
        found.append(f"submitted {seen.submissions} times, not {expected.submissions}")
    if not expected.lookups[0] <= seen.lookups <= expected.lookups[1]:
        found.append(f"looked up {seen.lookups} times, not {expected.lookups[0]} to {expected.lookups[1]}")
    if expected.saved not in (None, seen.saved):
        found.append("saved" if seen.saved else "not saved")
    if isinstance(cell.answer, Lookup) and cell.command is not Command.LISTEN and seen.done.code in (3, 6, 8):
        if "suno-wav" not in (seen.done.err.splitlines() or [""])[-1]:
            found.append(f"the last line does not say how to continue: {_last_words(seen.done)}")
        if _SENDS_AWAY.search(seen.done.err):
            found.append(f"it sends the person away: {_last_words(seen.done)}")
    return found


def _last_words(done: Finished) -> str:
    return " / ".join(line.strip() for line in done.err.splitlines()[-2:])
