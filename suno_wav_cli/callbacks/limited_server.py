"""A server for the internet: bounded connections, and a deadline for each request.

Connections are accepted while there is room, and wait in the socket until then. To make room, the
connection that has been idle or slow for longest is closed. A genuine callback is sent at once, so
it is never that one, however many come together.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from suno_wav_cli.callbacks.refusal import RefusedRequest, refuse_bytes
from suno_wav_cli.callbacks.server import make_server

try:
    from resource import RLIM_INFINITY, RLIMIT_NOFILE, getrlimit
except ImportError:
    _FILES = 512
else:
    _FILES = getrlimit(RLIMIT_NOFILE)[0]
    _FILES = 1 << 16 if _FILES == RLIM_INFINITY else _FILES

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Callable

    from starlette.types import ASGIApp

_ACCEPT_PAUSE = 0.1
_FIRST_BYTES = 8


@dataclass(frozen=True, kw_only=True)
class ReceiverLimits:
    """`body` is in bytes. `request_seconds` bounds a request from its first byte to its last.

    Its answer may take as long again.
    A connection without a whole request after `grace_seconds` may be closed to make room. There are
    never more `connections` than half of the files that the system lets the program open.
    """

    body: int = 64 * 1024
    request_seconds: float = 10.0
    grace_seconds: float = 3.0
    connections: int = 512


@asynccontextmanager
async def serve(
    app: ASGIApp,
    bound: socket.socket,
    limits: ReceiverLimits,
    refused: Callable[[RefusedRequest], None] | None = None,
) -> AsyncIterator[None]:
    """Serve `app` in this loop until the block is left. `refused` is told of what is not HTTP."""
    room = _Room(min(limits.connections, _FILES // 2))
    server = make_server(app, H11Protocol)
    connect = partial(
        _LimitedProtocol,
        limits,
        room,
        refused,
        config=server.config,
        server_state=server.server_state,
        app_state={},
    )
    serving = asyncio.create_task(server.serve(sockets=[]))
    accepting = asyncio.create_task(_accept(bound, room, connect))
    try:
        yield
    finally:
        accepting.cancel()
        await asyncio.wait([accepting])
        server.leave()
        await serving


async def _accept(bound: socket.socket, room: _Room, connect: Callable[[], H11Protocol]) -> None:
    """Accept connections whenever there is room."""
    loop = asyncio.get_running_loop()
    bound.setblocking(False)
    while True:
        await room.wait()
        try:
            connection, _ = await loop.sock_accept(bound)
        except OSError:
            # It has gone already, or the system has no file left for it.
            await asyncio.sleep(_ACCEPT_PAUSE)
            continue
        with suppress(OSError):
            await loop.connect_accepted_socket(connect, connection)


class _Room:
    """Counts connections, and knows which of them are idle, those for longest first."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._open: set[_LimitedProtocol] = set()
        self._idle: OrderedDict[_LimitedProtocol, None] = OrderedDict()
        self._changed = asyncio.Event()

    async def wait(self) -> None:
        """Wait until another connection may be accepted. Close an idle one if there is any."""
        while len(self._open) >= self._size:
            self._changed.clear()
            if self._idle:
                self._idle.popitem(last=False)[0].transport.abort()
            await self._changed.wait()

    def enter(self, connection: _LimitedProtocol) -> None:
        self._open.add(connection)

    def leave(self, connection: _LimitedProtocol) -> None:
        self._open.discard(connection)
        self.set_idle(connection, idle=False)
        self._changed.set()

    def set_idle(self, connection: _LimitedProtocol, *, idle: bool) -> None:
        if idle:
            self._idle[connection] = None
            self._changed.set()
        else:
            self._idle.pop(connection, None)


class _LimitedProtocol(H11Protocol):
    """Has a deadline for each request, and becomes idle before that.

    Both run from the start of the connection, or from the end of the last response. A connection is
    not idle while a whole request is being answered. The answer has a deadline of its own: a request
    may come whole just in time, or be seen late because the machine stood still.
    """

    def __init__(
        self,
        limits: ReceiverLimits,
        room: _Room,
        refused: Callable[[RefusedRequest], None] | None,
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        self._limits = limits
        self._room = room
        self._refused = refused
        self._first_bytes = b""
        self._answered: RequestResponseCycle | None = None
        self._timers: tuple[asyncio.TimerHandle, ...] = ()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._room.enter(self)
        self._await_request()

    def data_received(self, data: bytes) -> None:
        self._first_bytes = self._first_bytes or data[:_FIRST_BYTES]
        super().data_received(data)
        self._await_answer()

    def on_response_complete(self) -> None:
        self._await_request()
        super().on_response_complete()
        # The next request may have come already.
        self._await_answer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_timers()
        self._room.leave(self)
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        if self._refused is not None:
            self._refused(RefusedRequest(method=None, path=None, refusal=refuse_bytes(self._first_bytes)))
        super().send_400_response(msg)

    def _await_request(self) -> None:
        self._cancel_timers()
        self._room.set_idle(self, idle=False)
        self._timers = (
            self.loop.call_later(self._limits.grace_seconds, partial(self._room.set_idle, self, idle=True)),
            self.loop.call_later(self._limits.request_seconds, self.transport.abort),
        )

    def _await_answer(self) -> None:
        """Set the deadline of an answer, once, when its request has come whole."""
        # uvicorn sets it to None at first.
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle is self._answered or cycle.more_body or cycle.response_complete:
            return
        self._answered = cycle
        self._cancel_timers()
        self._room.set_idle(self, idle=False)
        self._timers = (self.loop.call_later(self._limits.request_seconds, self.transport.abort),)

    def _cancel_timers(self) -> None:
        for timer in self._timers:
            timer.cancel()
