"""What every step of a command works with: opened once, inside the command's one event loop."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from suno_wav_cli.api.providers import get_provider
from suno_wav_cli.callbacks.tunnel.agent_folder import end_orphans
from suno_wav_cli.config.api_key import find_api_key, require_key
from suno_wav_cli.config.settings import base_url_of, is_own_sandbox, service_of
from suno_wav_cli.conversion.api_client import make_client
from suno_wav_cli.conversion.download_slots import DownloadSlots
from suno_wav_cli.conversion.early_end import early_end
from suno_wav_cli.conversion.follow_up import check_follow_up, follow_up_options, open_follow_up
from suno_wav_cli.conversion.ids import typed_task
from suno_wav_cli.conversion.poller import Poller
from suno_wav_cli.conversion.resume_hint import command_for
from suno_wav_cli.conversion.room import DiskRoom
from suno_wav_cli.conversion.stdout import STANDARD_OUTPUT, check_standard_output
from suno_wav_cli.conversion.targets import NamesInUse, names_other_format
from suno_wav_cli.conversion.track_lookup import TrackLookup
from suno_wav_cli.download import fetch as download
from suno_wav_cli.download.part_file import remove_old_parts
from suno_wav_cli.errors import UsageError
from suno_wav_cli.events.commands import SandboxStarted
from suno_wav_cli.events.follow_up import StoreUnconditional
from suno_wav_cli.events.payments import JournalRestored, WavNamedOtherwise
from suno_wav_cli.journal import open_journal
from suno_wav_cli.journal.entry import Account
from suno_wav_cli.remote.address import is_remote, is_remote_out
from suno_wav_cli.remote.stores import ObjectStores, check_stores_possible
from suno_wav_cli.system.look import is_absent
from suno_wav_cli.system.loopback import address_of, bind_socket, is_loopback
from suno_wav_cli.system.pacing import Backoff
from suno_wav_cli.system.private_files import make_folder
from suno_wav_cli.system.private_hosts import is_private_service
from suno_wav_cli.system.tls import make_tls_context

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Iterator, Sequence
    from pathlib import Path

    from suno_wav_cli.api.client import Client
    from suno_wav_cli.config.run import Run
    from suno_wav_cli.config.settings import Settings
    from suno_wav_cli.conversion.follow_up import FollowUp
    from suno_wav_cli.conversion.tagger import Tagger
    from suno_wav_cli.events import Report
    from suno_wav_cli.journal import Journal


@dataclass(frozen=True, kw_only=True)
class ConversionContext:
    """`api` is None if there is no key, which only `--dry-run` allows.

    `spool` is the folder for a song on its way to standard output. `tagger` is None unless the
    files get tags. `service` is the name by which the
    journal knows the service. With `watch`, each change
    of a task's state is reported. `songs` are the audio ids that this run was given, and `names` those
    that songs have. `room` is what the running downloads share.
    """

    run: Run
    service: str
    journal: Journal
    api: Client | None
    poller: Poller
    downloads: DownloadSlots
    download_terms: download.DownloadPolicy
    download_backoff: Backoff
    tagger: Tagger | None
    follow_up: FollowUp
    stores: ObjectStores
    spool: Path
    names: NamesInUse
    room: DiskRoom
    watch: bool = False
    songs: set[str] = field(default_factory=set)

    @property
    def settings(self) -> Settings:
        return self.run.settings

    @property
    def report(self) -> Report:
        return self.run.report

    @property
    def client(self) -> Client:
        """The API's client. Raise NotAuthorized if there is no key."""
        if self.api is None:
            require_key(self.run, None)
        return cast("Client", self.api)

    @property
    def piped(self) -> bool:
        """Whether the one song goes to standard output."""
        return self.settings.out == STANDARD_OUTPUT

    def local_file(self, name: str, target: Path) -> Path:
        """Return where a song's file is made: its target, or a file in the spool if that is an object."""
        return self.spool / f"{name}.wav" if is_remote(target) else target

    @property
    def draws_levels(self) -> bool:
        """Whether a saved song is drawn. Of many, each has one line."""
        return self.run.interactive and len(self.songs) <= 1

    def owns(self, target: Path) -> bool:
        """Tell whether a part file beside `target` was left by an earlier run."""
        return target.parent == self.spool or self.journal.has_target(target)

    def continue_argv(self, ids: Sequence[str], *options: str) -> tuple[str, ...]:
        """Return the command that finishes these tasks or songs.

        A task whose id cannot be typed is named by its song or as the last one, or else not at all:
        then the command finishes all that is unfinished.
        """
        names = [typed_task(id_, self.journal, self.service) for id_ in ids]
        typed = [] if None in names else [name for name in names if name]
        again = ["--force"] if self.settings.force else []
        again += ["--tag"] if self.settings.tag else []
        again += follow_up_options(self.settings)
        again += ["--allow-private-hosts"] if self.settings.allow_private_hosts else []
        again += ["--out", STANDARD_OUTPUT] if self.piped else []
        return command_for(self.run.service_options, "resume", typed, *options, *again)


