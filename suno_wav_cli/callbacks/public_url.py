"""The public address for callbacks: opened within a deadline, seen to work, watched, and opened again."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import httpx

from suno_wav_cli import USER_AGENT
from suno_wav_cli.callbacks.sender import origin
from suno_wav_cli.callbacks.tunnel import Listener, Lost, Restored
from suno_wav_cli.callbacks.tunnel.error_codes import OR_POLL, ngrok_failure
from suno_wav_cli.errors import TunnelFailed
from suno_wav_cli.events import TunnelOpening
from suno_wav_cli.system.http_errors import describe_error, read_body
from suno_wav_cli.system.loopback import is_loopback
from suno_wav_cli.system.threads import start_in_thread

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from suno_wav_cli.callbacks.endpoint import CallbackEndpoint
    from suno_wav_cli.callbacks.receiver import Probe
    from suno_wav_cli.events import Event, Report

OPEN_SECONDS = 7.0
_LEAST_PROBE_SECONDS, _MOST_PROBE_SECONDS = 1.0, 3.0
"""What the first request has, however long the opening took. A song waits for the tunnel no more than 8 s in all."""

_PROBE_PAUSE = 0.25
"""Between two tries: a new address may take a moment until it is known everywhere."""

_LARGEST_PAGE = 64 * 1024

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
"""Seconds before the tunnel is opened again, doubled each time, until it has held for the longest of them."""


class PublicUrl:
    """Calls `on_change` in this loop: Restored when the way is open, at which address, and Lost when it is not."""

    def __init__(
        self,
        reception: CallbackEndpoint,
        probe: Probe,
        tls: ssl.SSLContext,
        on_change: Callable[[Lost | Restored], None],
        report: Report,
    ) -> None:
        self._reception = reception
        self._probe = probe
        self._tls = tls
        self._on_change = on_change
        self._report = report
        self._gone = asyncio.Event()

    async def open(self) -> None:
        """Open the tunnel, and send one request through it that is seen here. Raises TunnelFailed."""
        await self._open(self._report)

    async def keep_open(self) -> None:
        """Open it again whenever it is gone for good. Never returns."""
        pause = _FIRST_PAUSE
        while True:
            begun = time.monotonic()
            await self._gone.wait()
            if time.monotonic() - begun > _LONGEST_PAUSE:
                pause = _FIRST_PAUSE
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
            try:
                await self._open(self._report_quietly)
            except TunnelFailed as error:
                self._on_change(Lost(reason=error.message, final=True))

    async def _open(self, report: Report) -> None:
        loop = asyncio.get_running_loop()

        def here(function: Callable[..., None], *values: object) -> None:
            # The agent may have its last word when the loop is closed.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(function, *values)

        tunnel, path = self._reception.tunnel, self._reception.path
        listener = Listener(changed=partial(here, self._changed), report=partial(here, report))
        begun = time.monotonic()
        self._gone.clear()
        try:
            public_url = await start_in_thread(partial(tunnel.open, listener, OPEN_SECONDS), "tunnel")
            left = OPEN_SECONDS + _LEAST_PROBE_SECONDS - (time.monotonic() - begun)
            seconds = min(max(_LEAST_PROBE_SECONDS, left), _MOST_PROBE_SECONDS)
            await self._see_through(public_url + path, seconds)
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

    async def _see_through(self, url: str, seconds: float) -> None:
        problem = TunnelFailed(f"{origin(url)} does not answer", OR_POLL)
        self._probe.seen.clear()
        headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
        with suppress(TimeoutError):
            async with (
                asyncio.timeout(seconds),
                httpx.AsyncClient(headers=headers, verify=self._tls, trust_env=not is_loopback(url)) as http,
            ):
                while True:
                    problem = await self._problem_of(http, url)
                    if self._probe.seen.is_set():
                        return
                    await asyncio.sleep(_PROBE_PAUSE)
        raise problem

    async def _problem_of(self, http: httpx.AsyncClient, url: str) -> TunnelFailed:
        try:
            async with http.stream("POST", url, json=self._probe.content) as response:
                page = await read_body(response, _LARGEST_PAGE)
        except httpx.HTTPError as error:
            return TunnelFailed(
                f"{origin(url)} cannot be reached from here: {describe_error(error)}", OR_POLL
            )
        said = f"{origin(url)} does not lead here: it answers HTTP {response.status_code}"
        code = response.headers.get("Ngrok-Error-Code", "")
        return ngrok_failure([code, page.decode("utf-8", "replace")], said)
