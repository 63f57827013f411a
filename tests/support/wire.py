"""Servers that write to a connection exactly what a test says, with TLS and proxies."""

from __future__ import annotations

import select
import socket
import ssl
import struct
import subprocess
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Thread
from typing import TYPE_CHECKING

from suno_wav_cli.system.loopback import bind_socket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Responder = Callable[[socket.socket], None]

HOST = "cdn.invalid"
"""What the certificate is for, besides 127.0.0.1."""

_TIMEOUT = 20.0


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """Signed by itself, with its key in the same file."""

    path: Path

    def server(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path)
        return context

    def client(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.path)


def new_certificate(folder: Path) -> Certificate:
    path = folder / "both.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-days", "2", "-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST},IP:127.0.0.1"),
            *("-keyout", str(path), "-out", str(folder / "certificate.pem")),
        ],
        capture_output=True,
        check=True,
    )
    with path.open("ab") as both:
        both.write((folder / "certificate.pem").read_bytes())
    return Certificate(path=path)


@contextmanager
def serve(respond: Responder, tls: ssl.SSLContext | None = None, *, port: int = 0) -> Iterator[int]:
    """Call `respond` with each connection, then close it. Yield the port.

    Errors of a connection are ignored.
    """

    def handle(connection: socket.socket) -> None:
        connection.settimeout(_TIMEOUT)
        with suppress(OSError), connection:
            if tls is None:
                respond(connection)
            else:
                with tls.wrap_socket(connection, server_side=True, suppress_ragged_eofs=True) as inner:
                    respond(inner)

    def accept(bound: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = bound.accept()
                Thread(target=handle, args=[connection], daemon=True).start()

    with bind_socket(port) as bound:
        thread = Thread(target=accept, args=[bound], daemon=True)
        thread.start()
        try:
            yield int(bound.getsockname()[1])
        finally:
            bound.shutdown(socket.SHUT_RDWR)
            thread.join(_TIMEOUT)


def read_head(connection: socket.socket) -> bytes:
    """Read a request's head."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        piece = connection.recv(1)
        if not piece:
            raise ConnectionError
        head += piece
    return head


def reset(connection: socket.socket) -> None:
    """End the connection by a TCP RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def wait_for_close(connection: socket.socket) -> None:
    """Send nothing until the client closes the connection."""
    while connection.recv(1024):
        pass


def proxy_to(port: int, seen: list[bytes]) -> Responder:
    """Connect every client to `port`, and record its request line."""

    def respond(connection: socket.socket) -> None:
        seen.append(read_head(connection).split(b"\r\n")[0])
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        connect_to(port, connection)

    return respond


def connect_to(port: int, near: socket.socket) -> None:
    """Pass on what comes and goes, until one end closes."""
    with socket.create_connection(("127.0.0.1", port), _TIMEOUT) as far:
        _relay(near, far)
        with suppress(OSError):
            near.shutdown(socket.SHUT_RDWR)


def _relay(near: socket.socket, far: socket.socket) -> None:
    """Copy both ways in one thread: two threads may not share a TLS connection."""
    others = {near: far, far: near}
    while True:
        decrypted = [end for end in others if isinstance(end, ssl.SSLSocket) and end.pending()]
        readable = decrypted or select.select(list(others), [], [], _TIMEOUT)[0]
        if not readable:
            return
        for end in readable:
            piece = end.recv(1 << 16)
            if not piece:
                return
            others[end].sendall(piece)
