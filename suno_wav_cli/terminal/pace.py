"""How long a run of many songs still takes, from how fast songs were submitted and finished."""

from __future__ import annotations

from collections import deque

_REMEMBERED = 40
_FEWEST = 8
"""Fewer songs than this tell no rate."""
_SHORTEST = 5.0
"""Seconds that a rate is measured over at least."""
_OVERDUE = 3.0
"""So many times as long as usual without a song that goes on: earlier ones tell nothing then."""


class Pace:
    """Remembers when the latest songs were accepted and finished."""

    def __init__(self, *, window_rate: float) -> None:
        self._window_rate = window_rate
        self._accepted: deque[float] = deque(maxlen=_REMEMBERED)
        self._ended: deque[float] = deque(maxlen=_REMEMBERED)
        self._seconds_each: float | None = None

    def accepted(self, now: float) -> None:
        self._accepted.append(now)

    def ended(self, now: float, accepted_at: float | None) -> None:
        """Count a song that is done, and how long it took since the service accepted it."""
        self._ended.append(now)
        if accepted_at is not None:
            taken, before = now - accepted_at, self._seconds_each
            self._seconds_each = taken if before is None else before + (taken - before) / 10

    def seconds_left(self, now: float, *, to_submit: int, unfinished: int) -> float | None:
        """Return the longer of two estimates: by what is to be submitted, and by what is to be finished.

        Return None until songs were finished, which tells how long one takes, and when none goes on.
        """
        if not self._ended or unfinished <= 0 or self._is_stuck(now):
            return None
        finishing = _rate(self._ended, now)
        by_finishing = None if finishing is None else unfinished / finishing
        by_submitting = None
        if self._seconds_each is not None:
            submitting = min(_rate(self._accepted, now) or self._window_rate, self._window_rate)
            last = self._accepted[-1] if self._accepted else now
            by_submitting = (
                to_submit / submitting + self._seconds_each
                if to_submit
                else max(self._seconds_each - (now - last), 1.0)
            )
        return max((one for one in (by_finishing, by_submitting) if one is not None), default=None)

    def _is_stuck(self, now: float) -> bool:
        """Tell whether no song was accepted or finished for much longer than that takes."""
        latest = max(self._ended[-1], self._accepted[-1] if self._accepted else 0.0)
        usual = max(_SHORTEST, self._seconds_each or 0.0, 1 / self._window_rate)
        return now - latest > _OVERDUE * usual


def _rate(times: deque[float], now: float) -> float | None:
    """Return how many a second these are, a pause until now included."""
    if len(times) < _FEWEST or now - times[0] < _SHORTEST:
        return None
    return len(times) / (now - times[0])
