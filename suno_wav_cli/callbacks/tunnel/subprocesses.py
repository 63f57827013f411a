"""Helper programs that a thread waits for, and that another thread can end."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


class Child:
    """A running program. `printed` and `said` are its standard output and standard error, once it has ended."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.printed = ""
        self.said = ""

    @property
    def code(self) -> int | None:
        return self._process.returncode

    def ended(self, *, within: float) -> bool:
        """Wait so many seconds for its end."""
        try:
            self.printed, self.said = self._process.communicate(timeout=within)
        except subprocess.TimeoutExpired:
            return False
        return True

    def end(self) -> None:
        if os.name == "posix":
            # It leads a session of its own, and may have started others.
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        else:
            self._process.kill()
        with suppress(ValueError, OSError):
            # Its pipes may be in another thread's hands.
            self._process.wait()


class Children:
    """Starts programs until it is closed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._started: list[Child] = []
        self._closed = False

    def start(
        self,
        command: Sequence[str],
        more_environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> Child:
        """Start a program in `folder`, without a terminal and out of reach of Ctrl-C. Raises OSError."""
        with self._lock:
            if self._closed:
                raise InterruptedError
            child = Child(
                subprocess.Popen(
                    command,
                    cwd=folder,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                    errors="replace",
                    env=os.environ | (more_environment or {}),
                    start_new_session=True,
                )
            )
            self._started = [*(other for other in self._started if other.code is None), child]
        return child

    def close(self) -> None:
        """End all that still run; nothing is started any more."""
        with self._lock:
            self._closed = True
            for child in self._started:
                child.end()
