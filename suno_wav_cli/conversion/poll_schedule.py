"""Which waiting task is looked up next, and when: decisions only. The clock is a value.

All times are seconds on one clock. Next is the task whose lookup is longest overdue. What a callback
names comes first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Coroutine, Iterator

    from suno_wav_cli.conversion.lookup_retry import AskAgain

WHILE_EXPECTED = 2.0
ONCE_PROVEN = 4.0
"""How much longer the pauses between lookups are while a callback is expected, and once they have arrived."""

_AT_ONCE = 4
"""Lookups that may follow each other without a pause, after a quiet while."""

_MOST_STALE = 64
"""Heap entries that are out of date before the heap is made anew."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """The lookups of a run: one every `gap` seconds, in the long run. `paid_until` is their account."""

    gap: float
    paid_until: float = -math.inf

    @property
    def opens_at(self) -> float:
        """When the next lookup may begin that no callback asks for."""
        return self.paid_until - (_AT_ONCE - 1) * self.gap

    def after(self, now: float, *, called: bool) -> Pace:
        """Count a lookup.

        Those that callbacks ask for count too. However many they are, the others go on: once in
        `_AT_ONCE` gaps.
        """
        paid_until = max(self.paid_until, now) + self.gap
        if called:
            latest = now + (2 * _AT_ONCE - 1) * self.gap
            paid_until = min(paid_until, max(self.paid_until, latest))
        return Pace(gap=self.gap, paid_until=paid_until)


class Waiter(Protocol):
    """What waits for a task: it is told when its turn has come to look the task up, or its time is up."""

    def look_up(self) -> Coroutine[Any, Any, None]: ...

    def give_up(self) -> None: ...


@dataclass(kw_only=True, eq=False, slots=True)
class PolledTask:
    """A task that a song has waited for since it `began`.

    If this run has submitted it, `callback_url` is where its callback may come, and `called` if one has.
    It was last looked up at `since`, or submitted then. The next lookup is to come after `seconds`,
    and not before `at_least`. With callbacks expected it is `due` later. `lookup` runs when its turn
    has come. At `ends_at` the waiter gives it up, which is known once the time runs.
    """

    task_id: str
    callback_url: str | None
    waiter: Waiter
    began: float
    since: float
    called: bool = False
    seconds: float = 0.0
    at_least: float = 0.0
    due: float = 0.0
    ends_at: float = math.inf
    lookup: asyncio.Task[None] | None = None

    @property
    def earliest(self) -> float:
        return self.since + self.at_least


_Entry = tuple[float, int, PolledTask]


@dataclass(kw_only=True)
class Schedule:
    """The tasks that wait for their turn.

    `factor` lengthens the pauses of tasks whose callback can come, which is those submitted with the
    address `open_url`, but to no more than `longest` seconds: a callback may be lost.
    """

    longest: float
    pace: Pace
    factor: float = 1.0
    open_url: str | None = None
    _waiting: set[PolledTask] = field(default_factory=set)
    _by_due: list[_Entry] = field(default_factory=list)
    _by_call: list[_Entry] = field(default_factory=list)
    _number: Iterator[int] = field(default_factory=count)

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, task: PolledTask, step: AskAgain) -> None:
        """Let a task wait for its next lookup."""
        task.seconds, task.at_least = step.seconds, step.at_least
        task.due = task.since + self._pause(task)
        self._waiting.add(task)
        if len(self._by_due) > 2 * len(self._waiting) + _MOST_STALE:
            self._by_due = [entry for entry in self._by_due if self._is_current(entry)]
            heapify(self._by_due)
        heappush(self._by_due, (task.due, next(self._number), task))
        if task.called:
            heappush(self._by_call, (task.earliest, next(self._number), task))

    def call(self, task: PolledTask) -> None:
        """Count a callback for a task: it is looked up as soon as that is allowed."""
        if not task.called:
            task.called = True
            if task in self._waiting:
                heappush(self._by_call, (task.earliest, next(self._number), task))

    def remove(self, task: PolledTask) -> None:
        self._waiting.discard(task)

    def hurry(self, now: float) -> None:
        """Look every task up that could have been called: its callback may be lost."""
        for task in self._waiting:
            if task.callback_url is not None:
                task.due = min(task.due, max(now, task.earliest))
        self._sort()

    def set_pauses(self, factor: float, open_url: str | None) -> None:
        """Change the pauses of the tasks whose callback can come."""
        if (factor, open_url) != (self.factor, self.open_url):
            self.factor, self.open_url = factor, open_url
            for task in self._waiting:
                task.due = task.since + self._pause(task)
            self._sort()

    def next_task(self, now: float) -> PolledTask | None:
        """Take the task that is to be looked up now, if there is one."""
        while self._by_call and self._by_call[0][0] <= now:
            task = heappop(self._by_call)[2]
            if task in self._waiting and task.called:
                return self._take(task, now)
        while self._by_due and self._by_due[0][0] <= now and self.pace.opens_at <= now:
            entry = heappop(self._by_due)
            if self._is_current(entry):
                return self._take(entry[2], now)
        return None

    def next_time(self) -> float | None:
        """Return when to look for the next task, or None if none waits. It may be a little early."""
        if not self._waiting:
            return None
        times = [self._by_call[0][0]] if self._by_call else []
        times += [max(self._by_due[0][0], self.pace.opens_at)] if self._by_due else []
        return min(times)

    def _take(self, task: PolledTask, now: float) -> PolledTask:
        self._waiting.discard(task)
        self.pace = self.pace.after(now, called=task.called)
        return task

    def _pause(self, task: PolledTask) -> float:
        if task.callback_url is None or task.callback_url != self.open_url:
            return task.seconds
        return max(task.seconds, min(task.seconds * self.factor, self.longest))

    def _is_current(self, entry: _Entry) -> bool:
        due, _, task = entry
        return task in self._waiting and task.due == due

    def _sort(self) -> None:
        """Make the heap anew. Tasks that are due together keep their order."""
        numbers = {task: number for _, number, task in self._by_due}
        self._by_due = [(task.due, numbers[task], task) for task in self._waiting]
        heapify(self._by_due)
