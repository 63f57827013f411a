"""What follows a failed attempt at a download: decisions only."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

from suno_wav_cli.conversion.lookup_retry import Answers
from suno_wav_cli.errors import (
    AddressRefused,
    BrokenOff,
    DiskFull,
    NotAWholeWav,
    ServiceUnavailable,
    StartOver,
)
from suno_wav_cli.system.pacing import Backoff

if TYPE_CHECKING:
    from suno_wav_cli.errors import DownloadFailed, SunoWavError

_MOST_WASTED = 5
"""Attempts that fetched bytes in vain: each may have cost as much as the whole file."""

_FOR_ROOM = Backoff(retries=None, first=2.0, cap=60.0)


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One failed attempt: the bytes before it and after it, and whether connections shared it."""

    began_at: int
    received: int
    shared: bool


@dataclass(frozen=True, kw_only=True)
class Progress:
    """What all attempts together have come to.

    `received` is the most bytes that any attempt ended with, and `wasted` how many attempts fetched
    bytes without exceeding that. `refused` are the addresses that were. `is_address_fresh` means
    that the service was asked for a new address since the last progress. `pauses` counts them since
    the last progress, or in all if the retries are bounded. `lookups` are the answers to the lookups
    that should have named one.
    """

    received: int
    wasted: int = 0
    refused: frozenset[str] = frozenset()
    is_address_fresh: bool = False
    pauses: int = 0
    lookups: Answers = field(default_factory=Answers)

    def after(self, error: DownloadFailed, attempt: Attempt, backoff: Backoff) -> Progress:
        """Count a failed attempt."""
        if isinstance(error, DiskFull):
            return replace(self, received=max(self.received, attempt.received))
        if attempt.received > self.received and not isinstance(error, NotAWholeWav):
            return replace(
                self,
                received=attempt.received,
                is_address_fresh=False,
                pauses=0 if backoff.retries is None else self.pauses,
            )
        if attempt.received > attempt.began_at or isinstance(error, NotAWholeWav | StartOver):
            return replace(self, wasted=self.wasted + 1)
        return self


@dataclass(frozen=True, kw_only=True)
class Retry:
    """Go on from what has arrived, after a pause unless `at_once`."""

    at_once: bool


@dataclass(frozen=True, kw_only=True)
class Restart:
    """Discard what has arrived and start over, after a pause unless `at_once`.

    With `refresh` the service is asked for a fresh address: some servers answer 200 with a page of
    their own when one has expired.
    """

    at_once: bool
    refresh: bool = False


@dataclass(frozen=True, kw_only=True)
class Refresh:
    """Ask the service for a fresh address, and go on from what has arrived."""


@dataclass(frozen=True, kw_only=True)
class GiveUp:
    """Fail, and discard what has arrived if that is of no use to another run."""

    discard: bool = False


Step: TypeAlias = Retry | Restart | Refresh | GiveUp


def next_step(error: DownloadFailed, progress: Progress, attempt: Attempt) -> Step:
    """Decide what follows `attempt`, which `progress` counts already."""
    if isinstance(error, NotAWholeWav) and progress.wasted > 1:
        return GiveUp(discard=True)
    if isinstance(error, DiskFull):
        return Retry(at_once=False)
    if not isinstance(error, BrokenOff | AddressRefused | NotAWholeWav):
        return GiveUp()
    # Several connections may be the trouble: first try with one, unless the server asks for a pause.
    at_once = attempt.shared and not (isinstance(error, BrokenOff) and error.retry_after)
    if isinstance(error, NotAWholeWav | StartOver):
        refresh = isinstance(error, NotAWholeWav) and not progress.is_address_fresh
        return Restart(at_once=at_once, refresh=refresh)
    if isinstance(error, AddressRefused) and not attempt.shared:
        return GiveUp() if progress.is_address_fresh else Refresh()
    return Retry(at_once=at_once)


def next_pause(
    error: SunoWavError, progress: Progress, backoff: Backoff, seconds_left: float
) -> float | None:
    """Return the seconds to wait before the next attempt, or None if there is to be none.

    Room on the disk is waited for as long as there is time, whatever the retries.
    """
    delays = (_FOR_ROOM if isinstance(error, DiskFull) else backoff).delays()
    delay = next(islice(delays, progress.pauses, None), None)
    if delay is None or (progress.wasted > _MOST_WASTED and not isinstance(error, DiskFull)):
        return None
    if isinstance(error, BrokenOff | ServiceUnavailable):
        delay = max(delay, error.retry_after or 0.0)
    return delay if delay <= seconds_left else None
