"""What a command costs, on a terminal of its own."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LAUNCHER = Path(__file__).with_name("launcher.py")
_ROWS, _COLUMNS = 24, 100
_LAST_WORDS = 2000


class NotMeasured(Exception):
    """Something did not work, and so there are no figures."""


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock, seconds of CPU, and bytes of resident memory at the peak: of the child and its children."""

    wall: float
    cpu: float
    peak: float

    def beyond(self, other: Cost) -> Cost:
        """Give the times that are more than another's."""
        return Cost(wall=self.wall - other.wall, cpu=self.cpu - other.cpu, peak=self.peak)


def cost_of(command: Sequence[str], environ: Mapping[str, str]) -> Cost:
    """Run a command to its end, on a pseudo-terminal. Raise NotMeasured if it fails."""
    terminal, its_end = pty.openpty()
    fcntl.ioctl(its_end, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, _COLUMNS, 0, 0))
    said = bytearray()
    # Read all the time, else a full terminal would stop the program.
    reading = Thread(target=_read_all, args=(terminal, said), daemon=True)
    report, to_report = os.pipe()
    with os.fdopen(report) as told:
        with subprocess.Popen(
            [sys.executable, "-I", "-S", str(_LAUNCHER), str(to_report), *command],
            env=environ,
            stdin=its_end,
            stdout=its_end,
            stderr=its_end,
            pass_fds=[to_report],
            start_new_session=True,
        ):
            os.close(to_report)
            os.close(its_end)
            reading.start()
        figures = told.read().split()
    reading.join()
    os.close(terminal)
    if not figures or figures[0] != "0":
        ended = f"ended with {figures[0]}" if figures else "was not run"
        raise NotMeasured(f"{' '.join(command)} {ended}\n{said[-_LAST_WORDS:].decode(errors='replace')}")
    wall, cpu, peak = map(float, figures[1:])
    return Cost(wall=wall, cpu=cpu, peak=peak)


def typical(costs: Sequence[Cost]) -> Cost:
    """Give the medians of both times, and the greatest peak."""
    return Cost(
        wall=median(cost.wall for cost in costs),
        cpu=median(cost.cpu for cost in costs),
        peak=max(cost.peak for cost in costs),
    )


def _read_all(terminal: int, said: bytearray) -> None:
    # Linux reports EIO once the other end is closed.
    with suppress(OSError):
        while piece := os.read(terminal, 1 << 16):
            said += piece
