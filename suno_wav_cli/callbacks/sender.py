"""Post a callback as the service does (api/README.md, section 5), and tell what came back."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from suno_wav_cli import USER_AGENT
from suno_wav_cli.system.http_errors import read_body
from suno_wav_cli.system.http_problems import Problem, explain
from suno_wav_cli.system.loopback import is_loopback
from suno_wav_cli.system.wire import bound

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Mapping

_MAX_ANSWER_BYTES = 4096
"""Enough of an answer's body to see what it is."""

_SUCCESS_CLASS = 2

AGENT_HEADER = ("User-Agent", USER_AGENT)
JSON_HEADERS = (("Content-Type", "application/json"), AGENT_HEADER)

_HOP_BY_HOP = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


@dataclass(frozen=True, kw_only=True)
class ServiceTiming:
    """How long the service waits for an answer, and before each retry, in seconds."""

    answer: float = 15.0
    retries: tuple[float, ...] = (60.0, 300.0, 900.0)

    def at_speed(self, speed: float) -> ServiceTiming:
        """Return the timing of a service whose time runs `speed` times as fast.

        A receiver needs its time however fast that is, so `answer` stays.
        """
        return replace(self, retries=tuple(seconds / speed for seconds in self.retries))


@dataclass(frozen=True, kw_only=True)
class CallbackRequest:
    """A callback to post, with all of its headers but Host and Content-Length."""

    body: bytes
    headers: tuple[tuple[str, str], ...] = JSON_HEADERS
    method: str = "POST"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back: a `status`, or a `problem` with the system's own word on it in `detail`."""

    seconds: float
    status: int | None = None
    body: bytes = b""
    problem: Problem | None = None
    detail: str = ""

    @property
    def is_taken(self) -> bool:
        """Whether the receiver has said that it has the callback."""
        return self.status is not None and self.status // 100 == _SUCCESS_CLASS


async def post_callback(
    callback: CallbackRequest, url: str, seconds: float, tls: ssl.SSLContext | None = None
) -> Answer:
    """Make one request, without redirects, and wait at most `seconds` in all. Never raises.

    Without `tls` the certificates are loaded for each request to https.
    """
    sent = False

    async def watch(event: str, info: Mapping[str, Any]) -> None:
        # The method tells the request from the CONNECT that a proxy is sent before it.
        nonlocal sent
        if event.endswith(".send_request_headers.started"):
            sent = sent or info["request"].method == callback.method.encode()

    began = time.monotonic()

    def failed(problem: Problem, detail: str = "") -> Answer:
        return Answer(seconds=time.monotonic() - began, problem=problem, detail=detail)

    try:
        # Made by hand, because a client adds headers of its own. Loading the certificates takes 30 ms.
        request = httpx.Request(
            callback.method,
            url,
            headers=[(name.encode("latin-1"), value.encode("latin-1")) for name, value in callback.headers],
            content=callback.body,
            extensions={"trace": watch},
        )
        http = httpx.AsyncClient(
            timeout=None,  # noqa: S113 - the whole request has a bound
            trust_env=not is_loopback(url),
            verify=tls or request.url.scheme == "https",
        )
        bound(http)
        began = time.monotonic()
        async with asyncio.timeout(seconds), http:
            response = await http.send(request, stream=True)
            body = await read_body(response, _MAX_ANSWER_BYTES)
            await response.aclose()
            return Answer(
                seconds=time.monotonic() - began, status=response.status_code, body=body[:_MAX_ANSWER_BYTES]
            )
    except TimeoutError:
        return failed(Problem.SILENT if sent else Problem.UNREACHABLE)
    except Exception as error:  # noqa: BLE001 - an address can be wrong in many ways, and each is an answer
        return failed(*explain(error, sent=sent))


def end_to_end(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Leave out the headers of one connection, and those that each request has of its own."""
    headers = tuple(headers)
    listed = ",".join(value for name, value in headers if name.lower() == "connection")
    dropped = _HOP_BY_HOP | {name.strip().lower() for name in listed.split(",")}
    return tuple((name, value) for name, value in headers if name.lower() not in dropped)


def origin(url: str) -> str:
    """Return the address without its path, which may be secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
