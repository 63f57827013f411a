"""Delays between retries, the rate of requests, and the rate of bytes."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from suno_wav_cli.system.turns import Turns

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


@dataclass(frozen=True, kw_only=True)
class Backoff:
    """Exponential delays with jitter, in seconds: `first`, doubled each time up to `cap`.

    There are `retries` of them, without end if it is None.
    """

    retries: int | None
    first: float = 0.5
    cap: float = 10.0

    def delays(self, jitter: random.Random | None = None) -> Iterator[float]:
        """Yield delays of half to the whole nominal length, so that clients spread out."""
        jitter = jitter or random.Random()  # noqa: S311 - spreads load, hides nothing
        for attempt in count() if self.retries is None else range(self.retries):
            # Bounded, because 2.0**1024 overflows.
            nominal = min(self.cap, self.first * 2.0 ** min(attempt, 60))
            yield nominal * jitter.uniform(0.5, 1.0)


class RateWindow:
    """At most `size` requests in any `seconds`, as the *server* counts them.

    A slot is free again `seconds` after the answer, not after the request. The server counted the
    request before its answer arrived, so delays on the way cannot make it count more than `size`.
    """

    def __init__(self, size: int, seconds: float) -> None:
        self._slots = Turns(size)
        self._seconds = seconds

    @asynccontextmanager
    async def slot(self, rank: int = 0) -> AsyncIterator[None]:
        """Wait for a free slot, and hold it for the block and `seconds` more. The lowest rank is first."""
        await self._slots.enter(rank)
        try:
            yield
        finally:
            asyncio.get_running_loop().call_later(self._seconds, self._slots.leave)


class RateLimit:
    """At most `rate` bytes a second, shared by all threads that ask. None is no limit."""

    def __init__(self, rate: int | None) -> None:
        self.rate = rate
        self._lock = threading.Lock()
        self._free = 0.0

    def delay(self, count: int) -> float:
        """Count `count` received bytes. Return how many seconds to wait to keep the rate."""
        if self.rate is None:
            return 0.0
        with self._lock:
            now = time.monotonic()
            self._free = max(self._free, now) + count / self.rate
            return self._free - now
