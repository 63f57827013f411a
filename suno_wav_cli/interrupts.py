"""Ctrl-C, SIGTERM and SIGHUP: one way out for all three."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType


class Stopped(KeyboardInterrupt):
    """An interrupted command that can be continued by the line `continue_with`."""

    def __init__(self, continue_with: str | None) -> None:
        super().__init__()
        self.continue_with = continue_with


@contextmanager
def as_keyboard_interrupt() -> Iterator[Callable[[], signal.Signals]]:
    """Turn SIGTERM and SIGHUP into what Ctrl-C does; yields a function that tells which signal it was."""
    received: list[signal.Signals] = []

    def interrupt(number: int, _frame: FrameType | None) -> None:
        received.append(signal.Signals(number))
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            # Started in the background by a shell script: asyncio has not taken SIGINT over.
            raise KeyboardInterrupt
        # asyncio cancels its main task at SIGINT, which is the clean way out of everything that waits.
        signal.raise_signal(signal.SIGINT)

    previous = {}
    for name in ("SIGTERM", "SIGHUP", "SIGBREAK"):
        number = getattr(signal, name, None)
        # nohup ignores SIGHUP, and means it.
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            previous[number] = signal.signal(number, interrupt)
    try:
        yield lambda: received[0] if received else signal.SIGINT
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
