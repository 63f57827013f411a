"""Whether callbacks arrive at this run's address, judged by what the service has decided."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from suno_wav_cli.conversion.poll_schedule import ONCE_PROVEN, WHILE_EXPECTED

_MOST_MISSED = 3
"""Callbacks in a row that may be missed by a run that has got some. Without any, the first one counts."""


@dataclass(kw_only=True)
class CallbackEvidence:
    """What this run has seen of its callbacks. The clock is a value.

    A callback has `grace` seconds to come after a lookup that found the task decided. `proven` if
    one has come for a task that was decided, and `missed` how many have not come since.
    """

    grace: float
    proven: bool = False
    missed: int = 0
    reachable_since: float | None = None
    _awaited: dict[str, float] = field(default_factory=dict)

    @property
    def missing(self) -> bool:
        """Whether callbacks do not come, although the address should be reachable."""
        return self.missed >= (_MOST_MISSED if self.proven else 1)

    @property
    def factor(self) -> float:
        """By how much the pauses between lookups are lengthened."""
        if self.reachable_since is None or self.missing:
            return 1.0
        return ONCE_PROVEN if self.proven and not self.missed else WHILE_EXPECTED

    @property
    def next_expiry(self) -> float:
        """When the next callback is too late."""
        return next(iter(self._awaited.values()), math.inf)

    def set_reachable(self, now: float | None) -> None:
        """Begin anew: the address can be reached from now on, or not at all (None)."""
        self.reachable_since, self.proven, self.missed = now, False, 0
        self._awaited.clear()

    def decided(self, task_id: str, *, submitted: float, called: bool, now: float) -> None:
        """Count a task that the service has decided, as a lookup says. `called` if its callback has come."""
        if self.reachable_since is None or submitted < self.reachable_since:
            return
        if called:
            self.proven, self.missed = True, 0
        else:
            self._awaited[task_id] = now + self.grace

    def came(self, task_id: str) -> None:
        """Count a callback that came after its task was found decided."""
        if self._awaited.pop(task_id, None) is not None:
            self.proven, self.missed = True, 0

    def expire(self, now: float) -> bool:
        """Count the callbacks that have not come in time. Return whether that shows them missing."""
        was_missing = self.missing
        while (first := next(iter(self._awaited.items()), None)) is not None and first[1] <= now:
            del self._awaited[first[0]]
            self.missed += 1
        return self.missing and not was_missing
