"""Programs that one thread waits for and another can end."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from suno_wav_cli.callbacks.tunnel.environment import find_secret_variables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_PIPE_SECONDS = 1.0


class Subprocess:
    """A running program. `stdout` and `stderr` hold its output once it has ended."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.stdout = ""
        self.stderr = ""

    @property
    def code(self) -> int | None:
        return self._process.returncode

    def wait(self, *, seconds: float) -> bool:
        """Wait for its end. Return False if it still runs after `seconds`."""
        if self._read(seconds):
            return True
        # It may have ended while this program did something else, or got no time from the system.
        return self._process.poll() is not None and self._read(_PIPE_SECONDS)

    def _read(self, seconds: float) -> bool:
        """Read the output to its end. Return False if that takes longer than `seconds`."""
        try:
            self.stdout, self.stderr = self._process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        """Kill the program, and close its pipes. For the thread that waits for it."""
        self.interrupt()
        with suppress(subprocess.TimeoutExpired, ValueError, OSError):
            # A child that has left the session may hold the pipes open.
            self._process.communicate(timeout=_PIPE_SECONDS)

    def interrupt(self) -> None:
        """Kill the program and its children, from any thread. A thread that waits for it goes on."""
        if os.name == "posix":
            # It leads a session of its own, and may have started other programs.
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        else:
            self._process.kill()
        with suppress(ValueError, OSError):
            self._process.wait()


class SubprocessGroup:
    """Starts programs until it is closed, and then kills them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._started: list[Subprocess] = []
        self._closed = False

    def start(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> Subprocess:
        """Start a program without a terminal, which Ctrl-C does not reach. Raise OSError.

        `environment` is added to this program's own, of which secrets are left out. The program
        works in `folder`.
        """
        hidden = set(find_secret_variables(os.environ))
        with self._lock:
            if self._closed:
                raise InterruptedError
            child = Subprocess(
                subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                    errors="replace",
                    env={name: os.environ[name] for name in os.environ if name not in hidden}
                    | dict(environment or {}),
                    cwd=folder,
                    start_new_session=True,
                )
            )
            self._started = [*(other for other in self._started if other.code is None), child]
        return child

    def close(self) -> None:
        """Kill the programs that still run. No more are started."""
        with self._lock:
            self._closed = True
            for child in self._started:
                child.interrupt()
