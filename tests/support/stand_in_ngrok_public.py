"""The small HTTP server that all sides of the stand-in agent use, and its public side."""

from __future__ import annotations

import http.client
import json
import re
import socketserver
import sys
import threading
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

HOP_BY_HOP = {
    "connection",
    "content-length",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}


@dataclass(frozen=True)
class Request:
    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes
    client: str

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def json(cls, status: int, value: Any) -> Reply:
        return cls(status, json.dumps(value).encode(), [("Content-Type", "application/json")])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    timeout = 60
    server: Server

    def answer(self) -> None:
        request = Request(
            method=self.command,
            target=self.path,
            headers=list(self.headers.items()),
            body=self._body(),
            client=str(self.client_address[0]),
        )
        reply = self.server.answer(request)
        self.send_response_only(reply.status)
        for name, value in reply.headers:
            self.send_header(name, value)
        bodiless = request.method == "HEAD" or reply.status in {
            HTTPStatus.NO_CONTENT,
            HTTPStatus.NOT_MODIFIED,
        }
        if not bodiless:
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if not bodiless:
            self.wfile.write(reply.body)
        self.wfile.flush()

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        chunks = []
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(chunks)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing: what is logged is the agent's business."""


for _method in ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"):
    setattr(_Handler, f"do_{_method}", _Handler.answer)


class Server(ThreadingHTTPServer):
    """Serves on loopback in threads of its own until the process ends."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self, answer: Callable[[Request], Reply], address: tuple[str, int] = ("127.0.0.1", 0)
    ) -> None:
        self.answer = answer
        super().__init__(address, _Handler)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def address(self) -> str:
        return f"{self.server_address[0]!s}:{self.server_port}"

    def server_bind(self) -> None:
        # HTTPServer would ask the DNS for the name of 127.0.0.1.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "localhost", self.socket.getsockname()[1]

    def handle_error(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: object
    ) -> None:
        if not isinstance(sys.exception(), (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class UnknownPolicy(ValueError):
    pass


_ONLY_POST_TO = re.compile(r"!\(req\.method == 'POST' && req\.url\.path == '([^']+)'\)")


def only_path(policy: dict[str, Any]) -> str:
    """Read the one traffic policy that the stand-in knows: all but POST to one path is a 404."""
    try:
        ((phase, (rule,)),) = policy.items()
        (expression,) = rule["expressions"]
        actions = rule["actions"]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UnknownPolicy(f"not one rule with one expression: {policy}") from error
    match = _ONLY_POST_TO.fullmatch(expression)
    deny = [{"type": "deny", "config": {"status_code": 404}}]
    if phase != "on_http_request" or match is None or actions != deny:
        raise UnknownPolicy(f"not the one form that is known: {policy}")
    return match[1]


def error_page(status: int, code: str, text: str) -> Reply:
    body = f"<!DOCTYPE html>\n<html><body><p>{text}</p><p>{code}</p></body></html>\n".encode()
    return Reply(
        status=status, body=body, headers=[("Content-Type", "text/html"), ("Ngrok-Error-Code", code)]
    )


class Endpoint:
    """What was asked for, and the server that is its public side."""

    def __init__(
        self,
        options: dict[str, Any],
        upstream: str,
        path: str | None,
        joined: Callable[[Endpoint, Request], None],
        refuse: Callable[[Endpoint], Reply | None],
    ) -> None:
        self.options = options
        self.name = str(options["name"])
        self.upstream = upstream
        self.only_path = path
        self.counts = {"forwarded": 0, "denied": 0, "unreachable": 0}
        self._joined = joined
        self._refuse = refuse
        self._side = Server(self._answer)
        self.known_url = self.public_url
        """As the agent's own API says it."""

    @property
    def public_url(self) -> str:
        return f"http://{self._side.address}"

    @property
    def asked_url(self) -> str | None:
        asked = next(
            (self.options[key] for key in ("url", "domain", "hostname") if key in self.options), None
        )
        return None if asked is None else str(asked)

    def move(self) -> None:
        """Move to another address. The old one leads nowhere."""
        self._side.answer = lambda _request: self.offline()
        self._side = Server(self._answer)

    def close(self) -> None:
        self._side.answer = lambda _request: self.offline()

    def offline(self) -> Reply:
        return error_page(404, "ERR_NGROK_3200", f"The endpoint {self._side.address} is offline.")

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "options": self.options,
            "upstream": self.upstream,
            "asked_url": self.asked_url,
            "public_url": self.public_url,
            "only_path": self.only_path,
            "counts": self.counts,
        }

    def _answer(self, request: Request) -> Reply:
        refused = self._refuse(self)
        if refused is not None:
            return refused
        if self.only_path is not None and (request.method, request.path) != ("POST", self.only_path):
            self.counts["denied"] += 1
            return Reply(status=404)
        self._joined(self, request)
        try:
            reply = self._forward(request)
        except (OSError, http.client.HTTPException):
            self.counts["unreachable"] += 1
            return self.bad_gateway()
        self.counts["forwarded"] += 1
        return reply

    def bad_gateway(self) -> Reply:
        text = f"Traffic was successfully tunneled to the agent, but it could not reach {self.upstream}."
        return error_page(502, "ERR_NGROK_8012", text)

    def _forward(self, request: Request) -> Reply:
        url = urlsplit(self.upstream)
        local = http.client.HTTPConnection(url.hostname or "localhost", url.port or 80, timeout=30)
        try:
            local.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
            for name, value in request.headers:
                if name.lower() not in HOP_BY_HOP:
                    local.putheader(name, value)
            local.putheader("X-Forwarded-For", request.client)
            local.putheader("X-Forwarded-Host", dict(request.headers).get("Host", self._side.address))
            local.putheader("X-Forwarded-Proto", "http")
            if request.body or request.method in {"PATCH", "POST", "PUT"}:
                local.putheader("Content-Length", str(len(request.body)))
            local.endheaders(request.body)
            answer = local.getresponse()
            headers = [(name, value) for name, value in answer.getheaders() if name.lower() not in HOP_BY_HOP]
            return Reply(status=answer.status, body=answer.read(), headers=headers)
        finally:
            local.close()
