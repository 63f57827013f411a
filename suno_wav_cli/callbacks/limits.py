"""The limits of a server that stands on the internet, in uvicorn's HTTP/1.1 protocol, which has none of them."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Sizes in bytes, times in seconds. `request_seconds` bounds a request from its first byte to its last."""

    body: int = 64 * 1024
    request_seconds: float = 10.0
    connections: int = 64


def limited_protocol(limits: Limits) -> Callable[..., H11Protocol]:
    """Make the protocol of one server: its connections know of each other."""
    return partial(_LimitedProtocol, limits, OrderedDict())


class _LimitedProtocol(H11Protocol):
    """Has a deadline for each request, and a bound for connections.

    The deadline runs from the connection's start, or the last response's end, until a request was answered. Where too
    many connections are open, the one whose request is under way for the longest makes room: a genuine callback needs
    milliseconds, so it is never that one.
    """

    def __init__(
        self, limits: Limits, oldest_first: OrderedDict[_LimitedProtocol, None], **arguments: Any
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
            # A connection that is kept alive is old; its next request is not.
            self._between_requests = False
            self._be_newest()
        super().data_received(data)

    def on_response_complete(self) -> None:
        self._between_requests = True
        self._be_newest()
        self._restart_deadline()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._oldest_first.pop(self, None)
        if self._deadline is not None:
            self._deadline.cancel()
        super().connection_lost(exc)

    def _be_newest(self) -> None:
        if self in self._oldest_first:
            self._oldest_first.move_to_end(self)

    def _restart_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(self._limits.request_seconds, self.transport.abort)
