"""uvicorn on this machine's own address, without its hold on signals and logging.

On the internet it needs limits, which uvicorn's HTTP/1.1 protocol does not have.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING, Any, cast

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Callable, Iterator
    from contextlib import AbstractContextManager

    from starlette.types import ASGIApp


class _Server(uvicorn.Server):
    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
        """Leave SIGINT and SIGTERM to the program, which has more to end than this server."""
        return nullcontext()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Wait for no connection: what is still being sent would outlive the event loop."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await super().shutdown(sockets)


@asynccontextmanager
async def serve(
    app: ASGIApp, bound: socket.socket, protocol: Callable[..., H11Protocol] = H11Protocol
) -> AsyncIterator[None]:
    """Serve `app` in this loop until the block is left."""
    server = _make_server(app, protocol)
    task = asyncio.create_task(server.serve(sockets=[bound]))
    try:
        yield
    finally:
        server.should_exit = True
        server.force_exit = True
        await task


@contextmanager
def serve_in_thread(
    app: ASGIApp, bound: socket.socket, protocol: Callable[..., H11Protocol] = H11Protocol
) -> Iterator[None]:
    """Serve `app` in a thread with a loop of its own until the block is left."""
    server = _make_server(app, protocol)
    thread = Thread(target=server.run, kwargs={"sockets": [bound]}, name="server", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        server.force_exit = True
        thread.join(timeout=2.0)


def _make_server(app: ASGIApp, protocol: Callable[..., H11Protocol]) -> _Server:
    logger = logging.getLogger("uvicorn")
    if not logger.handlers:
        # Otherwise Python's last resort prints what strangers provoke ("Invalid HTTP request").
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
    return _Server(
        uvicorn.Config(
            app,
            # uvicorn only calls it, so it need not be a class.
            http=cast("type[H11Protocol]", protocol),
            ws="none",
            lifespan="off",
            loop="asyncio",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=1,
            # asyncio accepts so many at once, before a limit on connections can look at the first.
            backlog=64,
        )
    )


@dataclass(frozen=True, kw_only=True)
class ReceiverLimits:
    """`body` is in bytes. `request_seconds` bounds a request from its first byte to its last."""

    body: int = 64 * 1024
    request_seconds: float = 10.0
    connections: int = 64


def limited_protocol(limits: ReceiverLimits) -> Callable[..., H11Protocol]:
    """Make the protocol of one server, whose connections know of each other."""
    return partial(_LimitedProtocol, limits, OrderedDict())


class _LimitedProtocol(H11Protocol):
    """Has a deadline for each request, and a limit for connections.

    The deadline runs from the start of the connection, or the end of the last response, until a
    request is answered. Beyond the limit, the connection whose request is the oldest is closed. A
    genuine callback needs milliseconds, so it is never that one.
    """

    def __init__(
        self, limits: ReceiverLimits, oldest_first: OrderedDict[_LimitedProtocol, None], **arguments: Any
    ) -> None:
        super().__init__(**arguments)
        self._limits = limits
        self._oldest_first = oldest_first
        self._deadline: asyncio.TimerHandle | None = None
        self._between_requests = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._oldest_first[self] = None
        if len(self._oldest_first) > self._limits.connections:
            self._oldest_first.popitem(last=False)[0].transport.abort()
        self._restart_deadline()

    def data_received(self, data: bytes) -> None:
        if self._between_requests:
            # A connection that is kept alive is old, but its next request is new.
            self._between_requests = False
            self._move_to_newest()
        super().data_received(data)

    def on_response_complete(self) -> None:
        self._between_requests = True
        self._move_to_newest()
        self._restart_deadline()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._oldest_first.pop(self, None)
        if self._deadline is not None:
            self._deadline.cancel()
        super().connection_lost(exc)

    def _move_to_newest(self) -> None:
        if self in self._oldest_first:
            self._oldest_first.move_to_end(self)

    def _restart_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(self._limits.request_seconds, self.transport.abort)
