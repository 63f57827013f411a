"""Callbacks for the songs of one run: received here, by a way that is opened meanwhile and may be lost."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from suno_wav_cli.callbacks.endpoint import receive_callbacks
from suno_wav_cli.callbacks.public_url import PublicUrl
from suno_wav_cli.callbacks.tunnel import Lost, Restored
from suno_wav_cli.errors import TunnelFailed
from suno_wav_cli.events import CallbackReceived, Ready, TunnelLost, TunnelRestored

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable

    from suno_wav_cli.callbacks.endpoint import CallbackEndpoint
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


def make_notification_handler(
    wake_ups: TaskNotifier, report: Report
) -> Callable[[ReceivedCallback], Awaitable[None]]:
    """Make the receiver's function that wakes the song which a callback names."""

    async def deliver(delivery: ReceivedCallback) -> None:
        callback = delivery.callback
        report(CallbackReceived(task_id=callback.task_id, code=callback.code))
        if callback.task_id is not None:
            wake_ups.wake(callback.task_id)

    return deliver


@asynccontextmanager
async def receive_notifications(
    reception: CallbackEndpoint,
    wake_ups: TaskNotifier,
    tls: ssl.SSLContext,
    poll_interval: float,
    report: Report,
) -> AsyncIterator[asyncio.Future[str | None]]:
    """Receive callbacks until the block is left; the future is what to submit as `callBackUrl`.

    Where the way cannot be opened, it is None, or TunnelFailed where nothing else was allowed.
    """
    async with receive_callbacks(reception, make_notification_handler(wake_ups, report)) as probe:
        callbacks = _Callbacks(wake_ups=wake_ups, poll_interval=poll_interval, report=report)
        way = PublicUrl(reception, probe, tls, callbacks.changed, report)
        opening = asyncio.create_task(_opened(way, callbacks, reception))
        try:
            yield opening
        finally:
            opening.cancel()
            await asyncio.gather(opening, return_exceptions=True)


async def _opened(way: PublicUrl, callbacks: _Callbacks, reception: CallbackEndpoint) -> str | None:
    try:
        await way.open()
    except TunnelFailed as error:
        if reception.required:
            raise
        callbacks.report(Ready(public_url=None, poll_interval=callbacks.poll_interval, reason=error.message))
    return None if callbacks.address is None else callbacks.address + reception.path


@dataclass(kw_only=True)
class _Callbacks:
    """Whether callbacks can arrive; `address` is where, once it is known, and what the service is given."""

    wake_ups: TaskNotifier
    poll_interval: float
    report: Report
    address: str | None = None

    def changed(self, change: Lost | Restored) -> None:
        first = self.address is None
        if first and isinstance(change, Restored):
            self.address = change.public_url
        self.wake_ups.listening = isinstance(change, Restored) and change.public_url == self.address
        if not self.wake_ups.listening:
            # At another address it is of no use to those who were given this one.
            reason = change.reason if isinstance(change, Lost) else "the tunnel has another address now"
            self.report(TunnelLost(reason=reason, poll_interval=self.poll_interval))
        elif first:
            self.report(Ready(public_url=self.address, poll_interval=self.poll_interval, reason=None))
        else:
            self.report(TunnelRestored(public_url=self.address or ""))
