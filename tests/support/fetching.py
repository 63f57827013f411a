"""Receivers that download, each in its way: real servers, for `trigger --serve`."""

from __future__ import annotations

import json
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import Request, urlopen

from suno_wav_cli.callbacks.payload import read_callback

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Take = Callable[[bytes, str | None, Callable[[int], None]], None]
    """Takes a body, and the address that it names. Answers with a status, once."""


def download(url: str, *, most: int | None = None, method: str = "GET", span: str | None = None) -> bytes:
    """Read `most` bytes, or all."""
    headers = {} if span is None else {"Range": f"bytes={span}"}
    with urlopen(Request(url, method=method, headers=headers), timeout=60) as response:  # noqa: S310 - ours
        content: bytes = response.read() if most is None else response.read(most)
        return content


def after_the_answer(work: Callable[[str], object]) -> Take:
    def take(_: bytes, url: str | None, answer: Callable[[int], None]) -> None:
        answer(200)
        if url is not None:
            work(url)

    return take


@contextmanager
def fetching(take: Take) -> Iterator[str]:
    """Serve on a free port. Yield the address. Work is finished at the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                content = json.loads(body)
            except ValueError:
                content = {}
            with suppress(URLError, OSError):
                take(body, read_callback(content).url, self._answer)

        def do_GET(self) -> None:
            self._answer(405)

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.send_header("Connection", "close")
            self.end_headers()
            self.close_connection = True

        def log_message(self, *_arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = False
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/hook"
        finally:
            server.shutdown()
            thread.join()
