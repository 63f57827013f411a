"""Many songs side by side. Between its beginning and its end, a song that waits has no coroutine."""

from __future__ import annotations

import asyncio
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

T = TypeVar("T")

_BEGINNING = 64
"""Songs between their start and the answer to their submission, or with their turn to come."""


class Rest(Protocol):
    """What is left to do for a song: `finish`, once the service has `decided` if that is waited for."""

    @property
    def decided(self) -> asyncio.Future[Any] | None: ...

    def finish(self) -> Coroutine[Any, Any, Any]: ...


async def run_all(
    begin: Callable[[T], Coroutine[Any, Any, Rest | None]],
    keep: Callable[[T, Callable[[], Coroutine[Any, Any, Any]]], Coroutine[Any, Any, Any]],
    items: Sequence[T],
) -> None:
    """Begin all items in this order, a few at a time, and finish each when the service has decided.

    `keep` gets an item and what is left of its story, which it runs. However many songs wait in
    between, they cost memory alone, and little of it. One song's trouble is its outcome. What is
    raised all the same ends the others.
    """
    await _Songs(begin, keep).run(items)


class _Songs(Generic[T]):
    """The songs that are begun or finished now, and those that wait."""

    def __init__(
        self,
        begin: Callable[[T], Coroutine[Any, Any, Rest | None]],
        keep: Callable[[T, Callable[[], Coroutine[Any, Any, Any]]], Coroutine[Any, Any, Any]],
    ) -> None:
        self._begin, self._keep = begin, keep
        self._room = asyncio.Semaphore(_BEGINNING)
        self._running = set[asyncio.Task[None]]()
        self._waiting: dict[asyncio.Future[Any], tuple[T, Rest]] = {}
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
        if rest is None:
            return
        if rest.decided is None:
            self._start(self._keep(item, rest.finish))
        else:
            self._waiting[rest.decided] = (item, rest)
            rest.decided.add_done_callback(self._on_decided, context=self._context)

    def _go_on(self, decided: asyncio.Future[Any]) -> None:
        item, rest = self._waiting.pop(decided)
        if not self._over.done():
            self._start(self._keep(item, rest.finish))

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
