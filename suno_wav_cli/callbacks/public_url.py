"""The public address for callbacks: opened in time, proven, watched, and opened again.

What a tunnel says of itself is not believed. Callbacks can arrive if a request of our own has: after
the opening, after each change that the tunnel reports, after a sleep of the machine, and every
ten minutes.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from suno_wav_cli.callbacks.heartbeat import Clocks, is_proof_due
from suno_wav_cli.callbacks.probe import check_reachable
from suno_wav_cli.callbacks.tunnel.error_codes import OR_POLL
from suno_wav_cli.callbacks.tunnel.tunnel import Listener, Lost, Restored
from suno_wav_cli.errors import TunnelFailed
from suno_wav_cli.events.callbacks import TunnelOpening
from suno_wav_cli.system.threads import start_in_thread

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from suno_wav_cli.callbacks.endpoint import CallbackEndpoint
    from suno_wav_cli.callbacks.probe import Probe
    from suno_wav_cli.events import Event, Report


@dataclass(kw_only=True)
class _Opening:
    """One opening of the tunnel, and what it has reported since. `end` is set once it is lost for good.

    `has_news` is set while there are `changes` that were not looked at.
    """

    url: str = ""
    has_news: asyncio.Event = field(default_factory=asyncio.Event)
    changes: asyncio.Queue[Lost | Restored] = field(default_factory=asyncio.Queue)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    end: Lost | None = None

    def changed(self, change: Lost | Restored) -> None:
        if isinstance(change, Lost) and change.final:
            self.end = change
            self.over.set()
        self.changes.put_nowait(change)
        self.has_news.set()

    async def next_change(self) -> Lost | Restored:
        change = await self.changes.get()
        if self.changes.empty():
            self.has_news.clear()
        return change


class PublicUrl:
    """Opens an endpoint's tunnel, and keeps it open.

    Calls `on_change` in the event loop: with Restored when callbacks can arrive, and with Lost when
    they cannot. `on_unproven` gets an address and the reason if no request of ours arrived through
    it: the address is used in spite of that. Without `on_unproven` it is not.
    """

    def __init__(
        self,
        endpoint: CallbackEndpoint,
        probe: Probe,
        tls: ssl.SSLContext,
        on_change: Callable[[Lost | Restored], None],
        report: Report,
        *,
        on_unproven: Callable[[str, str], None] | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._probe = probe
        self._tls = tls
        self._on_change = on_change
        self._on_unproven = on_unproven
        self._is_unproven = False
        self._report = report
        self._opening: _Opening | None = None
        self._said: Lost | Restored | None = None

    async def open(self) -> None:
        """Open the tunnel, and see one request arrive through it. Raise TunnelFailed."""
        await self._open(self._report)

    async def keep_open(self) -> None:
        """Prove the address again and again, and open the tunnel anew once it is lost. Never returns."""
        timeouts = self._endpoint.timeouts
        pause = timeouts.first_reopen
        while True:
            opened_at = time.monotonic()
            if self._opening is not None:
                await self._watch(self._opening)
            if time.monotonic() - opened_at > timeouts.max_reopen:
                pause = timeouts.first_reopen
            await asyncio.sleep(pause)
            pause = min(2 * pause, timeouts.max_reopen)
            try:
                await self._open(self._report_quietly)
            except TunnelFailed as error:
                self._say(Lost(reason=error.message, final=True))

    async def _open(self, report: Report) -> None:
        loop = asyncio.get_running_loop()

        def call_in_loop(function: Callable[..., None], *values: object) -> None:
            # The agent may report something after the loop has closed.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(function, *values)

        tunnel, timeouts, opening = self._endpoint.tunnel, self._endpoint.timeouts, _Opening()
        listener = Listener(
            changed=partial(call_in_loop, opening.changed), report=partial(call_in_loop, report)
        )
        begun = time.monotonic()
        self._opening = None
        try:
            opening.url = await start_in_thread(partial(tunnel.open, listener, timeouts.open), "tunnel")
            left = timeouts.open + timeouts.min_probe - (time.monotonic() - begun)
            seconds = min(max(timeouts.min_probe, left), timeouts.max_probe)
            await self._prove(opening, seconds=seconds, pause=timeouts.probe_pause)
        except TunnelFailed as error:
            if self._on_unproven is None or not opening.url or opening.end is not None:
                await start_in_thread(tunnel.shut, "tunnel")
                raise
            self._is_unproven, self._said = True, None
            self._on_unproven(opening.url, error.message)
        else:
            self._say(Restored(public_url=opening.url))
        self._opening = opening

    async def _watch(self, opening: _Opening) -> None:
        """Prove the address whenever there is a reason to. Return when the tunnel is to be opened anew."""
        while opening.end is None:
            change = await self._next_change(opening)
            if isinstance(change, Lost):
                self._say(change)
                continue
            if change is not None:
                opening.url = change.public_url
            if not await self._is_proven(opening):
                await start_in_thread(self._endpoint.tunnel.shut, "tunnel")
                return

    async def _next_change(self, opening: _Opening) -> Lost | Restored | None:
        """Return what the tunnel reports next, or None if its address is to be proven again."""
        timeouts = self._endpoint.timeouts
        proven = before = _read_clocks()
        while True:
            with suppress(TimeoutError):
                return await asyncio.wait_for(opening.next_change(), timeouts.clock_look)
            now = _read_clocks()
            if is_proof_due(proven, before, now, timeouts):
                return None
            before = now

    async def _is_proven(self, opening: _Opening) -> bool:
        """Prove the address. If that fails, say so, and give the tunnel time to come back by itself.

        An address that never was proven is kept, and nothing new is said of it. News of the tunnel
        end the proof: the agent may have told the address of before first.
        """
        timeouts, news = self._endpoint.timeouts, opening.has_news
        try:
            await self._prove(opening, seconds=timeouts.max_probe, pause=timeouts.probe_pause, news=news)
        except TunnelFailed as error:
            if self._is_unproven and opening.end is None:
                return True
            self._say(opening.end or Lost(reason=error.message, final=False))
            try:
                await self._prove(
                    opening, seconds=timeouts.recovery, pause=timeouts.recovery_pause, news=news
                )
            except TunnelFailed:
                return False
        if not news.is_set():
            self._say(Restored(public_url=opening.url))
        return True

    async def _prove(
        self, opening: _Opening, *, seconds: float, pause: float, news: asyncio.Event | None = None
    ) -> None:
        """See a request arrive, or return when `news` is set.

        Raise TunnelFailed after `seconds`, or when the tunnel ends.
        """
        url = opening.url + self._endpoint.path
        proof = asyncio.ensure_future(
            check_reachable(self._probe, url, self._tls, seconds=seconds, pause=pause)
        )
        others = [asyncio.ensure_future(event.wait()) for event in (opening.over, news) if event is not None]
        try:
            await asyncio.wait({proof, *others}, return_when=asyncio.FIRST_COMPLETED)
            if opening.end is not None:
                raise TunnelFailed(opening.end.reason, OR_POLL)
            if news is None or not news.is_set():
                await proof
        finally:
            proof.cancel()
            for other in others:
                other.cancel()

    def _say(self, change: Lost | Restored) -> None:
        """Pass on what is new: a tunnel that cannot be opened often fails for the same reason."""
        if change != self._said:
            self._said = change
            self._is_unproven = False
            self._on_change(change)

    def _report_quietly(self, event: Event) -> None:
        if not isinstance(event, TunnelOpening):
            self._report(event)


def _read_clocks() -> Clocks:
    return Clocks(wall=time.time(), monotonic=time.monotonic())
