"""An S3 server on a real port (moto's), and a relay that stops an upload on its way.

python -m tests.support.object_store prints its port and serves until it is killed.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import httpx
import obstore
from obstore.store import S3Store

if TYPE_CHECKING:
    from collections.abc import Iterator

BUCKET = "songs"
SECRET = "s3-secret-8d21"  # noqa: S105 - of a server on this machine
_BLOCK = 65536


@dataclass(frozen=True)
class ObjectStore:
    """A bucket of the server at `url`."""

    url: str

    @property
    def settings(self) -> dict[str, str]:
        """Environment variables for the program."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1",
        }

    @property
    def client(self) -> S3Store:
        return S3Store(
            BUCKET,
            endpoint=self.url,
            access_key_id="key",
            secret_access_key=SECRET,
            region="us-east-1",
            client_options={"allow_http": True},
        )

    def put(self, key: str, content: bytes) -> None:
        obstore.put(self.client, key, content)

    def get(self, key: str) -> tuple[bytes, dict[str, Any]]:
        """Return an object's content and attributes."""
        found = obstore.get(self.client, key)
        return bytes(found.bytes()), dict(found.attributes)

    def keys(self) -> list[str]:
        return sorted(found["path"] for chunk in obstore.list(self.client) for found in chunk)


@contextmanager
def serve_objects() -> Iterator[ObjectStore]:
    """Start the server with an empty bucket. Kill it at the end of the block."""
    with subprocess.Popen(
        [sys.executable, "-m", __name__], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield ObjectStore(f"http://127.0.0.1:{int(process.stdout.readline())}")
        finally:
            process.kill()


class Relay:
    """Passes connections on to `port`, and holds them back after so many bytes in all from the clients.

    `is_held` is set when that has happened.
    """

    def __init__(self, port: int, hold_after: int) -> None:
        self._port = port
        self._left = hold_after
        self._lock = threading.Lock()
        self.is_held = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._port))
                threading.Thread(target=self._pass, args=(client, server, True), daemon=True).start()
                threading.Thread(target=self._pass, args=(server, client, False), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, counted: bool) -> None:
        with suppress(OSError), source, target:
            while block := source.recv(_BLOCK):
                if counted and not self._lets_pass(len(block)):
                    self.is_held.set()
                    # Reads on, so that the end of the client is noticed, and passes nothing on.
                    while source.recv(_BLOCK):
                        pass
                    return
                target.sendall(block)

    def _lets_pass(self, count: int) -> bool:
        with self._lock:
            self._left -= count
            return self._left >= 0


@contextmanager
def serve_old_store() -> Iterator[tuple[ObjectStore, dict[str, bytes]]]:
    """Serve a store that does not know conditional requests. Yield it and its objects."""
    objects: dict[str, bytes] = {}
    attributes: dict[str, str] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        @property
        def key(self) -> str:
            return unquote(self.path)

        def log_message(self, *_: object) -> None:
            pass

        def answer(self, status: int, content: bytes = b"") -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("ETag", '"any"')
            self.send_header("Last-Modified", "Fri, 27 Nov 2026 12:00:00 GMT")
            if self.key in attributes:
                self.send_header("x-amz-meta-sha256", attributes[self.key])
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def do_PUT(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers["If-None-Match"]:
                self.answer(501, b"<Error><Code>NotImplemented</Code></Error>")
                return
            objects[self.key] = content
            attributes[self.key] = self.headers["x-amz-meta-sha256"] or ""
            self.answer(200)

        def do_GET(self) -> None:
            found = objects.get(self.key)
            self.answer(404 if found is None else 200, found or b"")

        do_HEAD = do_GET  # noqa: N815 - http.server's name

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield ObjectStore(f"http://127.0.0.1:{server.server_address[1]}"), objects
        server.shutdown()


def _serve() -> None:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    httpx.put(f"http://127.0.0.1:{port}/{BUCKET}", trust_env=False).raise_for_status()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    _serve()
