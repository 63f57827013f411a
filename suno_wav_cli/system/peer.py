"""Whether the server still holds a connection on which nothing was asked yet."""

from __future__ import annotations

import asyncio
import select
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


@asynccontextmanager
async def watch_for_end(stream: Any) -> AsyncIterator[Callable[[], bool]]:
    """Yield a function that tells whether the server has ended the connection of an httpcore stream.

    Nothing is due before a request, so whatever comes is an end, an answer (408) too. TLS has an end
    of its own, which may come long before TCP's: only reading shows it.
    """
    reading = asyncio.ensure_future(stream.read(1))
    connection = stream.get_extra_info("socket")
    try:
        yield lambda: reading.done() or _has_hung_up(connection)
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


def _has_hung_up(connection: Any) -> bool:
    """Tell what the system knows before the event loop has read it, where it tells that."""
    if sys.platform != "linux":
        return False
    poll = select.poll()
    try:
        poll.register(connection, select.POLLRDHUP)
    except (OSError, ValueError, TypeError):
        return True
    return bool(poll.poll(0))
