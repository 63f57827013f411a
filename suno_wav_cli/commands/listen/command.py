"""`listen` from its settings to its exit code: open an address, and handle deliveries."""

from __future__ import annotations

import asyncio
import os
import secrets
from contextlib import AsyncExitStack, ExitStack
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from suno_wav_cli.api.providers import get_provider
from suno_wav_cli.callbacks.endpoint import open_endpoint, receive_callbacks
from suno_wav_cli.callbacks.handlers import Handlers
from suno_wav_cli.callbacks.public_url import PublicUrl
from suno_wav_cli.callbacks.tunnel.tunnel import Lost, Restored
from suno_wav_cli.commands.listen.awaited import find_missing
from suno_wav_cli.commands.listen.forwarded import leads_to_port
from suno_wav_cli.commands.listen.forwarder import Forwarder
from suno_wav_cli.commands.listen.handler import DeliveryHandler, ListenOptions
from suno_wav_cli.commands.listen.limits import ListenLimits
from suno_wav_cli.commands.listen.outbox import open_outbox
from suno_wav_cli.commands.listen.refusals import RefusalLog
from suno_wav_cli.commands.listen.verifier import Service
from suno_wav_cli.config.api_key import find_api_key, require_key
from suno_wav_cli.config.credentials import refuse_ignored
from suno_wav_cli.conversion.context import open_context
from suno_wav_cli.conversion.resume_hint import how_to_make
from suno_wav_cli.conversion.stdout import STANDARD_OUTPUT
from suno_wav_cli.conversion.targets import check_folder, expand
from suno_wav_cli.errors import ExitCode, StillRunning, TunnelFailed, TunnelRefused, UsageError
from suno_wav_cli.events import callbacks, deliveries
from suno_wav_cli.models import TunnelMode
from suno_wav_cli.system.event_loop import run_async
from suno_wav_cli.system.tls import make_tls_context

if TYPE_CHECKING:
    from collections.abc import Iterable

    from suno_wav_cli.callbacks.endpoint import CallbackEndpoint
    from suno_wav_cli.commands.listen.awaited import Awaited
    from suno_wav_cli.config.run import Run
    from suno_wav_cli.config.settings import Settings
    from suno_wav_cli.events import Report


def listen(run: Run, *, default_port: int, awaited: Awaited) -> ExitCode:
    """Handle deliveries until interrupted, or until `awaited` has come. Raise SunoWavError."""
    settings, secrets = run.settings, run.secrets
    _check_folders(settings)
    if secrets.hmac_key is None:
        # Without the key, forged callbacks would be passed on.
        refuse_ignored(secrets, "hmac_key")
    key = find_api_key(run)
    if settings.out is not None:
        # Only what the service confirms is downloaded.
        require_key(run, key)
    port = default_port if settings.port is None else settings.port
    with ExitStack() as stack:
        endpoint = stack.enter_context(open_endpoint(settings, secrets, run.paths, port=port))
        _check_forward(settings, endpoint)
        missing = run_async(_listen(run, endpoint, awaited, has_key=key is not None))
    if missing is not None:
        raise missing
    return ExitCode.OK


async def _listen(
    run: Run, endpoint: CallbackEndpoint, awaited: Awaited, *, has_key: bool
) -> StillRunning | None:
    """Return an error if what was awaited did not come."""
    settings, hmac_key, report = run.settings, run.secrets.hmac_key, run.report
    options = ListenOptions(
        hmac_key=hmac_key,
        save=settings.save,
        awaited=awaited,
    )
    unverified = hmac_key is None and get_provider(settings.provider).signs_callbacks
    async with AsyncExitStack() as stack:
        service = None
        if not has_key:
            tls = make_tls_context(settings.forward_to)
        else:
            context = await stack.enter_async_context(open_context(run))
            tls = context.download_terms.tls
            service = Service(context=context, downloads=settings.out is not None)
        limits = ListenLimits()
        via = f"1.1 suno-wav-{secrets.token_hex(8)}"
        outbox = forwarder = None
        if settings.forward_to is not None:
            outbox = stack.enter_context(open_outbox(run.paths.undelivered, limits, report))
            forwarder = Forwarder(
                outbox,
                settings.forward_to,
                via,
                keep_forwarded=settings.keep_forwarded_headers,
                tls=tls,
                report=report,
                limits=limits,
            )
        handler = DeliveryHandler(options, service, forwarder, report, limits)
        stack.push_async_callback(handler.cancel)
        refusals = RefusalLog(report, limits)
        stack.callback(refusals.close)
        handlers = Handlers(
            handle=handler.handle, keep=outbox.keep if outbox else None, refused=refusals.add, via=via
        )
        async with receive_callbacks(endpoint, handlers) as probe:
            # With --tunnel none, the person knows why.
            is_practice = endpoint.is_local and settings.tunnel is not TunnelMode.NONE
            announcer = _Announcer(endpoint, report, unverified=unverified, is_practice=is_practice)
            # This machine may be the only one that cannot reach its public address.
            on_unproven = announcer.unproven if endpoint.is_theirs else None
            public_url = PublicUrl(endpoint, probe, tls, announcer.changed, report, on_unproven=on_unproven)
            running = {handler.over}
            is_opened = await _open(public_url, endpoint, announcer)
            if is_opened:
                running.add(asyncio.ensure_future(public_url.keep_open()))
            if endpoint.is_local or not is_opened:
                handler.count_all()
            stack.callback(_cancel, running)
            done, _ = await asyncio.wait(
                running, timeout=awaited.seconds, return_when=asyncio.FIRST_COMPLETED
            )
            for future in done:
                future.result()
        await handler.finish()
        return find_missing(awaited, handler.arrivals, run.service_options)


