"""The sockets of a transfer, so that threads that wait in them can be woken."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


Trace: TypeAlias = "Callable[[str, Mapping[str, Any]], None]"


class Connections:
    """Those that are open; once `stop` was called, none stays open. May be used from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._stopped = threading.Event()

    @property
    def stopped(self) -> bool:
        return self._stopped.is_set()

    def pause(self, seconds: float) -> None:
        """Wait, but not longer than until `stop`."""
        self._stopped.wait(seconds)

    def stop(self) -> None:
        """Make every thread that waits for a byte go on, with an end of its connection."""
        self._stopped.set()
        with self._lock:
            for connection in self._open:
                _shut_down(connection)

    @contextmanager
    def traced(self) -> Iterator[Trace]:
        """Give what httpx is to call while it connects: so that its handshakes can be woken too."""
        mine: list[socket.socket] = []

        def trace(event: str, info: Mapping[str, Any]) -> None:
            if event == "connection.connect_tcp.complete":
                # A second descriptor of the same connection: TLS takes the first one away.
                connection = info["return_value"].get_extra_info("socket").dup()
                mine.append(connection)
                with self._lock:
                    self._open.add(connection)
                    if self.stopped:
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
