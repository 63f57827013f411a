"""Room for a few at a time, in the order of their numbers."""

from __future__ import annotations

import asyncio
from heapq import heappop, heappush


class Turns:
    """A semaphore that lets in whoever has the lowest number, and not whoever has waited longest."""

    def __init__(self, size: int) -> None:
        self._free = size
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._count = 0

    async def enter(self, number: int) -> None:
        if self._free:
            self._free -= 1
            return
        self._count += 1
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heappush(self._waiting, (number, self._count, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self.leave()
            raise

    def is_first(self, number: int) -> bool:
        """Tell whether no lower number waits."""
        while self._waiting and self._waiting[0][2].done():
            heappop(self._waiting)
        return not self._waiting or number < self._waiting[0][0]

    def leave(self) -> None:
        """Let in the next one. Those who were cancelled meanwhile are passed over."""
        while self._waiting:
            turn = heappop(self._waiting)[2]
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