async def _open(public_url: PublicUrl, endpoint: CallbackEndpoint, announcer: _Announcer) -> bool:
    """Open the public address, or announce the local one. Return False if it stays the local one for good."""
    try:
        await public_url.open()
    except TunnelFailed as error:
        if endpoint.required:
            raise
        announcer.announce(endpoint.local_url, error.message)
        return not isinstance(error, TunnelRefused)
    return True


def _cancel(futures: Iterable[asyncio.Future[None]]) -> None:
    for future in futures:
        future.cancel()


class _Announcer:
    """Reports the address to give to the service, again whenever it changes."""

    def __init__(
        self, endpoint: CallbackEndpoint, report: Report, *, unverified: bool, is_practice: bool
    ) -> None:
        self._endpoint = endpoint
        self._report = report
        self._unverified = unverified
        self._is_practice = is_practice
        self._announced: str | None = None
        self._reason: str | None = None

    def changed(self, change: Lost | Restored) -> None:
        if isinstance(change, Restored):
            self._reason = None
            if change.public_url == self._announced:
                self._report(callbacks.TunnelRestored(public_url=change.public_url, moved=False))
            else:
                self.announce(change.public_url, None)
        elif change.reason != self._reason:
            # Each attempt fails for the same reason, which would fill the screen.
            self._reason = change.reason
            self._report(callbacks.TunnelLost(reason=change.reason, poll_interval=None))

    def unproven(self, base_url: str, reason: str) -> None:
        """Announce an address of the person's own, though no request of ours arrived through it."""
        self._report(callbacks.TunnelUnproven(public_url=base_url, reason=reason, poll_interval=None))
        self.announce(base_url, None)

    def announce(self, base_url: str, reason: str | None) -> None:
        self._announced = base_url
        self._reason = reason
        local_url = self._endpoint.local_url
        self._report(
            deliveries.Listening(
                local_url=local_url,
                public_url=None if base_url == local_url else base_url,
                reason="the sandbox is here too, and needs no tunnel" if self._is_practice else reason,
                callback_url=base_url + self._endpoint.path,
                unverified=self._unverified,
            )
        )


def _check_forward(settings: Settings, endpoint: CallbackEndpoint) -> None:
    """Raise UsageError if deliveries would be forwarded to this very receiver."""
    url, given = settings.forward_to, settings.public_url
    if url is None:
        return
    is_public = given is not None and urlsplit(url).netloc.lower() == urlsplit(given).netloc.lower()
    if is_public or leads_to_port(url, urlsplit(endpoint.local_url).port or 0):
        raise UsageError(
            "--forward-to is the address of this receiver itself",
            "Name your own receiver, or another --port.",
        )


def _check_folders(settings: Settings) -> None:
    """Raise UsageError if a folder to write to does not exist, or cannot be written to."""
    is_template = settings.out is not None and "{" in settings.out
    for option, folder in (("--out", None if is_template else settings.out), ("--save", settings.save)):
        if folder is None:
            continue
        if folder == "":
            raise UsageError(f"{option} is empty", "Name a folder; . is the current one.")
        if str(folder) == STANDARD_OUTPUT:
            raise UsageError(f"{option}: no file can go to standard output here", "Name a folder.")
        path = expand(str(folder), option)
        if not os.path.lexists(path):
            raise UsageError(f"{option}: there is no folder {path}", how_to_make(path))
        check_folder(path, option)
