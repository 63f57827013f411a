"""Callbacks for the songs of one run: received here, by a way that is opened meanwhile and may be lost."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from suno_wav_cli.callbacks.endpoint import receiving
from suno_wav_cli.callbacks.public_url import PublicUrl
from suno_wav_cli.callbacks.task_notifier import TaskNotifier, waking
from suno_wav_cli.callbacks.tunnel import Lost, Restored
from suno_wav_cli.errors import TunnelFailed
from suno_wav_cli.events import Ready, TunnelLost, TunnelRestored

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator

    from suno_wav_cli.callbacks.endpoint import CallbackEndpoint
    from suno_wav_cli.events import Report


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
    async with receiving(reception, waking(wake_ups, report)) as probe:
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
