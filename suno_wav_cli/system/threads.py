"""Run blocking work beside the event loop, in threads that do not keep the program from ending."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def start_in_thread(work: Callable[[], T], name: str) -> asyncio.Future[T]:
    """Run `work` in a thread of its own. The future gets its result or its exception.

    The thread is a daemon, because some calls cannot be interrupted (a name that does not resolve).
    asyncio would wait for the threads of its own pool.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()
    # Retrieved here, so that asyncio does not log an exception that no caller waits for.
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
        # The loop may be closed by now, and the result is not wanted any more.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=run, name=name, daemon=True).start()
    return done
