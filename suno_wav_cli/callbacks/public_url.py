"""The public address for callbacks: opened in time, checked, watched, and opened again."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from suno_wav_cli.callbacks.probe import check_reachable
from suno_wav_cli.callbacks.tunnel import Listener, Lost, Restored
from suno_wav_cli.errors import TunnelFailed
from suno_wav_cli.events import TunnelOpening
from suno_wav_cli.system.threads import start_in_thread

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from suno_wav_cli.callbacks.endpoint import CallbackEndpoint
    from suno_wav_cli.callbacks.probe import Probe
    from suno_wav_cli.events import Event, Report


class PublicUrl:
    """Opens an endpoint's tunnel, and keeps it open.

    Calls `on_change` in the event loop: with Restored when callbacks can arrive, and with Lost when
    they cannot.
    """

    def __init__(
        self,
        endpoint: CallbackEndpoint,
        probe: Probe,
        tls: ssl.SSLContext,
        on_change: Callable[[Lost | Restored], None],
        report: Report,
    ) -> None:
        self._endpoint = endpoint
        self._probe = probe
        self._tls = tls
        self._on_change = on_change
        self._report = report
        self._gone = asyncio.Event()

    async def open(self) -> None:
        """Open the tunnel, and see one request arrive through it. Raise TunnelFailed."""
        await self._open(self._report)

    async def keep_open(self) -> None:
        """Open the tunnel again whenever it is lost for good. Never returns."""
        timeouts = self._endpoint.timeouts
        pause = timeouts.first_reopen
        while True:
            opened_at = time.monotonic()
            await self._gone.wait()
            if time.monotonic() - opened_at > timeouts.max_reopen:
                pause = timeouts.first_reopen
            await asyncio.sleep(pause)
            pause = min(2 * pause, timeouts.max_reopen)
            try:
                await self._open(self._report_quietly)
            except TunnelFailed as error:
                self._on_change(Lost(reason=error.message, final=True))

    async def _open(self, report: Report) -> None:
        loop = asyncio.get_running_loop()

        def call_in_loop(function: Callable[..., None], *values: object) -> None:
            # The agent may report something after the loop has closed.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(function, *values)

        tunnel, timeouts = self._endpoint.tunnel, self._endpoint.timeouts
        listener = Listener(
            changed=partial(call_in_loop, self._changed), report=partial(call_in_loop, report)
        )
        begun = time.monotonic()
        self._gone.clear()
        try:
            public_url = await start_in_thread(partial(tunnel.open, listener, timeouts.open), "tunnel")
            left = timeouts.open + timeouts.min_probe - (time.monotonic() - begun)
            await check_reachable(
                self._probe,
                public_url + self._endpoint.path,
                self._tls,
                seconds=min(max(timeouts.min_probe, left), timeouts.max_probe),
                pause=timeouts.probe_pause,
            )
        except TunnelFailed:
            await start_in_thread(tunnel.shut, "tunnel")
            self._gone.set()
            raise
        if not self._gone.is_set():
            self._on_change(Restored(public_url=public_url))

    def _changed(self, change: Lost | Restored) -> None:
        if isinstance(change, Lost) and change.final:
            self._gone.set()
        self._on_change(change)

    def _report_quietly(self, event: Event) -> None:
        if not isinstance(event, TunnelOpening):
            self._report(event)
