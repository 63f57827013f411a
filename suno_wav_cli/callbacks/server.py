"""uvicorn on this machine's own address, without its hold on signals and logging."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from threading import Thread
from typing import TYPE_CHECKING, cast

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Callable, Iterator
    from contextlib import AbstractContextManager

    from starlette.types import ASGIApp


_LAST_MOMENT = 0.1
"""Seconds that what works on a request has at the end, as uvicorn gives it."""


class Server(uvicorn.Server):
    """Ends as soon as it is told to. uvicorn looks ten times a second, and then waits for a tenth."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._leaving = asyncio.Event()

    def leave(self) -> None:
        """End the server, from any thread."""
        self.should_exit = self.force_exit = True
        if self._loop is not None:
            # It may have ended, and its loop with it.
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._leaving.set)

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
        """Leave SIGINT and SIGTERM to the program, which has more to end than this server."""
        return nullcontext()

    async def main_loop(self) -> None:
        """Do what is due every second, until the server is told to leave."""
        self._loop = asyncio.get_running_loop()
        # `on_tick` counts tenths of seconds.
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._leaving.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Wait for no connection: what is still being sent would outlive the event loop."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        for server in self.servers:
            server.close()
        for one in sockets or []:
            one.close()
        if self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks, timeout=_LAST_MOMENT)


@contextmanager
def serve_in_thread(
    app: ASGIApp, bound: socket.socket, protocol: Callable[..., H11Protocol] = H11Protocol
) -> Iterator[None]:
    """Serve `app` in a thread with a loop of its own until the block is left."""
    server = make_server(app, protocol)
    thread = Thread(target=server.run, kwargs={"sockets": [bound]}, name="server", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.leave()
        thread.join(timeout=2.0)


@asynccontextmanager
async def serve_here(
    app: ASGIApp, bound: socket.socket, protocol: Callable[..., H11Protocol] = H11Protocol
) -> AsyncIterator[None]:
    """Serve `app` in this loop until the block is left."""
    server = make_server(app, protocol)
    serving = asyncio.create_task(server.serve(sockets=[bound]))
    try:
        yield
    finally:
        server.leave()
        await serving


def make_server(app: ASGIApp, protocol: Callable[..., H11Protocol]) -> Server:
    logger = logging.getLogger("uvicorn")
    if not logger.handlers:
        # Otherwise Python's last resort prints what strangers provoke ("Invalid HTTP request").
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
    return Server(
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
        )
    )
