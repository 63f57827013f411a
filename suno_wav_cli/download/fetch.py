"""A transfer run beside the event loop: its progress, its speed, its hash, and what survives it."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from suno_wav_cli.download.digest import Digest
from suno_wav_cli.download.http import DownloadPolicy
from suno_wav_cli.download.pace import SpeedCheck, longest_seconds
from suno_wav_cli.download.part_file import disk_error
from suno_wav_cli.download.transfer import Transfer
from suno_wav_cli.errors import BrokenOff, OutOfTime
from suno_wav_cli.system.pacing import RateLimit
from suno_wav_cli.system.threads import start_in_thread

if TYPE_CHECKING:
    from collections.abc import Callable

    from suno_wav_cli.download.part_file import PartFile
    from suno_wav_cli.journal.parts import PartialFile

__all__ = ["DownloadPolicy", "FetchTimes", "RateLimit", "Transfer", "fetch", "sync_and_hash"]


@dataclass(frozen=True, kw_only=True)
class FetchTimes:
    """How often a fetch does what, and how long its end may take, in seconds.

    `progress` lies between two reports, and `note` between two notes of what is safe on the disk,
    which is what a crash may cost. A cancelled fetch waits `last_note` for a slow disk, and
    `thread_end` for its threads.
    """

    progress: float = 0.1
    note: float = 0.5
    last_note: float = 10.0
    thread_end: float = 0.5


async def fetch(
    transfer: Transfer,
    on_progress: Callable[[int, int | None], None],
    keep: Callable[[PartialFile, str], None],
    times: FetchTimes = FetchTimes(),
    *,
    since: float | None = None,
) -> str:
    """Run the transfer in threads. Return the SHA-256 of the whole file, which is safe on the disk.

    `on_progress(received, length)` is called at every tick. `keep` is called with what a later run
    can continue from, and its fingerprint, each time after that is safe on the disk; also if the
    fetch fails or is cancelled. `since` is when the first attempt at this file began, in seconds of
    the monotonic clock. Raise as Transfer.run, and OutOfTime.
    """
    begun = time.monotonic() if since is None else since
    # Each attempt may be short, if a server cuts again and again.
    if late := _find_late(transfer, begun):
        raise late
    segments = transfer.segments
    digest = Digest(transfer.part.path, segments.arrived)
    notes = _Notes(transfer, keep)
    moved = start_in_thread(transfer.run, "download")
    hashed = start_in_thread(digest.run, "digest")
    noting = asyncio.create_task(notes.take_every(times.note))
    speed = SpeedCheck(transfer.policy)
    try:
        while not moved.done():
            await asyncio.wait([moved, noting], timeout=times.progress, return_when=asyncio.FIRST_COMPLETED)
            if noting.done():
                noting.result()
            on_progress(segments.received, segments.length)
            if speed.is_too_low(segments.received):
                transfer.stop(
                    BrokenOff(f"slower than {speed.least:,} bytes a second for {speed.seconds:g} s")
                )
            if late := _find_late(transfer, begun):
                transfer.stop(late)
        moved.result()
        digest.complete()
        await notes.take_last()
        return await hashed
    except BaseException as error:
        transfer.stop(BrokenOff("stopped"))
        await asyncio.wait([moved], timeout=times.thread_end)
        # What has arrived must not be fetched again, however slow the disk is. Only a person who
        # stops the program is not kept waiting for long.
        limit = times.last_note if isinstance(error, asyncio.CancelledError) else None
        with suppress(OSError, TimeoutError):
            await asyncio.wait_for(notes.take(), limit)
        if isinstance(error, OSError):
            raise disk_error(transfer.part.path, error) from error
        raise
    finally:
        digest.abandon()
        noting.cancel()
        await asyncio.wait([hashed], timeout=times.thread_end)


async def sync_and_hash(part: PartFile) -> str:
    """Store a complete part file on the disk for good. Return its SHA-256. Raise OSError."""
    digest = Digest(part.path, lambda: part.size)
    digest.complete()
    await start_in_thread(part.sync, "sync")
    return await start_in_thread(digest.run, "digest")


def _find_late(transfer: Transfer, begun: float) -> OutOfTime | None:
    segments = transfer.segments
    longest = longest_seconds(segments.length, transfer.policy)
    if time.monotonic() - begun <= longest:
        return None
    return OutOfTime(
        f"the file's server is too slow: {segments.received:,} bytes within {longest:,.0f} s",
        "To allow more time, add --timeout.",
    )


class _Notes:
    """Notes of what is safe on the disk, for another run to continue from.

    One at a time: two syncs at once are no faster, and the note of a sync that has begun is never
    dropped in favour of a later one.
    """

    def __init__(self, transfer: Transfer, keep: Callable[[PartialFile, str], None]) -> None:
        self._transfer = transfer
        self._keep = keep
        self._kept: PartialFile | None = None
        self._lock = asyncio.Lock()

    async def take_every(self, seconds: float) -> None:
        """Take notes until cancelled. Raise OSError if the disk fails."""
        while True:
            await asyncio.sleep(seconds)
            await self.take()

    async def take(self) -> None:
        """Sync the part file, and note what had been written before. Raise OSError."""
        async with self._lock:
            partial = self._transfer.segments.partial_file()
            if partial is None or partial == self._kept:
                return
            part, present = self._transfer.part, partial.present

            def sync_and_fingerprint() -> str:
                part.sync()
                return part.fingerprint(present)

            # In a thread, because both may wait for the disk.
            self._keep(partial, await start_in_thread(sync_and_fingerprint, "sync"))
            self._kept = partial

    async def take_last(self) -> None:
        """Sync the complete file, also if it could not be continued. Raise OSError."""
        if self._transfer.segments.partial_file() is None:
            await start_in_thread(self._transfer.part.sync, "sync")
        else:
            await self.take()
