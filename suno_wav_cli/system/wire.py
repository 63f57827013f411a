"""Below httpx: which addresses it connects to, and how much may come before an answer's body.

httpx has no setting for either. So the backend by which a transport opens connections, a private
attribute, is wrapped here. If another version names it otherwise, every request fails at once.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable

    ChooseAddresses = Callable[[str, list[str]], list[str]]

_LARGEST_HEAD = 128 * 1024
"""Bytes. More than httpx takes for one head: interim answers (102 Processing) may come before it."""

_LEAST_READ = 64
"""Bytes that a read counts for at least: each costs about as much."""


def bound(client: httpx.Client | httpx.AsyncClient, choose: ChooseAddresses | None = None) -> None:
    """Bound what a client reads before the body of an answer.

    `choose` returns which of a host's addresses may be connected to, or raises. It is not asked
    for what a proxy connects to. The name is resolved only once.
    """
    direct: Any = client._transport  # noqa: SLF001 - see above
    proxies: list[Any] = [mounted for mounted in client._mounts.values() if mounted is not None]  # noqa: SLF001
    wrap = _AsyncBackend if isinstance(client, httpx.AsyncClient) else _Backend
    for transport in (direct, *proxies):
        pool = transport._pool  # noqa: SLF001
        inner = pool._network_backend  # noqa: SLF001
        if transport is direct and choose is not None:
            inner = _Chooser(inner, choose)
        pool._network_backend = wrap(inner)  # noqa: SLF001


def allow_body(response: httpx.Response, limit: int | None) -> None:
    """Once a head has come, let so many bytes follow it, with all that is not content; None: any number."""
    stream = response.extensions["network_stream"]
    if isinstance(stream, _Stream | _AsyncStream):
        stream.allowance = _Allowance(limit, "its answer comes in too small pieces")


class _Allowance:
    """How many bytes may still be read; None is any number."""

    def __init__(
        self,
        left: int | None = _LARGEST_HEAD,
        exceeded: str = f"more than {_LARGEST_HEAD:,} bytes come before its answer",
    ) -> None:
        self._left = left
        self._exceeded = exceeded

    def take(self, count: int) -> None:
        if self._left is None:
            return
        self._left -= max(count, _LEAST_READ)
        if self._left < 0:
            raise httpx.RemoteProtocolError(self._exceeded)


class _Chooser:
    """Resolves a host's name, and connects to the addresses that are chosen, one after the other."""

    def __init__(self, inner: Any, choose: ChooseAddresses) -> None:
        self._inner = inner
        self._choose = choose

    def connect_tcp(self, host: str, port: int, **more: Any) -> Any:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpx.ConnectError(str(error)) from error
        addresses = self._choose(host, list(dict.fromkeys(str(place[0]) for *_, place in found)))
        for address in addresses[:-1]:
            try:
                return self._inner.connect_tcp(host=address, port=port, **more)
            except Exception:  # noqa: BLE001, S112 - the error of the last address is raised
                continue
        return self._inner.connect_tcp(host=addresses[-1], port=port, **more)


class _Backend:
    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def connect_tcp(self, **where: Any) -> _Stream:
        return _Stream(self._inner.connect_tcp(**where))


class _Stream:
    """A connection whose every request has the allowance of a head until `allow_body` gives another."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.allowance = _Allowance()

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        content: bytes = self._inner.read(max_bytes, timeout)
        self.allowance.take(len(content))
        return content

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.allowance = _Allowance()
        self._inner.write(buffer, timeout)

    def start_tls(self, *how: Any, **named: Any) -> _Stream:
        return _Stream(self._inner.start_tls(*how, **named))

    def close(self) -> None:
        self._inner.close()

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _AsyncBackend:
    def __init__(self, inner: Any) -> None:
        self._inner = inner

    async def connect_tcp(self, **where: Any) -> _AsyncStream:
        return _AsyncStream(await self._inner.connect_tcp(**where))


class _AsyncStream:
    """As `_Stream`."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.allowance = _Allowance()

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore's
        content: bytes = await self._inner.read(max_bytes, timeout)
        self.allowance.take(len(content))
        return content

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        self.allowance = _Allowance()
        await self._inner.write(buffer, timeout)

    async def start_tls(self, *how: Any, **named: Any) -> _AsyncStream:
        return _AsyncStream(await self._inner.start_tls(*how, **named))

    async def aclose(self) -> None:
        await self._inner.aclose()

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
