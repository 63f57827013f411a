"""What a command needs to talk with a service: opened before the event loop starts, closed after it has ended."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from suno_wav_cli import events
from suno_wav_cli.api.client import Client
from suno_wav_cli.api.pricing import count_wavs
from suno_wav_cli.api.providers import get_provider
from suno_wav_cli.callbacks.endpoint import is_required, open_reception
from suno_wav_cli.callbacks.notifications import receive_notifications
from suno_wav_cli.callbacks.task_notifier import TaskNotifier
from suno_wav_cli.config.credentials import find_api_key, require_key
from suno_wav_cli.config.settings import base_url_of, is_own_sandbox
from suno_wav_cli.conversion.context import ConversionContext, ConversionOptions, DownloadSlots
from suno_wav_cli.conversion.resume_hint import command_for
from suno_wav_cli.conversion.stdout import STANDARD_OUTPUT, check_standard_output, remove_old_parts
from suno_wav_cli.conversion.submit import SubmissionGate, Submitter
from suno_wav_cli.conversion.tagger import Tagger
from suno_wav_cli.conversion.upstream import open_upstream
from suno_wav_cli.download import fetch as download
from suno_wav_cli.download.fetch import RateLimit
from suno_wav_cli.errors import TunnelFailed, UsageError
from suno_wav_cli.journal import open_journal
from suno_wav_cli.journal.entry import Account
from suno_wav_cli.models import TunnelMode
from suno_wav_cli.system.loopback import is_loopback
from suno_wav_cli.system.pacing import Backoff, RateWindow
from suno_wav_cli.system.signals import Stopped
from suno_wav_cli.system.tls import make_tls_context
from suno_wav_cli.wav import check_tagging_possible

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from decimal import Decimal
    from pathlib import Path

    from suno_wav_cli.callbacks.endpoint import CallbackEndpoint
    from suno_wav_cli.config.credentials import Secrets
    from suno_wav_cli.config.run import Run
    from suno_wav_cli.config.settings import Settings
    from suno_wav_cli.events import Event, Report
    from suno_wav_cli.journal import Journal
    from suno_wav_cli.models import Secret


@dataclass(frozen=True, kw_only=True)
class Session:
    """`key` is None only where the session was opened to look at what would be done.

    `spool` is the folder for a song on its way to standard output; `watched` says that somebody sees what is said.
    """

    settings: Settings
    secrets: Secrets
    base_url: str
    key: Secret | None
    service_ends_with_us: bool
    journal: Journal
    agents: Path
    spool: Path
    report: Report
    interactive: bool

    def owns(self, target: Path) -> bool:
        """Tell whether a `.part` beside `target` is one that an earlier run has left."""
        return target.parent == self.spool or self.journal.has_target(target)

    def continue_with(self, ids: Sequence[str], *options: str) -> str:
        """Make the command line that finishes these tasks, or songs."""
        if self.service_ends_with_us:
            return "run the same command again (the sandbox ends with this program)"
        settings = self.settings
        again = ["--force"] if settings.force else []
        again += ["--tag"] if settings.tag else []
        again += ["--out", STANDARD_OUTPUT] if settings.out == STANDARD_OUTPUT else []
        return command_for(settings.provider, self.base_url, "resume", ids, *options, *again)


@contextmanager
def open_session(
    run: Run,
    *,
    only_looking: bool = False,
) -> Iterator[Session]:
    """Start the sandbox where it is asked for, and open the journal.

    With `only_looking` it does without a key, and makes no journal where there is none.

    Stopped leaves with the line that finishes what was begun, and a bug with a note of it. Raises UsageError, and
    NotAuthorized where there is no key.
    """
    settings, environ, report = run.settings, run.environ, run.report
    key = find_api_key(run.secrets, settings, environ)
    if not only_looking:
        require_key(key, base_url_of(settings))
    spool = run.paths.spool
    _check_wishes(settings, spool)
    own_sandbox = is_own_sandbox(settings)
    unfinished: dict[str, None] = {}

    def remembering_report(event: Event) -> None:
        if isinstance(event, events.Submitted | events.Resumed):
            unfinished[event.task_id] = None
        elif isinstance(event, events.Saved) or (isinstance(event, events.SongFailed) and event.task_id):
            unfinished.pop(event.task_id or "", None)
        report(event)

    with ExitStack() as stack:
        base_url = stack.enter_context(open_upstream(settings, report))
        file = run.paths.journal
        # What the journal would remember of a service that ends with the program is of no use to the next run.
        in_memory = own_sandbox or (only_looking and not file.exists())
        service = Account(
            base_url=base_url,
            provider=settings.provider,
            kept_days=get_provider(settings.provider).retention_days,
        )
        journal = stack.enter_context(open_journal(None if in_memory else file, service))
        agents = run.paths.agents
        session = Session(
            settings=settings,
            secrets=run.secrets,
            base_url=base_url,
            key=key,
            service_ends_with_us=own_sandbox,
            journal=journal,
            agents=agents,
            spool=spool,
            report=remembering_report,
            interactive=run.interactive,
        )
        try:
            yield session
        except Stopped as stop:
            if unfinished and not own_sandbox:
                stop.continue_with = session.continue_with([*unfinished])
            raise
        except Exception as bug:
            if unfinished:
                bug.add_note(f"To continue: {session.continue_with([*unfinished])}")
            raise


def _check_wishes(settings: Settings, spool: Path) -> None:
    """Raise UsageError, before anything is paid for, where the file cannot become what is wished."""
    if settings.tag:
        check_tagging_possible()
    if settings.out == STANDARD_OUTPUT:
        check_standard_output(json=settings.json)
        try:
            spool.mkdir(mode=0o700, parents=True, exist_ok=True)
            remove_old_parts(spool)
        except OSError as error:
            raise UsageError(
                f"{spool} cannot be used: {error.strerror}",
                "A song is kept there until it is whole. Name another folder: SUNO_WAV_HOME=FOLDER",
            ) from error


@contextmanager
def open_way_back(session: Session) -> Iterator[CallbackEndpoint | None]:
    """Open the receiver's socket; None, with the reason reported, where the program polls.

    Raises TunnelFailed where the person asked for a way that cannot be opened, and UsageError.
    """
    settings = session.settings
    with ExitStack() as stack:
        reception, reason = None, None
        try:
            if settings.callback_url is None and (
                is_required(settings) or settings.tunnel is not TunnelMode.NONE
            ):
                reception = stack.enter_context(
                    open_reception(settings, session.secrets, session.agents, port=settings.port or 0)
                )
        except TunnelFailed as error:
            if is_required(settings):
                raise
            reason = error.message
        if reception is None:
            session.report(events.Ready(public_url=None, poll_interval=settings.poll_interval, reason=reason))
        yield reception


@asynccontextmanager
async def open_workshop(
    session: Session,
    reception: CallbackEndpoint | None,
    *,
    wait: bool = True,
    resubmit: bool = False,
    balance: Decimal | None = None,
) -> AsyncIterator[ConversionContext]:
    """Connect the parts, inside the event loop.

    `wait`, `resubmit`, and the account's balance where it was asked for, are for what is submitted there.
    """
    settings = session.settings
    cap = settings.max_credits
    tls = make_tls_context(session.base_url)
    backoff = Backoff(retries=settings.lookup_retries)
    wake_ups = TaskNotifier()
    hidden = [] if reception is None else [reception.path]
    async with AsyncExitStack() as stack:
        callback_url = asyncio.get_running_loop().create_future()
        if reception is None:
            callback_url.set_result(settings.callback_url)
        else:
            callback_url = await stack.enter_async_context(
                receive_notifications(reception, wake_ups, tls, settings.poll_interval, session.report)
            )
            if reception.required:
                await callback_url
        client = await stack.enter_async_context(
            Client(
                get_provider(settings.provider),
                session.base_url,
                require_key(session.key, session.base_url),
                tls,
                backoff,
                hidden=hidden,
            )
        )
        local = is_loopback(session.base_url)
        tagger = Tagger(client, session.journal.history, tls, local=local, report=session.report)
        yield ConversionContext(
            client=client,
            journal=session.journal,
            submitter=Submitter(
                client=client,
                journal=session.journal,
                gate=SubmissionGate(window=RateWindow(), allowance=None if cap is None else count_wavs(cap)),
                backoff=backoff,
                callback_url=callback_url,
                resubmit=resubmit,
                balance=balance,
                continue_with=session.continue_with,
                report=session.report,
            ),
            wake_ups=wake_ups,
            downloads=DownloadSlots(settings.connections),
            download_terms=download.DownloadPolicy(
                tls=tls,
                local=local,
                rate=RateLimit(settings.limit_rate),
                max_size=settings.max_size,
                min_speed=settings.min_speed,
                stall_timeout=settings.stall_timeout,
            ),
            download_backoff=Backoff(retries=settings.retries),
            tagger=tagger if settings.tag else None,
            terms=ConversionOptions(
                poll_interval=settings.poll_interval,
                timeout=settings.timeout,
                wait=wait,
                force=settings.force,
                piped=settings.out == STANDARD_OUTPUT,
                interactive=session.interactive,
                in_flight=settings.jobs,
            ),
            continue_with=session.continue_with,
            report=session.report,
        )
