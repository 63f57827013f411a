"""The connection below an answer, for what HTTP has no words for: a reset, silence, more bytes than were promised."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import sys
from typing import TYPE_CHECKING

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Message, Receive, Scope, Send

_NOTHING: Message = {"type": "http.response.body", "body": b"", "more_body": True}
_LINGER = "hh" if os.name == "nt" else "ii"
_ONE_LOOK = 0.001
"""Seconds between two looks at what the other side has taken."""


class CdnProtocol(H11Protocol):
    """uvicorn's, that shows its connection to the application, and sends on only when the system has taken everything."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=0)
        self.app_state = {**self.app_state, "transport": transport}


class Connection:
    """Of one answer, whose head is sent already. Served by CdnProtocol."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._transport: asyncio.Transport = scope["state"]["transport"]
        self._receive = receive
        self._send = send

    @property
    def is_open(self) -> bool:
        return not self._transport.is_closing()

    async def write(self, piece: bytes, count: Callable[[int], None], *, promised: bool) -> None:
        """Hand a piece over to the system, however long that takes, and count the bytes that it took.

        Never too many are counted, and while it waits less than a piece too few. What was not `promised` by the
        Content-Length is written past HTTP.
        """
        if promised:
            await self._send({"type": "http.response.body", "body": piece, "more_body": True})
        else:
            self._transport.write(piece)
        waiting = min(self._transport.get_write_buffer_size(), len(piece))
        count(len(piece) - waiting)
        await self._send(_NOTHING)
        if self.is_open:
            count(waiting)

    async def complete(self) -> None:
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def be_silent(self) -> None:
        """Wait until the other side leaves."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def reset(self) -> None:
        """Send a TCP RST, after the other side's system has got what was sent."""
        connection = self._transport.get_extra_info("socket")
        while self.is_open and _on_the_way(connection):  # noqa: ASYNC110 - the system tells nobody when it is so
            await asyncio.sleep(_ONE_LOOK)
        if self.is_open:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack(_LINGER, 1, 0))
            self._transport.abort()


def _on_the_way(connection: socket.socket) -> int:
    """Count the bytes that are not acknowledged yet; 0 where the system does not tell."""
    if sys.platform != "linux":
        return 0
    import fcntl
    import termios

    content: bytes = fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, bytes(4))
    return int.from_bytes(content, sys.byteorder)
