"""Callbacks for the songs of one run: each wakes the song that waits for its task.

The tunnel is opened meanwhile, and may be lost and restored.
"""

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
    """One asyncio.Event for each task that a song waits for.

    The service may post a callback before its answer to the submission has arrived, so callbacks
    for unknown tasks are remembered, up to `max_early`.
    """

    def __init__(self, max_early: int = 256) -> None:
        self._listening = False
        self._events: dict[str, asyncio.Event] = {}
        self._early: OrderedDict[str, None] = OrderedDict()
        self._max_early = max_early

    def of(self, task_id: str) -> asyncio.Event:
        """Return the event of a task. It is set if a callback has come already."""
        event = self._events.setdefault(task_id, asyncio.Event())
        if task_id in self._early:
            del self._early[task_id]
            event.set()
        return event

    def forget(self, task_id: str) -> None:
        self._events.pop(task_id, None)

    @property
    def listening(self) -> bool:
        """Whether callbacks can arrive at present."""
        return self._listening

    @listening.setter
    def listening(self, listening: bool) -> None:
        """Wake every task at a change: a callback may be lost, and the poll pause changes."""
        if listening != self._listening:
            self._listening = listening
            for event in self._events.values():
                event.set()

    def wake(self, task_id: str) -> None:
        event = self._events.get(task_id)
        if event is not None:
            event.set()
            return
        self._early[task_id] = None
        if len(self._early) > self._max_early:
            self._early.popitem(last=False)


def make_notification_handler(
    notifier: TaskNotifier, report: Report
) -> Callable[[ReceivedCallback], Awaitable[None]]:
    """Make the receiver's handler, which wakes the task that a callback names."""

    async def handle(delivery: ReceivedCallback) -> None:
        callback = delivery.callback
        report(CallbackReceived(task_id=callback.task_id, code=callback.code))
        if callback.task_id is not None:
            notifier.wake(callback.task_id)

    return handle


@asynccontextmanager
async def receive_notifications(
    endpoint: CallbackEndpoint,
    notifier: TaskNotifier,
    tls: ssl.SSLContext,
    poll_interval: float,
    report: Report,
) -> AsyncIterator[asyncio.Future[str | None]]:
    """Receive callbacks until the block is left. Yield the future of the `callBackUrl` to submit.

    If the tunnel cannot be opened, its result is None, or TunnelFailed if the endpoint is required.
    """
    async with receive_callbacks(endpoint, make_notification_handler(notifier, report)) as probe:
        status = _CallbackStatus(notifier=notifier, poll_interval=poll_interval, report=report)
        public_url = PublicUrl(endpoint, probe, tls, status.changed, report)
        opening = asyncio.create_task(_open(public_url, status, endpoint))
        try:
            yield opening
        finally:
            opening.cancel()
            await asyncio.gather(opening, return_exceptions=True)


async def _open(public_url: PublicUrl, status: _CallbackStatus, endpoint: CallbackEndpoint) -> str | None:
    try:
        await public_url.open()
    except TunnelFailed as error:
        if endpoint.required:
            raise
        status.report(Ready(public_url=None, poll_interval=status.poll_interval, reason=error.message))
    return None if status.address is None else status.address + endpoint.path


@dataclass(kw_only=True)
class _CallbackStatus:
    """Whether callbacks can arrive. The service is given the first public address, `address`."""

    notifier: TaskNotifier
    poll_interval: float
    report: Report
    address: str | None = None

    def changed(self, change: Lost | Restored) -> None:
        is_first = self.address is None
        if is_first and isinstance(change, Restored):
            self.address = change.public_url
        self.notifier.listening = isinstance(change, Restored) and change.public_url == self.address
        if not self.notifier.listening:
            # Another address does not help: the service was given the first one.
            reason = change.reason if isinstance(change, Lost) else "the tunnel has another address now"
            self.report(TunnelLost(reason=reason, poll_interval=self.poll_interval))
        elif is_first:
            self.report(Ready(public_url=self.address, poll_interval=self.poll_interval, reason=None))
        else:
            self.report(TunnelRestored(public_url=self.address or ""))
