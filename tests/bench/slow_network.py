"""A relay that makes a network out of this machine's own: delays, and a service that is not there."""

from __future__ import annotations

import asyncio
import random
import socket
import ssl
import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from tests.support.ports import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine
    from pathlib import Path

_TLS_HANDSHAKE = b"\x16"
_MAINTENANCE = b'{"code":455,"msg":"maintenance"}'
_REFUSAL = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
    % (
        len(_MAINTENANCE),
        _MAINTENANCE,
    )
)


class SlowNetwork:
    """Passes connections on to a port of this machine.

    What is sent arrives after `jitter` seconds on average, and at most twice as many. The API is
    served over TLS, whose handshake begins after `connect` seconds: the kernel would open a plain
    connection at once. Files, whose addresses are the service's, and callbacks are not encrypted.
    """

    def __init__(self, port: int, *, jitter: float, connect: float, certificate: Path, key: Path) -> None:
        self._port = port
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(certificate, key)
        self._own_port = free_port()
        self._jitter = jitter
        self._connect = connect
        self._random = random.Random(1)
        self._tasks: set[asyncio.Task[None]] = set()
        self._refuses = False
        # The connections, and whether each waits for an answer.
        self._connections: dict[asyncio.StreamWriter, bool] = {}

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        self._listen()
        try:
            yield f"https://127.0.0.1:{self._own_port}"
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def refuse(self, seconds: float) -> None:
        """Answer every request with "maintenance" for so long."""
        self._refuses = True
        await asyncio.sleep(seconds)
        self._refuses = False

    async def go_away(self, seconds: float) -> None:
        """Refuse connections for so long, and close those that wait for no answer."""
        self._listening.cancel()
        for client, is_busy in list(self._connections.items()):
            if not is_busy:
                client.close()
        await asyncio.sleep(seconds)
        self._listen()

    def _listen(self) -> None:
        listener = socket.create_server(("127.0.0.1", self._own_port), backlog=500)
        listener.setblocking(False)
        self._listening = self._start(self._accept_all(listener))

    async def _accept_all(self, listener: socket.socket) -> None:
        with listener:
            while True:
                connection, _ = await asyncio.get_running_loop().sock_accept(listener)
                self._start(self._serve(connection))

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _serve(self, connection: socket.socket) -> None:
        await asyncio.sleep(self._connect)
        loop, reader = asyncio.get_running_loop(), asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        with suppress(OSError):
            is_tls = connection.recv(1, socket.MSG_PEEK) == _TLS_HANDSHAKE
            transport, _ = await loop.connect_accepted_socket(
                lambda: protocol, connection, ssl=self._tls if is_tls else None
            )
            await self._relay(reader, asyncio.StreamWriter(transport, protocol, reader, loop))

    async def _relay(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        self._connections[client] = False
        service: asyncio.StreamWriter | None = None
        try:
            answers, service = await asyncio.open_connection("127.0.0.1", self._port)
            back = asyncio.create_task(self._pass_on(answers, client, client, is_request=False))
            asking = asyncio.create_task(self._pass_on(reader, service, client, is_request=True))
            await asyncio.wait([asking, back], return_when=asyncio.FIRST_COMPLETED)
            asking.cancel()
            back.cancel()
        except OSError:
            pass
        finally:
            del self._connections[client]
            for writer in (client, service):
                if writer is not None:
                    writer.close()

    async def _pass_on(
        self,
        source: asyncio.StreamReader,
        target: asyncio.StreamWriter,
        client: asyncio.StreamWriter,
        *,
        is_request: bool,
    ) -> None:
        """Pass on what arrives, each piece with a delay of its own, in order."""
        pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def send() -> None:
            while True:
                due, piece = await pieces.get()
                await asyncio.sleep(due - time.monotonic())
                if not piece:
                    # TLS cannot close one direction alone. A request that was sent is over with its answer.
                    if not is_request:
                        target.close()
                    return
                if client in self._connections:
                    self._connections[client] = is_request
                target.write(piece)
                await target.drain()

        sending = asyncio.create_task(send())
        due = 0.0
        try:
            while True:
                piece = await source.read(1 << 18)
                if piece and is_request and self._refuses:
                    client.write(_REFUSAL)
                    client.close()
                    return
                due = max(due, time.monotonic() + self._random.uniform(0, 2 * self._jitter))
                pieces.put_nowait((due, piece))
                if not piece:
                    await sending
                    return
        except OSError:
            pass
        finally:
            sending.cancel()
