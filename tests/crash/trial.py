"""A conversion in a world of its own: a state folder, a song, a relay before the sandbox, a process that can be killed."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from concurrent.futures import Future
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from tests.crash.relay import Relay, relaying
from tests.support.ports import free_port
from tests.support.program import run_program

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.support.program import Finished, Sandbox

_LAUNCHER = Path(__file__).with_name("killed_at.py")
_MUSIC = "0123456789abcdef0123456789abcdef"
_PATIENCE = 60.0


class Story(Enum):
    """What happens to the song while its program is killed."""

    PLAIN = "plain"
    NOT_UNDERSTOOD = "an answer that is not understood"
    """The ids in it are looked up."""
    RESUBMITTED = "resubmitted"
    """It failed before, and will fail again."""
    SECOND = "a second program"
    """It begins when the paid request is on its way, and wants the same song."""


@dataclass(frozen=True)
class Way:
    """A contract, how the program hears of the result, and what happens meanwhile."""

    provider: str
    called_back: bool
    story: Story = Story.PLAIN

    def __str__(self) -> str:
        heard = "called back" if self.called_back else "polling"
        return f"{self.provider}, {heard}" + ("" if self.story is Story.PLAIN else f", {self.story.value}")

    @property
    def behaviour(self) -> str:
        match self.story:
            case Story.NOT_UNDERSTOOD:
                return "demo-submit-nested"
            case Story.RESUBMITTED:
                return "demo-fails"
            case _:
                # Polling, the first question finds nothing, so that there is always one more.
                return "demo" if self.called_back else "demo-record-null-first"

    @property
    def exit_code(self) -> int:
        """What the program ends with, if it is not killed."""
        return 7 if self.story is Story.RESUBMITTED else 0


class Trial:
    """Made by `trial_of`. `convert` is the command line; `file` what it makes; `tasks` what the service has accepted."""

    def __init__(self, way: Way, name: str, sandbox: Sandbox, folder: Path) -> None:
        self.file = folder / "out" / "song.wav"
        self.file.parent.mkdir(parents=True)
        self._way = way
        self._log = folder / "points"
        self._home = folder / "home"
        self._song = f"{way.behaviour}+{way.provider}-{'called' if way.called_back else 'polling'}-{name}"
        self._second: Future[Finished] | None = None
        self._point: str | None = None
        self._watched = True
        self._process: Future[subprocess.Popen[bytes]] = Future()
        port = free_port()
        self.relay = Relay(sandbox.base_url, port, self._reached)
        self._sandbox = sandbox
        met = replace(sandbox, base_url=self.relay.address)
        self._settings = (met if way.provider == "sunoapi" else met.as_kie(way.provider)).settings
        waiting = (
            ("--port", str(port), "--public-url", self.relay.address)
            if way.called_back
            else ("--tunnel", "none")
        )
        # The callback is to wake it. Who goes on with its task hears of no callback, for that has its own address.
        self._options: tuple[str, ...] = ("--poll-interval", "1m") if way.called_back else ()
        if way.story is Story.RESUBMITTED:
            self._options += ("--resubmit",)
        self.convert = ("convert", self._song, "--task-id", _MUSIC, "--out", str(self.file), *waiting)

    @property
    def tasks(self) -> Sequence[str]:
        return self.relay.tasks

    def prepare(self) -> None:
        """Do what came before: a song that is to be resubmitted has failed."""
        if self._way.story is Story.RESUBMITTED:
            self._watched = False
            self.expect(7, *self.convert)
            self._watched = True

    def killed_at(self, point: str | None) -> int:
        """Convert until the point is reached, or to the end; the process's exit code."""
        self._point = point
        process = subprocess.Popen(
            [sys.executable, str(_LAUNCHER), str(self._log), point or "-", *self.convert, *self._options],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._process.set_result(process)
        try:
            return process.wait(_PATIENCE)
        finally:
            process.kill()
            self._watched = False

    def reached(self) -> list[tuple[str, str]]:
        """List the points so far, and what happened at each."""
        lines = [line.split("\t") for line in self._log.read_text(encoding="utf-8").splitlines()]
        return [(name, what) for name, what in lines]

    def expect(self, code: int, *arguments: str) -> str:
        """Run the program on the same state, and give what it said to standard error."""
        done = run_program(*arguments, env=self._environment, seconds=_PATIENCE)
        assert done.code == code, f"`{arguments[0]}` ends with {done.code}: {done.err}"
        return done.err

    def accepted(self) -> int:
        """Count the paid requests for the song, of which none may have been refused."""
        accepted = self._sandbox.counted("accepted", self._song)
        assert accepted == self._sandbox.counted("submissions", self._song) == len(self.tasks)
        return accepted

    def states(self) -> list[str]:
        """List the states of the conversions in the journal; nothing where there is none yet."""
        journal = self._home / "journal.sqlite3"
        if not journal.exists():
            return []
        with closing(sqlite3.connect(journal)) as connection:
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'conversion'").fetchone():
                return []
            return [state for (state,) in connection.execute("SELECT state FROM conversion ORDER BY id")]

    def keeps_answer(self) -> bool:
        """Whether the journal has kept an answer that was not understood."""
        with closing(sqlite3.connect(self._home / "journal.sqlite3")) as connection:
            columns = {name for _, name, *_ in connection.execute("PRAGMA table_info(conversion)")}
            return "answer" in columns and any(
                answer for (answer,) in connection.execute("SELECT answer FROM conversion")
            )

    def second(self) -> Finished:
        """Wait for the second program. Return how it ended."""
        assert self._second is not None
        return self._second.result(_PATIENCE)

    @property
    def _environment(self) -> Mapping[str, str]:
        return {
            **os.environ,
            **self._settings,
            "SUNO_WAV_HOME": str(self._home),
            "SUNO_WAV_POLL_INTERVAL": "100ms",
        }

    def _reached(self, point: str, what: str) -> bool:
        if not self._watched:
            return False
        with self._log.open("a", encoding="utf-8") as log:
            log.write(f"{point}\t{what}\n")
        if self._way.story is Story.SECOND and self._second is None and what.startswith("POST "):
            self._second = _run_beside(*self.convert, env=self._environment)
        if point != self._point:
            return False
        self._process.result(_PATIENCE).kill()
        return True


def _run_beside(*arguments: str, env: Mapping[str, str]) -> Future[Finished]:
    """Run the program in a thread."""
    done: Future[Finished] = Future()

    def run() -> None:
        try:
            done.set_result(run_program(*arguments, env=env, seconds=_PATIENCE))
        except BaseException as error:  # noqa: BLE001 - whoever waits for the result raises it
            done.set_exception(error)

    Thread(target=run, daemon=True).start()
    return done


@contextmanager
def trial_of(way: Way, name: str, sandbox: Sandbox, folder: Path) -> Iterator[Trial]:
    trial = Trial(way, name, sandbox, folder)
    with relaying(trial.relay):
        yield trial
