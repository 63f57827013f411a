"""The one answer of the API that a download needs: the record of a task, whose file is there."""

from __future__ import annotations

import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator


class Api(ThreadingHTTPServer):
    """Knows the tasks that it was told of."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Record)
        self.files: dict[str, str] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def task_of(self, file: str) -> str:
        """Give the id of a new task, whose file is at this address."""
        task_id = f"{len(self.files) + 1:032x}"
        self.files[task_id] = file
        return task_id


class _Record(BaseHTTPRequestHandler):
    server: Api

    def do_GET(self) -> None:
        task_id = parse_qs(urlsplit(self.path).query)["taskId"][0]
        data = {
            "taskId": task_id,
            "musicId": f"song-{task_id}",
            "successFlag": "SUCCESS",
            "response": {"audioWavUrl": self.server.files[task_id]},
        }
        content = json.dumps({"code": 200, "msg": "success", "data": data}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Log no requests."""


@contextmanager
def answering() -> Iterator[Api]:
    with Api() as api:
        Thread(target=api.serve_forever, daemon=True).start()
        try:
            yield api
        finally:
            api.shutdown()
