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
from suno_wav_cli.callbacks.tunnel.tunnel import Lost, Restored
from suno_wav_cli.errors import TunnelFailed
from suno_wav_cli.events.callbacks import CallbackReceived, Ready, TunnelLost, TunnelRestored, TunnelUnproven

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable

    from suno_wav_cli.callbacks.endpoint import CallbackEndpoint
    from suno_wav_cli.callbacks.payload import ReceivedCallback
    from suno_wav_cli.events import Report


class TaskWaker(Protocol):
    """Wakes the songs that wait."""

    def wake(self, task_id: str) -> None:
        """Look up soon a task that a callback has named."""

    def expect_callbacks(self, callback_url: str | None) -> None:
        """Expect callbacks at this address alone from now on, or none at all."""


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
) -> AsyncIterator[Callable[[], Awaitable[str | None]]]:
    """Receive callbacks until the block is left. Yield what returns the `callBackUrl` to submit.

    It waits until the tunnel is open, and then returns the address of the moment: None if the tunnel
    could not be opened. It raises TunnelFailed if the endpoint is required.
    """
    handlers = Handlers(handle=make_notification_handler(waker.wake, report))
    async with receive_callbacks(endpoint, handlers) as probe:
        status = _CallbackStatus(path=endpoint.path, waker=waker, poll_interval=poll_interval, report=report)
        # This machine may be the only one that cannot reach its public address: many routers do not
        # lead a request from inside back in.
        on_unproven = status.unproven if endpoint.is_theirs else None
        public_url = PublicUrl(endpoint, probe, tls, status.changed, report, on_unproven=on_unproven)
        opening = asyncio.create_task(_open(public_url, status, endpoint))
        keeping = asyncio.create_task(_keep_open(opening, public_url, status))

        async def current_url() -> str | None:
            # One song's end must not end the opening.
            await asyncio.shield(opening)
            return status.callback_url

        try:
            yield current_url
        finally:
            opening.cancel()
            keeping.cancel()
            await asyncio.gather(opening, keeping, return_exceptions=True)


async def _open(public_url: PublicUrl, status: _CallbackStatus, endpoint: CallbackEndpoint) -> None:
    try:
        await public_url.open()
    except TunnelFailed as error:
        if endpoint.required:
            raise
        status.report(Ready(public_url=None, poll_interval=status.poll_interval, reason=error.message))


async def _keep_open(opening: asyncio.Future[None], public_url: PublicUrl, status: _CallbackStatus) -> None:
    """Keep the tunnel open, if there is one: a run that polls from the beginning does not try again."""
    await asyncio.shield(opening)
    if status.callback_url is not None:
        await public_url.keep_open()


@dataclass(kw_only=True)
class _CallbackStatus:
    """Where callbacks can arrive. `address` is the latest public one: songs are submitted with it."""

    path: str
    waker: TaskWaker
    poll_interval: float
    report: Report
    address: str | None = None

    @property
    def callback_url(self) -> str | None:
        return None if self.address is None else self.address + self.path

    def unproven(self, public_url: str, reason: str) -> None:
        """Submit with this address, and poll in case callbacks do not arrive there."""
        self.address = public_url
        self.waker.expect_callbacks(None)
        self.report(TunnelUnproven(public_url=public_url, reason=reason, poll_interval=self.poll_interval))

    def changed(self, change: Lost | Restored) -> None:
        if isinstance(change, Lost):
            self.waker.expect_callbacks(None)
            self.report(TunnelLost(reason=change.reason, poll_interval=self.poll_interval))
            return
        before, self.address = self.address, change.public_url
        self.waker.expect_callbacks(self.callback_url)
        if before is None:
            self.report(Ready(public_url=self.address, poll_interval=self.poll_interval, reason=None))
        else:
            self.report(TunnelRestored(public_url=self.address, moved=self.address != before))
