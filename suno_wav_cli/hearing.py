"""Callbacks for the songs of one run: received here, by a way that is opened meanwhile and may be lost."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from suno_wav_cli.background import start_in_thread
from suno_wav_cli.errors import TunnelFailed
from suno_wav_cli.events import Ready, TunnelLost, TunnelRestored
from suno_wav_cli.reception import opened, receiving
from suno_wav_cli.tunnel import Lost, Restored
from suno_wav_cli.wake_ups import WakeUps, waking

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator

    from suno_wav_cli.events import Report
    from suno_wav_cli.receiver import Probe
    from suno_wav_cli.reception import Reception

PLACEHOLDER_CALLBACK = "https://example.com/callback"
"""`callBackUrl` is required of pollers too, and this one is known to be accepted (contract/wav-api.md, section 2)."""


@asynccontextmanager
async def hearing(
    reception: Reception, wake_ups: WakeUps, tls: ssl.SSLContext, poll_interval: float, report: Report
) -> AsyncIterator[asyncio.Future[str]]:
    """Receive callbacks until the block is left; the future is what to submit as `callBackUrl`.

    Where the way cannot be opened, it is a placeholder, or TunnelFailed where nothing else was allowed.
    """
    async with receiving(reception, waking(wake_ups, report)) as probe:
        way = _Way(reception, wake_ups, poll_interval, report)
        opening = asyncio.create_task(way.open(probe, tls))
        try:
            yield opening
        finally:
            opening.cancel()
            await asyncio.gather(opening, return_exceptions=True)


@dataclass
class _Way:
    reception: Reception
    wake_ups: WakeUps
    poll_interval: float
    report: Report
    given: str | None = None

    async def open(self, probe: Probe, tls: ssl.SSLContext) -> str:
        tunnel, path = self.reception.tunnel, self.reception.path
        try:
            self.given = await opened(tunnel, path, probe, tls, self._changed)
        except TunnelFailed as error:
            await start_in_thread(tunnel.close, "tunnel")
            if self.reception.required:
                raise
            self.report(Ready(None, self.poll_interval, error.message))
            return PLACEHOLDER_CALLBACK
        self.wake_ups.listening = True
        self.report(Ready(self.given, self.poll_interval, None))
        return self.given + path

    def _changed(self, change: Lost | Restored) -> None:
        self.wake_ups.listening = isinstance(change, Restored) and change.public_url == self.given
        if self.wake_ups.listening:
            self.report(TunnelRestored(self.given or ""))
        else:
            # At another address it is of no use to those who were given this one.
            reason = change.reason if isinstance(change, Lost) else "the tunnel has another address now"
            self.report(TunnelLost(reason, self.poll_interval))