@asynccontextmanager
async def open_context(
    run: Run, *, dry_run: bool = False, watch: bool = False
) -> AsyncIterator[ConversionContext]:
    """Start the sandbox if it is asked for, and open the journal and the API's client.

    A dry run needs no key, and makes no journal. A command that ends early leaves with the command
    that continues its unfinished tasks. Raise UsageError, and NotAuthorized if there is no key.
    """
    settings = run.settings
    key = find_api_key(run)
    if not dry_run:
        require_key(run, key)
    spool = run.paths.spool
    _check_output(settings)
    if not dry_run and (is_remote_out(settings.out) or settings.out == STANDARD_OUTPUT):
        make_spool(spool)
        remove_old_parts(spool)
    if settings.out is not None and names_other_format(settings.out):
        run.report(WavNamedOtherwise(out=settings.out))
    end_orphans(run.paths.agents)
    async with AsyncExitStack() as stack:
        base_url = stack.enter_context(open_service(run))

        def tasks_of_run() -> tuple[str, ...]:
            return tuple(entry.wav_task_id or "" for entry in journal.unfinished())

        journal = stack.enter_context(
            open_journal(
                _journal_path(run, dry_run=dry_run),
                _account(settings),
                lambda path: run.report(JournalRestored(path=path, task_ids=tasks_of_run())),
            )
        )
        tls = make_tls_context(base_url)
        client = None
        if key is not None:
            client = await stack.enter_async_context(make_client(run, base_url, key, tls))
        policy = _download_policy(settings, tls, base_url)
        tagger, tracks = None, None
        if client is not None:
            tracks = TrackLookup(client, journal.history)
            if settings.tag:
                from suno_wav_cli.conversion.tagger import Tagger

                tagger = Tagger(tracks, journal.history, policy, run.report)
        stores = ObjectStores(
            run.upload_limits,
            seconds=settings.timeout,
            on_unconditional=lambda bucket: run.report(StoreUnconditional(bucket=bucket)),
        )
        follow_up = await stack.enter_async_context(open_follow_up(run, journal, stores, tracks))
        context = ConversionContext(
            run=run,
            service=service_of(settings),
            journal=journal,
            api=client,
            poller=Poller(settings, run.wait_limits, run.report),
            downloads=DownloadSlots(settings.connections, at_once=settings.jobs),
            download_terms=policy,
            download_backoff=Backoff(retries=settings.retries),
            tagger=tagger,
            follow_up=follow_up,
            stores=stores,
            spool=spool,
            names=NamesInUse(journal.history),
            room=DiskRoom(settings.timeout),
            watch=watch,
        )
        with early_end(lambda: _hint(context)):
            yield context


@contextmanager
def open_service(run: Run) -> Iterator[str]:
    """Yield the service's address. Start the sandbox if this run has its own. Raise UsageError."""
    if not is_own_sandbox(run.settings):
        yield base_url_of(run.settings)
        return
    from suno_wav_cli.sandbox import run_sandbox

    with bind_socket(0) as bound, run_sandbox(bound, tasks=run.paths.sandbox_tasks):
        base_url = address_of(bound)
        run.report(SandboxStarted(base_url=base_url))
        yield base_url


def _hint(context: ConversionContext) -> tuple[str, ...] | None:
    """Return the command that finishes what this run has begun, or None if that is nothing."""
    # A journal that cannot be read any more must not hide why the command ends.
    with suppress(UsageError):
        task_ids = [entry.wav_task_id or "" for entry in context.journal.unfinished()]
        return context.continue_argv(task_ids) if task_ids else None
    return None


def _check_output(settings: Settings) -> None:
    """Raise UsageError, before anything is paid for, if the files cannot become what is asked for."""
    if settings.tag:
        from suno_wav_cli.wav.write_tags import check_tagging_possible

        check_tagging_possible()
    check_follow_up(settings)
    if is_remote_out(settings.out):
        check_stores_possible()
    if settings.out == STANDARD_OUTPUT:
        check_standard_output(json=settings.json)


def make_spool(spool: Path) -> None:
    """Make the folder for songs that do not stay on this machine. Raise UsageError."""
    try:
        make_folder(spool)
    except OSError as error:
        raise UsageError(
            f"{spool} cannot be used: {error.strerror}",
            "A song is kept there until it is whole. Name another folder: SUNO_WAV_HOME=FOLDER",
        ) from error


def _journal_path(run: Run, *, dry_run: bool) -> Path | None:
    """Return where the journal is. None keeps it in memory."""
    path = run.journal_path
    return None if dry_run and is_absent(path) else path


def _account(settings: Settings) -> Account:
    kept_days = get_provider(settings.provider).retention_days
    return Account(base_url=service_of(settings), provider=settings.provider, kept_days=kept_days)


def _download_policy(settings: Settings, tls: ssl.SSLContext, base_url: str) -> download.DownloadPolicy:
    return download.DownloadPolicy(
        tls=tls,
        local=is_loopback(base_url),
        private_hosts=settings.allow_private_hosts or is_private_service(base_url),
        rate=download.RateLimit(settings.limit_rate),
        max_size=settings.max_size,
        min_speed=settings.min_speed,
        stall_timeout=settings.stall_timeout,
        timeout=settings.timeout,
    )
