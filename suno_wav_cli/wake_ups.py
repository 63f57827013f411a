"""From a callback to the song that waits for it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict


class WakeUps:
    """One event for each task that is waited for, and a bounded memory for callbacks that come before the task is known.

    The service may post its callback before its answer to the submission has arrived.
    """

    def __init__(self, most_early: int = 256) -> None:
        self._events: dict[str, asyncio.Event] = {}
        self._early: OrderedDict[str, None] = OrderedDict()
        self._most_early = most_early

    def of(self, task_id: str) -> asyncio.Event:
        event = self._events.setdefault(task_id, asyncio.Event())
        if task_id in self._early:
            del self._early[task_id]
            event.set()
        return event

    def forget(self, task_id: str) -> None:
        self._events.pop(task_id, None)

    def wake(self, task_id: str) -> None:
        event = self._events.get(task_id)
        if event is not None:
            event.set()
            return
        self._early[task_id] = None
        if len(self._early) > self._most_early:
            self._early.popitem(last=False)
