"""Ctrl-C, SIGTERM and SIGHUP end the program in the same way."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType


_SIGNAL_BASE = 128


class Stopped(KeyboardInterrupt):
    """The user or the system ended the program.

    `continue_argv` is the command that continues.
    """

    def __init__(self, number: int, continue_argv: tuple[str, ...] | None = None) -> None:
        super().__init__()
        self.signal = signal.Signals(number)
        self.continue_argv = continue_argv


def exit_code_of(number: int, *, ctrl_break: int | None = getattr(signal, "SIGBREAK", None)) -> int:
    """Return the code of a program that a signal has ended: as shells say it, and Ctrl-Break as Ctrl-C."""
    return _SIGNAL_BASE + (signal.SIGINT if number == ctrl_break else number)


@contextmanager
def stop_on_signals() -> Iterator[None]:
    """Raise Stopped at the first signal that ends programs, inside the block."""

    def stop(number: int, _frame: FrameType | None) -> None:
        raise Stopped(number)

    with handle_signals(stop):
        yield


@contextmanager
def handle_signals(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Call `handler` for each signal that ends programs, inside the block."""
    previous = {}
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
        number = getattr(signal, name, None)
        # nohup makes SIGHUP ignored, and a shell script SIGINT for its background jobs. They stay ignored.
        if number is not None and signal.getsignal(number) not in (signal.SIG_IGN, None):
            previous[number] = signal.signal(number, handler)
    try:
        yield
    finally:
        for number, before in previous.items():
            signal.signal(number, before)
