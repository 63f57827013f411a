"""The connection below a response, for a reset, silence and surplus bytes."""

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
_CHECK_INTERVAL = 0.001
"""Seconds between two checks of what the client's system has received."""


class CdnProtocol(H11Protocol):
    """uvicorn's protocol without a write buffer. The application can reach its connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=0)
        self.app_state = {**self.app_state, "transport": transport}


class Connection:
    """The connection of one response whose head is sent. Needs CdnProtocol."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._transport: asyncio.Transport = scope["state"]["transport"]
        self._receive = receive
        self._send = send

    @property
    def is_open(self) -> bool:
        return not self._transport.is_closing()

    async def write(self, piece: bytes, count: Callable[[int], None], *, promised: bool) -> None:
        """Pass a piece to the system, however long that takes, and count the bytes that it took.

        Never counts too many; while it waits, it has counted less than a piece too few. A piece
        that the Content-Length has not `promised` bypasses HTTP.
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
        """Send nothing until the client leaves."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def reset(self) -> None:
        """Send a TCP RST once the client's system has received everything."""
        connection = self._transport.get_extra_info("socket")
        while self.is_open and _count_unacknowledged(connection):  # noqa: ASYNC110 - the system has no event for it
            await asyncio.sleep(_CHECK_INTERVAL)
        if self.is_open:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack(_LINGER, 1, 0))
            self._transport.abort()


def _count_unacknowledged(connection: socket.socket) -> int:
    """Return the bytes that are not acknowledged yet, 0 if the system does not tell."""
    if sys.platform != "linux":
        return 0
    import fcntl
    import termios

    content: bytes = fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, bytes(4))
    return int.from_bytes(content, sys.byteorder)
