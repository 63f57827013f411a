"""Callbacks for the songs of one run: each wakes the song that waits for its task.

The tunnel is opened meanwhile, and may be lost and restored.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from suno_wav_cli.callbacks.endpoint import receive_callbacks
from suno_wav_cli.callbacks.handlers import Handlers
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


class TaskWaker(Protocol):
    """Wakes the songs that wait. `listening` if callbacks can arrive at present."""

    listening: bool

    def wake(self, task_id: str) -> None:
        """Look up soon a task that a callback has named."""


def make_notification_handler(
    wake: Callable[[str], None], report: Report
) -> Callable[[ReceivedCallback], Awaitable[None]]:
    """Make the receiver's handler, which wakes the task that a callback names."""

    async def handle(delivery: ReceivedCallback) -> None:
        callback = delivery.callback
        report(CallbackReceived(task_id=callback.task_id, code=callback.code))
        if callback.task_id is not None:
            wake(callback.task_id)

    return handle


@asynccontextmanager
async def receive_notifications(
    endpoint: CallbackEndpoint,
    waker: TaskWaker,
    tls: ssl.SSLContext,
    poll_interval: float,
    report: Report,
) -> AsyncIterator[asyncio.Future[str | None]]:
    """Receive callbacks until the block is left. Yield the future of the `callBackUrl` to submit.

    If the tunnel cannot be opened, its result is None, or TunnelFailed if the endpoint is required.
    """
    handlers = Handlers(handle=make_notification_handler(waker.wake, report))
    async with receive_callbacks(endpoint, handlers) as probe:
        status = _CallbackStatus(waker=waker, poll_interval=poll_interval, report=report)
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

    waker: TaskWaker
    poll_interval: float
    report: Report
    address: str | None = None

    def changed(self, change: Lost | Restored) -> None:
        is_first = self.address is None
        if is_first and isinstance(change, Restored):
            self.address = change.public_url
        self.waker.listening = isinstance(change, Restored) and change.public_url == self.address
        if not self.waker.listening:
            # Another address does not help: the service was given the first one.
            reason = change.reason if isinstance(change, Lost) else "the tunnel has another address now"
            self.report(TunnelLost(reason=reason, poll_interval=self.poll_interval))
        elif is_first:
            self.report(Ready(public_url=self.address, poll_interval=self.poll_interval, reason=None))
        else:
            self.report(TunnelRestored(public_url=self.address or ""))
