"""How many files are downloaded at once, and by how many connections each."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class DownloadSlots:
    """At most `at_once` downloads, which share `most` connections."""

    def __init__(self, most: int, *, at_once: int) -> None:
        self._most = most
        self._room = asyncio.Semaphore(at_once)
        self._running = 0

    @property
    def connections(self) -> int:
        """How many connections each running download may have."""
        return max(1, self._most // max(1, self._running))

    @asynccontextmanager
    async def one(self) -> AsyncIterator[DownloadSlot]:
        """Wait for a slot, and hold it until the block is left."""
        slot = await self.take()
        try:
            yield slot
        finally:
            slot.end()

    async def take(self) -> DownloadSlot:
        """Wait for a slot. The caller ends it."""
        slot = DownloadSlot(self)
        await slot.begin()
        return slot

    async def begin(self) -> None:
        await self._room.acquire()
        self._running += 1

    def end(self) -> None:
        self._running -= 1
        self._room.release()


class DownloadSlot:
    """The slot that one download holds between its `begin` and its `end`."""

    def __init__(self, downloads: DownloadSlots) -> None:
        self._downloads = downloads
        self._has_begun = False

    async def begin(self) -> None:
        await self._downloads.begin()
        self._has_begun = True

    def end(self) -> None:
        """Give the slot to another download. Do nothing if that was done already."""
        if self._has_begun:
            self._has_begun = False
            self._downloads.end()

    async def pause(self, seconds: float) -> None:
        """Wait while another download has the slot."""
        self.end()
        await asyncio.sleep(seconds)
        await self.begin()
