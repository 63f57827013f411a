"""`listen` from its settings to its exit code: open the way, take deliveries, keep the way open for days."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from suno_wav_cli import events
from suno_wav_cli.client import tls_context
from suno_wav_cli.credentials import api_key
from suno_wav_cli.errors import ExitCode, TunnelFailed, UsageError
from suno_wav_cli.event_loop import run
from suno_wav_cli.intake import Intake, Service, Wishes
from suno_wav_cli.providers import SANDBOX
from suno_wav_cli.reception import open_reception, opened, receiving
from suno_wav_cli.session import open_session, open_workshop
from suno_wav_cli.settings import state_folder
from suno_wav_cli.tunnel import Lost, Restored

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from suno_wav_cli.credentials import Secrets
    from suno_wav_cli.events import Report
    from suno_wav_cli.receiver import Probe
    from suno_wav_cli.reception import Reception
    from suno_wav_cli.session import Session
    from suno_wav_cli.settings import Settings

DEFAULT_PORT = 3000

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
"""Seconds between two attempts to open a tunnel again, doubled each time."""


def listen(settings: Settings, secrets: Secrets, environ: Mapping[str, str], report: Report) -> ExitCode:
    """Take deliveries until interrupted, or until `max_events` have come. Raises SunoWavError."""
    _check_folders(settings)
    if settings.out is not None:
        # What is downloaded is what the service confirms.
        api_key(secrets, settings.provider)
    port = DEFAULT_PORT if settings.port is None else settings.port
    with ExitStack() as stack:
        session = None
        if secrets.api_key is not None or settings.provider == SANDBOX:
            session = stack.enter_context(open_session(settings, secrets, environ, report))
        agents = state_folder(environ) / "agents"
        reception = stack.enter_context(open_reception(settings, secrets, agents, report, port=port))
        wishes = Wishes(secrets.hmac_key, settings.forward_to, settings.save, settings.max_events)
        run(_listen(settings, wishes, reception, session, report))
    return ExitCode.OK


async def _listen(
    settings: Settings, wishes: Wishes, reception: Reception, session: Session | None, report: Report
) -> None:
    async with AsyncExitStack() as stack:
        tls = tls_context()
        service = None
        if session is not None:
            shop = await stack.enter_async_context(open_workshop(session, None))
            service = Service(session, shop, downloads=settings.out is not None)
        intake = Intake(wishes, service, report)
        stack.callback(intake.cancel)
        async with receiving(reception, intake.deliver) as probe:
            way = _Way(reception, probe, tls, report)
            await way.open()
            keeping = asyncio.create_task(way.keep_open())
            stack.callback(keeping.cancel)
            done, _ = await asyncio.wait([intake.over, keeping], return_when=asyncio.FIRST_COMPLETED)
            for ended in done:
                ended.result()
        await intake.finish()


class _Way:
    """The address that is given to the service: announced, and opened again when it was lost for good."""

    def __init__(self, reception: Reception, probe: Probe, tls: ssl.SSLContext, report: Report) -> None:
        self._reception = reception
        self._probe = probe
        self._tls = tls
        self._report = report
        self._gone = asyncio.Event()
        self._announced: str | None = None

    async def open(self) -> None:
        """Open it for the first time. Raises TunnelFailed where nothing else was allowed."""
        try:
            await self._reopen()
        except TunnelFailed as error:
            if self._reception.required:
                raise
            self._gone.clear()
            self._announce(self._reception.local_url, error.message)

    async def keep_open(self) -> None:
        """Open it again whenever it is gone. Never returns."""
        while True:
            await self._gone.wait()
            pause, said = _FIRST_PAUSE, ""
            while self._gone.is_set():
                try:
                    await self._reopen()
                except TunnelFailed as error:
                    if error.message != said:
                        said = error.message
                        self._report(events.TunnelLost(said, None))
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, _LONGEST_PAUSE)

    async def _reopen(self) -> None:
        # Before, for it may be lost again while its first request is under way.
        self._gone.clear()
        try:
            public_url = await opened(
                self._reception.tunnel, self._reception.path, self._probe, self._tls, self._changed
            )
        except TunnelFailed:
            self._gone.set()
            raise
        self._restored(public_url)

    def _changed(self, change: Lost | Restored) -> None:
        if isinstance(change, Restored):
            self._restored(change.public_url)
            return
        self._report(events.TunnelLost(change.reason, None))
        if change.final:
            self._gone.set()

    def _restored(self, public_url: str) -> None:
        if public_url == self._announced:
            self._report(events.TunnelRestored(public_url))
        else:
            self._announce(public_url, None)

    def _announce(self, base_url: str, reason: str | None) -> None:
        self._announced = base_url
        local_url = self._reception.local_url
        public_url = None if base_url == local_url else base_url
        self._report(events.Listening(local_url, public_url, reason, base_url + self._reception.path))


def _check_folders(settings: Settings) -> None:
    template = settings.out is not None and "{" in settings.out
    for option, folder in (("--out", None if template else settings.out), ("--save", settings.save)):
        if folder is not None and not Path(folder).expanduser().is_dir():
            raise UsageError(f"{option}: there is no folder {folder}", f"Make it first: mkdir -p '{folder}'")
