"""uvicorn on this machine's own address, without its hold on signals and logging."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager, contextmanager, nullcontext
from threading import Thread
from typing import TYPE_CHECKING, cast

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Callable, Iterator
    from contextlib import AbstractContextManager

    from starlette.types import ASGIApp


class _Server(uvicorn.Server):
    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
        """Leave SIGINT and SIGTERM to the program, which has more to end than a server."""
        return nullcontext()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Wait for nobody: what is still being sent to somebody would outlive the loop."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await super().shutdown(sockets)


@asynccontextmanager
async def serving(
    app: ASGIApp, bound: socket.socket, protocol: Callable[..., H11Protocol] = H11Protocol
) -> AsyncIterator[None]:
    """Serve `app` in this loop until the block is left."""
    server = _server(app, protocol)
    task = asyncio.create_task(server.serve(sockets=[bound]))
    try:
        yield
    finally:
        server.should_exit = True
        server.force_exit = True
        await task


@contextmanager
def serving_in_thread(
    app: ASGIApp, bound: socket.socket, protocol: Callable[..., H11Protocol] = H11Protocol
) -> Iterator[None]:
    """Serve `app` in a thread with a loop of its own until the block is left."""
    server = _server(app, protocol)
    thread = Thread(target=server.run, kwargs={"sockets": [bound]}, name="server", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        server.force_exit = True
        thread.join(timeout=2.0)


def _server(app: ASGIApp, protocol: Callable[..., H11Protocol]) -> _Server:
    logger = logging.getLogger("uvicorn")
    if not logger.handlers:
        # Else Python's last resort prints what any stranger provokes ("Invalid HTTP request") on standard error.
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
    return _Server(
        uvicorn.Config(
            app,
            # It calls what it is given, whether that is a class or not.
            http=cast("type[H11Protocol]", protocol),
            ws="none",
            lifespan="off",
            loop="asyncio",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=1,
            # How many asyncio accepts in one go, before a limit on connections can look at the first.
            backlog=64,
        )
    )
