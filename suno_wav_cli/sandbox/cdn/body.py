"""The response with a file's body, and the faults of sending it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.responses import Response

from suno_wav_cli.sandbox.cdn.connection import Connection
from suno_wav_cli.sandbox.cdn.faults import Fault, Group, Kind, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.types import Receive, Scope, Send

_PIECE = 64 * 1024
_MOST_PIECES_A_SECOND = 10


@dataclass(frozen=True, kw_only=True)
class Body:
    """`size` bytes. `read(start, stop)` returns some of the bytes from `start`, at least one."""

    size: int
    read: Callable[[int, int], bytes]


class FileResponse(Response):
    """`count_bytes` gets the bytes that the system took.

    `on_end` is called once, also after an error.
    """

    def __init__(
        self,
        status: int,
        headers: Mapping[str, str],
        body: Body,
        step: Step,
        *,
        count_bytes: Callable[[int], None],
        on_end: Callable[[], None],
    ) -> None:
        self._promised = _promised_length(body.size, step)
        length = {} if self._promised is None else {"Content-Length": str(self._promised)}
        self.status_code = status
        self.background = None
        self.init_headers({**headers, **length})
        self._content = body
        self._step = step
        self._count_bytes = count_bytes
        self._on_end = on_end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body"})
            return
        connection = Connection(scope, receive, send)
        end = self._step.of(Group.END)
        try:
            await self._send_until(_sent_length(self._content.size, end), connection)
        finally:
            self._on_end()
        match end:
            case None if self._promised in (None, self._content.size):
                await connection.complete()
            case Fault(Kind.STALL):
                await connection.be_silent()
            case Fault(Kind.RESET):
                await connection.reset()
            case _:
                # Not completed: the server closes the connection.
                pass

    async def _send_until(self, stop: int, connection: Connection) -> None:
        """Send the first `stop` bytes of the body, or until the client leaves."""
        pace = self._step.number_of(Kind.TRICKLE)
        most = _PIECE if pace is None else min(_PIECE, max(1, pace // _MOST_PIECES_A_SECOND))
        promised = stop if self._promised is None else self._promised
        sent, began = 0, time.monotonic()
        while sent < stop and connection.is_open:
            is_promised = sent < promised
            piece = self._content.read(sent, min(sent + most, promised if is_promised else stop, stop))
            await connection.write(piece, self._count_bytes, promised=is_promised)
            sent += len(piece)
            if pace is not None:
                await asyncio.sleep(began + sent / pace - time.monotonic())


def _promised_length(size: int, step: Step) -> int | None:
    match step.of(Group.LENGTH):
        case Fault(Kind.CHUNKED):
            return None
        case Fault(Kind.LONGER, int(more)):
            return size + more
        case Fault(Kind.SHORTER, int(less)):
            return max(0, size - less)
        case _:
            return size


def _sent_length(size: int, end: Fault | None) -> int:
    if end is None:
        return size
    return size // 2 if end.number is None else min(end.number, size)
