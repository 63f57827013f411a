"""Many songs side by side. A song that waits, for the service or for its download, has no coroutine."""

from __future__ import annotations

import asyncio
from collections import deque
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from suno_wav_cli.conversion.download_slots import DownloadSlot

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from suno_wav_cli.conversion.download_slots import DownloadSlots

T = TypeVar("T")

_BEGINNING = 64
"""Songs between their start and the answer to their submission, or with their turn to come."""


class Rest(Protocol):
    """What is left to do for a song: `finish`, once the service has `decided`.

    It gets a slot for the download. Where the service has failed the song, the slot is not begun.
    """

    @property
    def decided(self) -> asyncio.Future[Any]: ...

    def finish(self, slot: DownloadSlot) -> Coroutine[Any, Any, Any]: ...


async def run_all(
    begin: Callable[[T], Coroutine[Any, Any, Rest | None]],
    keep: Callable[[T, Callable[[], Coroutine[Any, Any, Any]]], Coroutine[Any, Any, Any]],
    items: Sequence[T],
    slots: DownloadSlots,
) -> None:
    """Begin all items in this order, a few at a time, and finish each when the service has decided.

    `keep` gets an item and what is left of its story, which it runs while one of the `slots` is
    held. However many songs wait, for the service or for a slot, they cost memory alone, and little
    of it. One song's trouble is its outcome. What is raised all the same ends the others.
    """
    await _Songs(begin, keep, slots).run(items)


class _Songs(Generic[T]):
    """The songs that are begun or finished now, and those that wait."""

    def __init__(
        self,
        begin: Callable[[T], Coroutine[Any, Any, Rest | None]],
        keep: Callable[[T, Callable[[], Coroutine[Any, Any, Any]]], Coroutine[Any, Any, Any]],
        slots: DownloadSlots,
    ) -> None:
        self._begin, self._keep, self._slots = begin, keep, slots
        self._room = asyncio.Semaphore(_BEGINNING)
        self._running = set[asyncio.Task[None]]()
        self._waiting: dict[asyncio.Future[Any], tuple[T, Rest]] = {}
        self._ready = deque[tuple[T, Rest]]()
        # One for all: thousands may wait.
        self._on_decided, self._context = self._go_on, copy_context()
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self, items: Sequence[T]) -> None:
        self._start(self._begin_all(items))
        try:
            await self._over
        finally:
            self._over.cancel()
            for one in (*self._waiting, *self._running):
                one.cancel()
            # What fails while a signal ends the run must not hide the signal.
            await asyncio.gather(*self._running, return_exceptions=True)

    async def _begin_all(self, items: Sequence[T]) -> None:
        for item in items:
            await self._room.acquire()
            self._start(self._begin_one(item))

    async def _begin_one(self, item: T) -> None:
        try:
            rest = await self._begin(item)
        finally:
            self._room.release()
        if rest is not None:
            self._waiting[rest.decided] = (item, rest)
            rest.decided.add_done_callback(self._on_decided, context=self._context)

    def _go_on(self, decided: asyncio.Future[Any]) -> None:
        item, rest = self._waiting.pop(decided)
        if self._over.done():
            return
        if decided.cancelled() or decided.exception() is not None:
            self._start(self._finish(item, rest, DownloadSlot(self._slots)))
            return
        self._ready.append((item, rest))
        if len(self._ready) == 1:
            self._start(self._finish_ready())

    async def _finish_ready(self) -> None:
        while self._ready:
            slot = await self._slots.take()
            item, rest = self._ready.popleft()
            self._start(self._finish(item, rest, slot))

    async def _finish(self, item: T, rest: Rest, slot: DownloadSlot) -> None:
        try:
            await self._keep(item, partial(rest.finish, slot))
        finally:
            slot.end()

    def _start(self, story: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(story)
        self._running.add(task)
        task.add_done_callback(self._note_end)

    def _note_end(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        error = None if task.cancelled() else task.exception()
        if self._over.done():
            return
        if error is not None:
            self._over.set_exception(error)
        elif not self._running and not self._waiting:
            self._over.set_result(None)
