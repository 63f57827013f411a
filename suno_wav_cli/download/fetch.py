"""Bytes from the CDN to a `.part`: what is missing of it, checked, hashed, and safe on the disk."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from suno_wav_cli.download.digest import Digest
from suno_wav_cli.download.http import DownloadPolicy
from suno_wav_cli.download.part_file import disk_failed
from suno_wav_cli.download.transfer import Transfer
from suno_wav_cli.system.pacing import RateLimit
from suno_wav_cli.system.threads import start_in_thread

if TYPE_CHECKING:
    from collections.abc import Callable

    from suno_wav_cli.download.part_file import Part
    from suno_wav_cli.journal.holding import PartialFile

__all__ = ["DownloadPolicy", "RateLimit", "Transfer", "fetch", "settled"]

_TICK = 0.1
"""Seconds between two looks at how far the threads are."""

_SAFE_EVERY = 0.5
"""Seconds between two notes of what is safe on the disk: what a crash may cost."""

_SHARES = 8
"""Twice as many as there are downloads at once."""

_LAST_MOMENT = 0.5


async def fetch(
    transfer: Transfer,
    on_progress: Callable[[int, int | None], None],
    keep: Callable[[PartialFile, str], None],
) -> str:
    """Run the transfer in threads; the SHA-256 of the whole file, which is on the disk then.

    `on_progress(received, length)` is called ten times a second, `keep` with what a later run could continue from, and
    the evidence of it, each time when that is safe on the disk. Raises as Transfer.run. Cancelled, it stops the threads before it returns.
    """
    terms = transfer.terms
    digest = Digest(transfer.part.path, transfer.arrived)
    moved = start_in_thread(transfer.run, "download")
    hashed = start_in_thread(digest.run, "digest")
    keeping = asyncio.create_task(_keep_up(transfer, keep))
    speed = _Speed(terms)
    try:
        while not moved.done():
            await asyncio.wait([moved, keeping], timeout=_TICK, return_when=asyncio.FIRST_COMPLETED)
            if keeping.done():
                keeping.result()
            on_progress(transfer.received, transfer.length)
            if speed.too_low(transfer.received):
                transfer.stop(f"slower than {speed.least:,} bytes a second for {terms.stall_timeout:g} s")
        moved.result()
        digest.complete()
        await _keep(transfer, keep)
        return await hashed
    except BaseException as error:
        transfer.stop("stopped")
        await asyncio.wait([moved], timeout=_LAST_MOMENT)
        # The rest is a question of what the next run must fetch again: not worth a long wait.
        with suppress(OSError, TimeoutError):
            await asyncio.wait_for(_keep(transfer, keep), _LAST_MOMENT / 2)
        if isinstance(error, OSError):
            raise disk_failed(transfer.part.path, error) from error
        raise
    finally:
        digest.abandon()
        keeping.cancel()
        await asyncio.wait([hashed], timeout=_LAST_MOMENT)


async def settled(part: Part) -> str:
    """Put what was changed in a complete `.part` on the disk; its SHA-256. Raises OSError."""
    digest = Digest(part.path, lambda: part.size)
    digest.complete()
    await start_in_thread(part.sync, "sync")
    return await start_in_thread(digest.run, "digest")


async def _keep_up(transfer: Transfer, keep: Callable[[PartialFile, str], None]) -> None:
    """Never returns. Raises OSError where the disk fails."""
    kept = None
    while True:
        await asyncio.sleep(_SAFE_EVERY)
        if (holding := transfer.holding()) != kept:
            await _keep(transfer, keep)
            kept = holding


async def _keep(transfer: Transfer, keep: Callable[[PartialFile, str], None]) -> None:
    """Put what has come on the disk, and then say so."""
    holding = transfer.holding()
    if holding is None:
        await start_in_thread(transfer.part.sync, "sync")
    else:
        # In a thread, for either may wait for the disk.
        spans = holding.present()
        keep(holding, await start_in_thread(lambda: transfer.part.secured(spans), "sync"))


class _Speed:
    """Tells whether the last seconds brought less than they must."""

    def __init__(self, terms: DownloadPolicy) -> None:
        self._seconds = terms.stall_timeout
        # What was asked to be slow cannot be too slow: half of what each of several downloads gets of the rate.
        rate = terms.rate.rate
        self.least = terms.min_speed if rate is None else min(terms.min_speed, rate // _SHARES)
        self._seen: deque[tuple[float, int]] = deque()

    def too_low(self, received: int) -> bool:
        now = time.monotonic()
        self._seen.append((now, received))
        while len(self._seen) > 1 and now - self._seen[1][0] >= self._seconds:
            self._seen.popleft()
        begun, before = self._seen[0]
        return now - begun >= self._seconds and received - before < self.least * self._seconds
