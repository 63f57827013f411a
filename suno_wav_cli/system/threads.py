"""Blocking work beside the event loop, in threads that never keep the program from ending."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def start_in_thread(work: Callable[[], T], name: str) -> asyncio.Future[T]:
    """Run `work` in a thread of its own; the future gets its result, or what it raised.

    A daemon, because some calls cannot be woken (a name that does not resolve), and asyncio's own pool is waited for
    when the loop closes.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()
    # Looked at, so that asyncio does not complain of an error that nobody waited for.
    done.add_done_callback(lambda future: future.cancelled() or future.exception())

    def settle(result: list[T], error: BaseException | None) -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result[0])

    def run() -> None:
        result, failure = [], None
        try:
            result.append(work())
        except Exception as error:  # noqa: BLE001 - carried to the loop, where it is raised again
            failure = error
        # A loop that was left in a hurry is closed, and nobody waits for the result.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=run, name=name, daemon=True).start()
    return done
