"""A stand-in for ngrok's cloud: as much of its protocol as the real agent needs for one tunnel.

Agent and cloud share one TLS connection, which carries streams of frames: three bytes of length, type
and flags, and the stream's number. The agent's requests, the heartbeat and each visitor have a stream.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import struct
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator
    from pathlib import Path

_RESET, _DATA, _WINDOW = 0, 1, 2
_SYN, _FIN = 2, 1
_AUTH, _BIND, _PROXY, _HEARTBEAT = 0, 1, 3, 0xFFFFFFFF
_CLIENT = "0123456789abcdef"


class _Session:
    """One agent's connection."""

    def __init__(self, cloud: NgrokCloud, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._cloud = cloud
        self._reader = reader
        self.writer = writer
        self._streams: dict[int, asyncio.StreamReader] = {}
        self._next = 2

    def send(self, number: int, content: bytes, flags: int = 0, kind: int = _DATA) -> None:
        head = len(content).to_bytes(3, "big") + bytes([kind << 4 | flags]) + number.to_bytes(4, "big")
        self.writer.write(head + content)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            with suppress(asyncio.IncompleteReadError, OSError):
                while True:
                    head = await self._reader.readexactly(8)
                    content = await self._reader.readexactly(int.from_bytes(head[:3], "big"))
                    number, kind, flags = int.from_bytes(head[4:], "big"), head[3] >> 4, head[3] & 15
                    if kind == _DATA and number not in self._streams:
                        self._streams[number] = asyncio.StreamReader()
                        group.create_task(self._answer(number))
                    stream = self._streams.get(number)
                    if stream is None:
                        continue
                    if kind == _DATA and content:
                        stream.feed_data(content)
                        self.send(number, len(content).to_bytes(4, "big"), kind=_WINDOW)
                    if kind == _RESET or (kind == _DATA and flags & _FIN):
                        stream.feed_eof()
            for stream in self._streams.values():
                stream.feed_eof()

    async def _answer(self, number: int) -> None:
        """Answer a request of the agent's, or its heartbeat."""
        stream = self._streams[number]
        with suppress(asyncio.IncompleteReadError):
            kind = int.from_bytes(await stream.readexactly(4), "big")
            while kind == _HEARTBEAT:
                self.send(number, await stream.readexactly(4))
            request = await _read_json(stream)
            answer: dict[str, Any] = {"Error": self._cloud.refusal if kind == _AUTH else ""}
            if kind == _AUTH:
                extra = {"Version": "prod", "Region": "us", "AccountName": "a", "PlanName": "Free"}
                answer |= {"Version": "2", "ClientId": request.get("ClientId") or _CLIENT, "Extra": extra}
            elif kind == _BIND:
                names = {"Id": _CLIENT, "ClientId": _CLIENT, "URL": self._cloud.url}
                answer |= names | {"Proto": request.get("Proto"), "Opts": request.get("Opts")}
                self._cloud.session = self
            self.send(number, json.dumps(answer).encode() + b"\n", _FIN)

    def open(self) -> tuple[int, asyncio.StreamReader]:
        """Open a stream for a visitor."""
        number, self._next = self._next, self._next + 2
        head = json.dumps(
            {"Id": _CLIENT, "ClientAddr": "192.0.2.1:5", "Proto": "http", "EdgeType": "2"}
        ).encode()
        content = _PROXY.to_bytes(4, "big") + struct.pack("<q", len(head)) + head
        self._streams[number] = asyncio.StreamReader()
        self.send(number, content, _SYN)
        return number, self._streams[number]


async def _read_json(stream: asyncio.StreamReader) -> dict[str, Any]:
    content = b""
    while True:
        piece = await stream.read(65536)
        if not piece:
            raise asyncio.IncompleteReadError(content, None)
        content += piece
        with suppress(ValueError):
            read: dict[str, Any] = json.loads(content)
            return read


def _address_of(sockname: tuple[str, int]) -> str:
    return f"http://{sockname[0]}:{sockname[1]}"


class NgrokCloud:
    """`port` is for agents, and `url` is the public address of the tunnel.

    `refusal` is what an agent is answered instead of a session. `visits` are the connections that came
    by the tunnel: the address that each was made to, and the first line of its request.
    """

    port: int
    url: str
    refusal: str = ""

    def __init__(self, certificate: Path) -> None:
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(certificate)
        self._loop = asyncio.new_event_loop()
        self.session: _Session | None = None
        self._agents: asyncio.Server | None = None
        self._public: asyncio.Server | None = None
        self.visits: list[tuple[str, str]] = []

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    async def begin(self) -> None:
        await self.move()
        self.port = 0
        await self.accept()

    async def move(self) -> None:
        """Give the tunnel another address from its next session on. The old one leads nowhere."""
        if self._public is not None:
            self._public.close()
        self._public = await asyncio.start_server(self._visit, "127.0.0.1", 0)
        self.url = _address_of(self._public.sockets[0].getsockname())

    async def accept(self) -> None:
        self._agents = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self._tls)
        self.port = self._agents.sockets[0].getsockname()[1]

    async def lose(self) -> None:
        """End the session, and refuse another one until `accept`."""
        assert self._agents is not None
        assert self.session is not None
        self._agents.close()
        self.session.writer.transport.abort()
        self.session = None

    async def end(self) -> None:
        for server in (self._agents, self._public):
            if server is not None:
                server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _Session(self, reader, writer).run()
        finally:
            writer.transport.abort()

    async def _visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = self.session
        if session is None:
            writer.close()
            return
        number, answer = session.open()
        first = await reader.readline()
        self.visits.append((_address_of(writer.get_extra_info("sockname")), first.decode("latin-1").strip()))

        async def pass_on() -> None:
            session.send(number, first)
            while content := await reader.read(65536):
                session.send(number, content)

        passing = asyncio.create_task(pass_on())
        try:
            while content := await answer.read(65536):
                writer.write(content)
        finally:
            passing.cancel()
            writer.close()

    @contextmanager
    def running(self) -> Iterator[NgrokCloud]:
        thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        thread.start()
        self.run(self.begin())
        try:
            yield self
        finally:
            self.run(self.end())
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join()
            self._loop.close()
