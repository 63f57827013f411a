"""The sockets of a transfer, and the one reason why it ends early."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Trace: TypeAlias = "Callable[[str, Mapping[str, Any]], None]"


class Connections:
    """The open sockets of a transfer. Every method may be called from any thread.

    One lock guards this invariant: once `stop` was called, `error` never changes again and no
    socket stays open for reading, so each thread ends within a moment. The first error counts: the
    others follow from it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._error: Exception | None = None
        self._stopped = threading.Event()

    @property
    def is_stopped(self) -> bool:
        return self._stopped.is_set()

    @property
    def error(self) -> Exception | None:
        """What was given to the first `stop`."""
        with self._lock:
            return self._error

    def stop(self, error: Exception) -> None:
        """Wake every thread that waits for a byte, by ending its connection."""
        with self._lock:
            if self._error is None:
                self._error = error
            self._stopped.set()
            for connection in self._open:
                _shut_down(connection)

    def pause(self, seconds: float) -> None:
        """Wait, but no longer than until `stop`."""
        self._stopped.wait(seconds)

    @contextmanager
    def track(self) -> Iterator[Trace]:
        """Yield what httpx is to call while it connects, so that its handshakes can be woken too."""
        mine: list[socket.socket] = []

        def trace(event: str, info: Mapping[str, Any]) -> None:
            if event == "connection.connect_tcp.complete":
                # A second descriptor of the same connection: TLS takes the first one away.
                connection = info["return_value"].get_extra_info("socket").dup()
                mine.append(connection)
                with self._lock:
                    self._open.add(connection)
                    if self.is_stopped:
                        _shut_down(connection)

        try:
            yield trace
        finally:
            with self._lock:
                self._open.difference_update(mine)
            for connection in mine:
                connection.close()


def _shut_down(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
