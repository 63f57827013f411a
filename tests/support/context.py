"""A context of a test's own, whose songs are downloaded in this process from a sandbox's CDN."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from suno_wav_cli.api.client import Client
from suno_wav_cli.api.providers import get_provider
from suno_wav_cli.config.credentials import Secrets
from suno_wav_cli.config.run import Run as ProgramRun
from suno_wav_cli.config.settings import Settings
from suno_wav_cli.config.wait_limits import WaitLimits
from suno_wav_cli.conversion.context import ConversionContext
from suno_wav_cli.conversion.download_slots import DownloadSlots
from suno_wav_cli.conversion.follow_up import FollowUp
from suno_wav_cli.conversion.poller import Poller
from suno_wav_cli.conversion.room import DiskRoom
from suno_wav_cli.conversion.save import save
from suno_wav_cli.conversion.targets import NamesInUse
from suno_wav_cli.download import fetch as download
from suno_wav_cli.errors import SunoWavError
from suno_wav_cli.journal import open_journal
from suno_wav_cli.journal.entry import Account, State
from suno_wav_cli.models import Secret
from suno_wav_cli.remote.limits import UploadLimits
from suno_wav_cli.remote.stores import ObjectStores
from suno_wav_cli.sandbox.cdn.melody import Layout, make_melody
from suno_wav_cli.sandbox.demo_ids import choose_behaviour
from suno_wav_cli.system.pacing import Backoff
from tests.support.event_log import EventLog

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from contextlib import AbstractAsyncContextManager

    from suno_wav_cli.journal import Journal
    from suno_wav_cli.journal.entry import JournalEntry
    from suno_wav_cli.sandbox.cdn.melody import Layout
    from tests.support.account import SandboxAccount

E = TypeVar("E")

TLS = ssl.create_default_context()
TARGET = Path("song.wav")
PART = Path("song.wav.part")
QUICK = Backoff(retries=None, first=0.01, cap=0.05)
"""As many retries as the program makes, with short pauses."""

WISHES = download.DownloadPolicy(
    tls=TLS,
    local=True,
    private_hosts=True,
    rate=download.RateLimit(None),
    max_size=1 << 32,
    min_speed=1,
    stall_timeout=20.0,
    # The CDN on this machine is always fast: split the file all the same.
    fast_enough=None,
)


def file_of(audio_id: str, version: int = 0) -> bytes:
    """Give the file that the CDN has after `version` changes."""
    return _file(choose_behaviour(audio_id).layout, version)


@lru_cache(maxsize=4)
def _file(layout: Layout, version: int) -> bytes:
    wav, content = make_melody(layout, version), bytearray()
    while len(content) < wav.length:
        content += wav.read(len(content), wav.length)
    return bytes(content)


@dataclass(frozen=True)
class Run:
    """The events of one run, and the error if there is no file."""

    events: EventLog = field(default_factory=EventLog)
    error: SunoWavError | None = None

    def of(self, kind: type[E]) -> list[E]:
        """Return the events of one class."""
        return self.events.of(kind)


@dataclass(frozen=True)
class Customer:
    """Submits songs and saves them as `song.wav` in the test's folder."""

    account: SandboxAccount
    journal: Journal

    def order(self, audio_id: str) -> JournalEntry:
        """Submit a song. Return its journal entry, ready to be saved."""
        task_id = self.account.task(audio_id)
        url = self.account.wait_for_url(task_id)
        return self.journal.move(
            self.journal.adopt(task_id, audio_id, TARGET), State.READY, target=TARGET, wav_url=url
        )

    def save(
        self,
        entry: JournalEntry,
        wishes: download.DownloadPolicy = WISHES,
        *,
        connections: int = 1,
        download_backoff: Backoff = QUICK,
        seconds: float = 30.0,
        service: str | None = None,
    ) -> Run:
        """Download the song in an event loop of its own, for at most so many seconds.

        `service` is the address of the API, if not the account's.
        """
        service = service or str(self.account.http.base_url).rstrip("/")
        return asyncio.run(
            self._saved(
                entry,
                wishes,
                DownloadSlots(connections, at_once=4),
                download_backoff,
                seconds=seconds,
                service=service,
            )
        )

    async def _saved(
        self,
        entry: JournalEntry,
        wishes: download.DownloadPolicy,
        downloads: DownloadSlots,
        download_backoff: Backoff,
        *,
        seconds: float,
        service: str,
    ) -> Run:
        run = Run()
        async with self._context(
            run, wishes, downloads, download_backoff, seconds=seconds, service=service
        ) as context:
            try:
                async with downloads.one() as slot:
                    await save(entry, entry.wav_url or "", TARGET, context, slot)
            except SunoWavError as error:
                return replace(run, error=error)
        return run

    @asynccontextmanager
    async def _context(
        self,
        run: Run,
        wishes: download.DownloadPolicy,
        downloads: DownloadSlots,
        download_backoff: Backoff,
        *,
        seconds: float,
        service: str,
    ) -> AsyncIterator[ConversionContext]:
        once = Backoff(retries=0)
        async with Client(get_provider("sandbox"), service, Secret(value="any"), TLS, once) as client:
            program_run = ProgramRun(
                settings=Settings(provider="sandbox", base_url=service, timeout=seconds),
                choices=(),
                secrets=Secrets(api_key=None, ngrok_token=None, hmac_key=None),
                environ={},
                report=run.events.append,
                interactive=False,
            )
            stores = ObjectStores(UploadLimits(), seconds=seconds, on_unconditional=print)
            yield ConversionContext(
                run=program_run,
                service=service,
                journal=self.journal,
                api=client,
                poller=Poller(Settings(), WaitLimits(), run.events.append),
                downloads=downloads,
                download_terms=wishes,
                download_backoff=download_backoff,
                tagger=None,
                follow_up=FollowUp(program_run, self.journal, stores, None, None),
                stores=stores,
                spool=Path("piped"),
                names=NamesInUse(self.journal.history),
                room=DiskRoom(seconds),
            )

    def waiting(self) -> AbstractAsyncContextManager[ConversionContext]:
        """Open a context in which songs can wait."""
        service = str(self.account.http.base_url).rstrip("/")
        return self._context(Run(), WISHES, DownloadSlots(1, at_once=4), QUICK, seconds=30.0, service=service)


@contextmanager
def a_customer(account: SandboxAccount) -> Iterator[Customer]:
    """Open a journal, and close it at the end of the block."""
    base_url = str(account.http.base_url).rstrip("/")
    with open_journal(None, Account(base_url=base_url, provider="sandbox", kept_days=15)) as journal:
        yield Customer(account=account, journal=journal)
