"""What a conversion works with, and what the person decided."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from suno_wav_cli import download
    from suno_wav_cli.client import Client
    from suno_wav_cli.events import Report
    from suno_wav_cli.journal import Journal
    from suno_wav_cli.pacing import Backoff
    from suno_wav_cli.song_tags import Tagger
    from suno_wav_cli.submission import Submitter
    from suno_wav_cli.wake_ups import WakeUps

_DOWNLOADS_AT_ONCE = 4
"""More connections do not make a line faster; fewer leave it idle between two files."""


@dataclass(frozen=True)
class Terms:
    """What the person decided. Times in seconds.

    `piped` says that the one file goes to standard output, and `watched` that somebody sees what is said.
    """

    poll_interval: float
    timeout: float
    wait: bool = True
    force: bool = False
    piped: bool = False
    watched: bool = False
    in_flight: int = 20


class Downloads:
    """A few downloads at once, of which each is told how many connections it may have of the `most` for one."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._room = asyncio.Semaphore(_DOWNLOADS_AT_ONCE)
        self._running = 0

    @asynccontextmanager
    async def one(self) -> AsyncIterator[int]:
        async with self._room:
            self._running += 1
            try:
                yield max(1, self._most // self._running)
            finally:
                self._running -= 1


@dataclass(frozen=True)
class Workshop:
    """What the stories of a run share.

    `continue_with` makes the command line that finishes tasks; `patience` is for downloads that break off, `tagger` for
    files that shall have tags.
    """

    client: Client
    journal: Journal
    submitter: Submitter
    wake_ups: WakeUps
    downloads: Downloads
    download_terms: download.Terms
    patience: Backoff
    tagger: Tagger | None
    terms: Terms
    continue_with: Callable[[Sequence[str]], str]
    report: Report
