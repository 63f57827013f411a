"""Something done again and again, in a thread of its own."""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def ticking(work: Callable[[], None], seconds: float) -> Iterator[None]:
    """Call `work` every `seconds` inside the block. A stream that is closed ends nothing."""
    stopped = threading.Event()

    def run() -> None:
        while not stopped.wait(seconds):
            with suppress(OSError, ValueError):
                work()

    threading.Thread(target=run, name="ticker", daemon=True).start()
    try:
        yield
    finally:
        stopped.set()
