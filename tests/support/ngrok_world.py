"""A folder with an executable `ngrok` in it, and control of the agents started from there."""

from __future__ import annotations

import http.client
import json
import os
import signal
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from tests.support.program import REPOSITORY, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# -I and -S: nothing but the standard library, and quick to start.
_EXECUTABLE = f"""\
#!{sys.executable} -IS
import sys

sys.path.insert(0, {str(REPOSITORY)!r})
from tests.support.stand_in_ngrok import main

sys.exit(main())
"""


@dataclass(frozen=True)
class StandIn:
    """One run of the stand-in, by the file that it keeps."""

    file: Path

    @property
    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads(self.file.read_text(encoding="utf-8"))
        return state

    @property
    def pid(self) -> int:
        return int(self.file.stem)

    @property
    def alive(self) -> bool:
        try:
            process = psutil.Process(self.pid)
            return process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    @property
    def now(self) -> dict[str, Any]:
        """The state as the agent itself says it, with the counts of this moment."""
        return self._order("GET", "/", {})

    def lose_session(self, tries: int = 1) -> None:
        self._order("POST", "/lose", {"tries": tries})

    def come_back(self, *, new_url: bool = False) -> dict[str, Any]:
        return self._order("POST", "/return", {"new_url": new_url})

    def die(self, code: int = 1) -> None:
        with suppress(OSError, http.client.HTTPException):
            self._order("POST", "/die", {"code": code})
        wait_until(lambda: not self.alive)

    def spam(self, lines: int, seconds: float = 5.0) -> bool:
        """Log many lines. Return False if they are not read within `seconds`."""
        return bool(self._order("POST", "/spam", {"lines": lines, "seconds": seconds})["written"])

    def spam_per_connection(self, lines: int) -> None:
        self._order("POST", "/spam-per-connection", {"lines": lines})

    def wait_for(self, true: Callable[[dict[str, Any]], bool], seconds: float = 10.0) -> dict[str, Any]:
        """Wait until something holds of the state that the agent keeps."""
        wait_until(lambda: true(self.state), seconds)
        return self.state

    def _order(self, method: str, path: str, order: dict[str, Any]) -> dict[str, Any]:
        # http.client, for it knows no proxies.
        control = http.client.HTTPConnection(self.state["control_address"], timeout=15)
        try:
            control.request(method, path, json.dumps(order))
            reply: dict[str, Any] = json.loads(control.getresponse().read())
            return reply
        finally:
            control.close()


@dataclass(frozen=True)
class NgrokWorld:
    folder: Path

    @property
    def executable(self) -> Path:
        return self.folder / "bin" / "ngrok"

    def env(
        self, mode: str = "ok", *, version: str = "3.39.10", policy: str = "any", spam: int = 0
    ) -> dict[str, str]:
        """The variables that put the stand-in first on PATH and say how it is."""
        return {
            "PATH": f"{self.executable.parent}{os.pathsep}{os.environ['PATH']}",
            # Where no token of the developer's own is found.
            "HOME": str(self.folder / "person"),
            "STAND_IN_NGROK_MODE": mode,
            "STAND_IN_NGROK_POLICY": policy,
            "STAND_IN_NGROK_SPAM": str(spam),
            "STAND_IN_NGROK_STATE": str(self.folder / "state"),
            "STAND_IN_NGROK_VERSION": version,
        }

    @property
    def runs(self) -> list[StandIn]:
        """Every run, `ngrok --version` too, in the order of their starts."""
        files = (self.folder / "state").glob("*.json")
        return sorted(map(StandIn, files), key=lambda run: float(run.state["started"]))

    @property
    def agents(self) -> list[StandIn]:
        return [run for run in self.runs if run.state["command"] == "start"]

    def agent(self, seconds: float = 30.0) -> StandIn:
        """Wait for an agent. Return the last one."""
        wait_until(lambda: bool(self.agents), seconds)
        return self.agents[-1]

    @property
    def left(self) -> list[int]:
        """The agents that still run."""
        return [run.pid for run in self.runs if run.alive]


@contextmanager
def ngrok_world(folder: Path) -> Iterator[NgrokWorld]:
    """Install the stand-in under `folder`. Kill what still runs at the end."""
    world = NgrokWorld(folder=folder)
    world.executable.parent.mkdir(parents=True)
    (folder / "state").mkdir()
    world.executable.write_text(_EXECUTABLE, encoding="utf-8")
    world.executable.chmod(0o755)
    try:
        yield world
    finally:
        for pid in world.left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
