"""From a callback to the song that waits for it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING

from suno_wav_cli.events import CallbackReceived

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from suno_wav_cli.callbacks.payload import ReceivedCallback
    from suno_wav_cli.events import Report


class TaskNotifier:
    """One event for each task that is waited for, and a bounded memory for callbacks that come before the task is known.

    The service may post its callback before its answer to the submission has arrived. `listening` tells whether
    callbacks can arrive at present.
    """

    def __init__(self, most_early: int = 256) -> None:
        self._listening = False
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

    @property
    def listening(self) -> bool:
        return self._listening

    @listening.setter
    def listening(self, now: bool) -> None:
        """Wake everybody at a change: a callback may have been missed, and the time to the next question is another."""
        if now != self._listening:
            self._listening = now
            for event in self._events.values():
                event.set()

    def wake(self, task_id: str) -> None:
        event = self._events.get(task_id)
        if event is not None:
            event.set()
            return
        self._early[task_id] = None
        if len(self._early) > self._most_early:
            self._early.popitem(last=False)


def waking(wake_ups: TaskNotifier, report: Report) -> Callable[[ReceivedCallback], Awaitable[None]]:
    """Make the receiver's function that wakes the song which a callback names."""

    async def deliver(delivery: ReceivedCallback) -> None:
        callback = delivery.callback
        report(CallbackReceived(task_id=callback.task_id, code=callback.code))
        if callback.task_id is not None:
            wake_ups.wake(callback.task_id)

    return deliver
