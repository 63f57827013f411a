"""`listen` from its settings to its exit code: open the way, take deliveries, keep the way open for days."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from suno_wav_cli import events
from suno_wav_cli.api.providers import get_provider
from suno_wav_cli.callbacks.endpoint import open_reception, receiving
from suno_wav_cli.callbacks.public_url import PublicUrl
from suno_wav_cli.callbacks.tunnel import Lost, Restored
from suno_wav_cli.commands.listen.handler import DeliveryHandler, ListenOptions
from suno_wav_cli.commands.listen.verifier import Service
from suno_wav_cli.config.credentials import find_api_key, require_key
from suno_wav_cli.config.settings import base_url_of
from suno_wav_cli.conversion.session import open_session, open_workshop
from suno_wav_cli.errors import ExitCode, TunnelFailed, TunnelRefused, UsageError
from suno_wav_cli.system.event_loop import run_async
from suno_wav_cli.system.tls import make_tls_context

if TYPE_CHECKING:
    from collections.abc import Iterable

    from suno_wav_cli.callbacks.endpoint import CallbackEndpoint
    from suno_wav_cli.config.run import Run
    from suno_wav_cli.config.settings import Settings
    from suno_wav_cli.conversion.session import Session
    from suno_wav_cli.events import Report

DEFAULT_PORT = 3000


def listen(run: Run) -> ExitCode:
    """Take deliveries until interrupted, or until `max_events` have come. Raises SunoWavError."""
    settings, secrets, report = run.settings, run.secrets, run.report
    _check_folders(settings)
    key = find_api_key(secrets, settings, run.environ)
    if settings.out is not None:
        # What is downloaded is what the service confirms.
        require_key(key, base_url_of(settings))
    port = DEFAULT_PORT if settings.port is None else settings.port
    with ExitStack() as stack:
        session = None
        if key is not None:
            session = stack.enter_context(open_session(run))
        agents = run.paths.agents
        reception = stack.enter_context(open_reception(settings, secrets, agents, port=port))
        wishes = ListenOptions(
            hmac_key=secrets.hmac_key,
            forward_to=settings.forward_to,
            save=settings.save,
            max_events=settings.max_events,
        )
        unverified = secrets.hmac_key is None and get_provider(settings.provider).signs_callbacks
        run_async(
            _listen(
                wishes, reception, session, report, downloads=settings.out is not None, unverified=unverified
            )
        )
    return ExitCode.OK


async def _listen(
    wishes: ListenOptions,
    reception: CallbackEndpoint,
    session: Session | None,
    report: Report,
    *,
    downloads: bool,
    unverified: bool,
) -> None:
    async with AsyncExitStack() as stack:
        service = None
        if session is None:
            tls = make_tls_context(wishes.forward_to)
        else:
            context = await stack.enter_async_context(open_workshop(session, None))
            tls = context.download_terms.tls
            service = Service(session=session, context=context, downloads=downloads)
        intake = DeliveryHandler(wishes, service, tls, report)
        stack.callback(intake.cancel)
        async with receiving(reception, intake.deliver) as probe:
            address = _Address(reception, report, unverified=unverified)
            way = PublicUrl(reception, probe, tls, address.changed, report)
            hopeless = False
            try:
                await way.open()
            except TunnelFailed as error:
                if reception.required:
                    raise
                hopeless = isinstance(error, TunnelRefused)
                address.announce(reception.local_url, error.message)
            waited = {intake.over}
            if not hopeless:
                waited.add(asyncio.ensure_future(way.keep_open()))
            stack.callback(_cancel, waited)
            done, _ = await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            for ended in done:
                ended.result()
        await intake.finish()


def _cancel(futures: Iterable[asyncio.Future[None]]) -> None:
    for future in futures:
        future.cancel()


class _Address:
    """The address that is given to the service, said again whenever it is another one."""

    def __init__(self, reception: CallbackEndpoint, report: Report, *, unverified: bool) -> None:
        self._reception = reception
        self._report = report
        self._unverified = unverified
        self._said: str | None = None
        self._reason: str | None = None

    def changed(self, change: Lost | Restored) -> None:
        if isinstance(change, Restored):
            self._reason = None
            if change.public_url == self._said:
                self._report(events.TunnelRestored(public_url=change.public_url))
            else:
                self.announce(change.public_url, None)
        elif change.reason != self._reason:
            # The same reason again, at each try, would fill the screen.
            self._reason = change.reason
            self._report(events.TunnelLost(reason=change.reason, poll_interval=None))

    def announce(self, base_url: str, reason: str | None) -> None:
        self._said = base_url
        self._reason = reason
        local_url = self._reception.local_url
        public_url = None if base_url == local_url else base_url
        callback_url = base_url + self._reception.path
        self._report(
            events.Listening(
                local_url=local_url,
                public_url=public_url,
                reason=reason,
                callback_url=callback_url,
                unverified=self._unverified,
            )
        )


def _check_folders(settings: Settings) -> None:
    template = settings.out is not None and "{" in settings.out
    for option, folder in (("--out", None if template else settings.out), ("--save", settings.save)):
        if folder is not None and not Path(folder).expanduser().is_dir():
            raise UsageError(f"{option}: there is no folder {folder}", f"Make it first: mkdir -p '{folder}'")
