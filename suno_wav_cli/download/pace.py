"""How slow a download may be, and how long it may take."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from suno_wav_cli.download.http import DownloadPolicy

_SHARES = 8
"""Twice as many as there are downloads at once."""

_TIMES_FASTER = 16
"""A download that is hardly faster than `min_speed` for all its length is a server's game, and no line."""


def longest_seconds(length: int | None, policy: DownloadPolicy) -> float:
    """Return how long a download may take in all: the longest time that one of its limits explains."""
    size = policy.max_size if length is None else min(length, policy.max_size)
    times = [policy.timeout]
    if policy.min_speed:
        times.append(size / (policy.min_speed * _TIMES_FASTER))
    if policy.rate.rate:
        # Several downloads share the rate.
        times.append(size * _SHARES / policy.rate.rate)
    return max(times)


class SpeedCheck:
    """Watches whether the last seconds brought less than they must."""

    def __init__(self, policy: DownloadPolicy) -> None:
        self.seconds = policy.stall_timeout
        # A download slowed by a rate limit is not too slow: half of what each of several gets.
        rate = policy.rate.rate
        self.least = policy.min_speed if rate is None else min(policy.min_speed, rate // _SHARES)
        self._seen: deque[tuple[float, int]] = deque()

    def is_too_low(self, received: int) -> bool:
        now = time.monotonic()
        self._seen.append((now, received))
        while len(self._seen) > 1 and now - self._seen[1][0] >= self.seconds:
            self._seen.popleft()
        begun, before = self._seen[0]
        return now - begun >= self.seconds and received - before < self.least * self.seconds
