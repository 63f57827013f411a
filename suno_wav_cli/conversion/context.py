"""What a conversion works with, and what the person decided."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from suno_wav_cli.api.client import Client
    from suno_wav_cli.callbacks.notifications import TaskNotifier
    from suno_wav_cli.conversion.submit import Submitter
    from suno_wav_cli.conversion.tagger import Tagger
    from suno_wav_cli.download import fetch as download
    from suno_wav_cli.events import Report
    from suno_wav_cli.journal import Journal
    from suno_wav_cli.system.pacing import Backoff

_DOWNLOADS_AT_ONCE = 4
"""More connections do not make a line faster; fewer leave it idle between two files."""


@dataclass(frozen=True, kw_only=True)
class ConversionOptions:
    """What the person decided. Times in seconds.

    `piped` says that the one file goes to standard output, and `watched` that somebody sees what is said.
    """

    poll_interval: float
    timeout: float
    wait: bool = True
    force: bool = False
    piped: bool = False
    interactive: bool = False
    in_flight: int = 20


class DownloadSlots:
    """A few downloads at once, of which each may have a share of the `most` connections for one."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._room = asyncio.Semaphore(_DOWNLOADS_AT_ONCE)
        self._running = 0

    @property
    def connections(self) -> int:
        """How many connections each of those that run now may have."""
        return max(1, self._most // max(1, self._running))

    @asynccontextmanager
    async def one(self) -> AsyncIterator[DownloadSlot]:
        turn = DownloadSlot(self)
        await turn.begin()
        try:
            yield turn
        finally:
            turn.end()

    async def begin(self) -> None:
        await self._room.acquire()
        self._running += 1

    def end(self) -> None:
        self._running -= 1
        self._room.release()


class DownloadSlot:
    """A download's turn among the others."""

    def __init__(self, downloads: DownloadSlots) -> None:
        self._downloads = downloads
        self._has_begun = False

    async def begin(self) -> None:
        await self._downloads.begin()
        self._has_begun = True

    def end(self) -> None:
        """Let another one have it; nothing where that was done already."""
        if self._has_begun:
            self._has_begun = False
            self._downloads.end()

    async def pause(self, seconds: float) -> None:
        """Wait, while another one has it."""
        self.end()
        await asyncio.sleep(seconds)
        await self.begin()


@dataclass(frozen=True, kw_only=True)
class ConversionContext:
    """What the stories of a run share.

    `continue_with` makes the command line that finishes tasks; `patience` is for downloads that break off, `tagger` for
    files that shall have tags.
    """

    client: Client
    journal: Journal
    submitter: Submitter
    wake_ups: TaskNotifier
    downloads: DownloadSlots
    download_terms: download.DownloadPolicy
    download_backoff: Backoff
    tagger: Tagger | None
    terms: ConversionOptions
    continue_with: Callable[[Sequence[str]], str]
    report: Report
