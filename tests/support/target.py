"""A person's own receiver: a real server with given answers."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from tests.support.program import Finished, run_program

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "whsec-never-shown"
UNGUESSABLE = "kq3V9xT7Yw2LrB8nZc5Hd1Ju"


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes
    at: float

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def header(self, wanted: str) -> str:
        (value,) = [value for name, value in self.headers if name.lower() == wanted.lower()]
        return value


@dataclass
class Receiver:
    """Answers with the next of `answers` (a status, a delay). The last one stays."""

    address: str = ""
    answers: list[tuple[int, float]] = field(default_factory=lambda: [(200, 0.0)])
    body: bytes = b'{"status": "received"}\n'
    arrived: list[Request] = field(default_factory=list)
    closing: Event = field(default_factory=Event)

    @property
    def url(self) -> str:
        return f"{self.address}/hook/{UNGUESSABLE}"

    def run(self, *arguments: str, env: dict[str, str] | None = None) -> Finished:
        done = run_program("trigger", self.url, *arguments, env=env)
        for secret in (UNGUESSABLE, "/hook", KEY):
            assert secret not in done.out + done.err
        return done


@contextmanager
def receiving(*answers: tuple[int, float], body: bytes | None = None, port: int = 0) -> Iterator[Receiver]:
    receiver = Receiver()
    receiver.answers = list(answers) or receiver.answers
    receiver.body = receiver.body if body is None else body

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            receiver.arrived.append(
                Request(
                    method=self.command,
                    path=self.path,
                    headers=self.headers.items(),
                    body=content,
                    at=time.monotonic(),
                )
            )
            answers = receiver.answers
            status, seconds = answers.pop(0) if len(answers) > 1 else answers[0]
            if receiver.closing.wait(seconds):
                return
            self.send_response(status)
            self.send_header("Content-Length", str(len(receiver.body)))
            if status in range(300, 400):
                self.send_header("Location", "http://[nowhere/")
            self.end_headers()
            self.wfile.write(receiver.body)

        do_GET = do_POST = answer  # noqa: N815 - the names that http.server calls

        def log_message(self, *_arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        receiver.address = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield receiver
        finally:
            receiver.closing.set()
            server.shutdown()
            thread.join()
