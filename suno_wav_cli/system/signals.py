"""Ctrl-C, SIGTERM and SIGHUP: one way out for all three."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType


class Stopped(KeyboardInterrupt):
    """The person or the system ended the program. `continue_with` is the command line that goes on."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.signal = signal.Signals(number)
        self.continue_with: str | None = None


@contextmanager
def stop_on_signals() -> Iterator[None]:
    """Raise Stopped at the first signal that ends programs."""

    def stop(number: int, _frame: FrameType | None) -> None:
        raise Stopped(number)

    with handle_signals(stop):
        yield


@contextmanager
def handle_signals(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Call `handler` at each signal that ends programs, until the block is left."""
    previous = {}
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
        number = getattr(signal, name, None)
        # nohup ignores SIGHUP, and a shell script its background jobs' SIGINT: they mean it.
        if number is not None and signal.getsignal(number) not in (signal.SIG_IGN, None):
            previous[number] = signal.signal(number, handler)
    try:
        yield
    finally:
        for number, before in previous.items():
            signal.signal(number, before)
