"""How fast bytes may come."""

from __future__ import annotations

import threading
import time


class RateLimit:
    """At most `rate` bytes a second for everybody who asks; None is no limit. May be used from several threads."""

    def __init__(self, rate: int | None) -> None:
        self.rate = rate
        self._lock = threading.Lock()
        self._free = 0.0

    def delay(self, count: int) -> float:
        """Tell how many seconds to wait for `count` bytes that have come, so that the rate is kept."""
        if self.rate is None:
            return 0.0
        with self._lock:
            now = time.monotonic()
            self._free = max(self._free, now) + count / self.rate
            return self._free - now
