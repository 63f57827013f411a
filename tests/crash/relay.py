"""What stands between the program and the service, in both directions, and tells each step of each request."""

from __future__ import annotations

import re
import sys
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_OF_THE_SERVICE = ("/api/", "/kie/", "/files/")
_TASK_ID = re.compile(rb"[0-9a-f]{32}")
_OF_ONE_CONNECTION = ("connection", "transfer-encoding", "content-length", "keep-alive")


class Relay(ThreadingHTTPServer):
    """Passes the program's requests to the service, and all others to `receiver_port`, where the program listens.

    `reached(point, what)` is called when a request is here, when its answer is, when half of that is passed on, and when
    all is; where it says True, nothing more of this request is passed on.
    `tasks` are the ids that paid requests were answered with.
    """

    daemon_threads = True

    def __init__(self, service: str, receiver_port: int, reached: Callable[[str, str], bool]) -> None:
        super().__init__(("127.0.0.1", 0), _Passing)
        self.reached = reached
        self.tasks: list[str] = []
        self._service = urlsplit(service).netloc
        self._receiver = f"127.0.0.1:{receiver_port}"
        self._numbers = {"request": count(1), "incoming": count(1)}

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a program that is killed in the middle of a request."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def numbered(self, path: str) -> tuple[str, str]:
        """Give the request its name, and the host to which it goes."""
        kind = "request" if path.startswith(_OF_THE_SERVICE) else "incoming"
        host = self._service if kind == "request" else self._receiver
        return f"{kind}:{next(self._numbers[kind])}", host


class _Passing(BaseHTTPRequestHandler):
    server: Relay
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        name, host = self.server.numbered(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        for moment in self._passed_on(host, body):
            if self.server.reached(f"{name}:{moment}", self._what()):
                self.close_connection = True
                return

    do_POST = do_GET  # noqa: N815 - http.server's name

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _passed_on(self, host: str, body: bytes) -> Iterator[str]:
        """Pass the request on, and its answer back; each moment as it is reached."""
        yield "arrived"
        answer = self._answered(host, body)
        yield "forwarded"
        half = len(answer) // 2
        self.wfile.write(answer[:half])
        yield "half answered"
        self.wfile.write(answer[half:])
        yield "answered"

    def _answered(self, host: str, body: bytes) -> bytes:
        """Ask, and give the whole answer as it goes over the wire."""
        connection = HTTPConnection(host, timeout=20)
        try:
            connection.request(self.command, self.path, body, dict(self.headers.items()))
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, HTTPException):
            return b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"
        finally:
            connection.close()
        if self.command == "POST" and self.path.startswith(_OF_THE_SERVICE):
            # Wherever the answer names it.
            self.server.tasks += [task.decode() for task in _TASK_ID.findall(content)]
        kept = [(key, value) for key, value in answer.getheaders() if key.lower() not in _OF_ONE_CONNECTION]
        head = [f"HTTP/1.1 {answer.status} {answer.reason}", *(f"{key}: {value}" for key, value in kept)]
        return "\r\n".join([*head, f"Content-Length: {len(content)}", "", ""]).encode() + content

    def _what(self) -> str:
        path = urlsplit(self.path).path
        return f"{self.command} {path if path.startswith(('/api/', '/kie/')) else path[:7]}"


@contextmanager
def relaying(relay: Relay) -> Iterator[Relay]:
    thread = Thread(target=relay.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield relay
    finally:
        relay.shutdown()
        relay.server_close()
        thread.join()
