"""Whether a server answers at all: one request without a key, which costs nothing."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from suno_wav_cli import USER_AGENT
from suno_wav_cli.system.http_problems import Problem, explain
from suno_wav_cli.system.loopback import is_loopback
from suno_wav_cli.system.wire import bound

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Reached:
    """A `status`, or a `problem` with the system's own word on it in `detail`. `date` is the server's."""

    seconds: float
    status: int | None = None
    date: str = ""
    problem: Problem | None = None
    detail: str = ""


async def reach(url: str, tls: ssl.SSLContext, *, seconds: float) -> Reached:
    """Send one GET, and read the head of the answer. Redirects are not followed. Never raises."""
    sent = False

    async def watch(event: str, info: Mapping[str, Any]) -> None:
        # The method tells the request from the CONNECT that a proxy is sent before it.
        nonlocal sent
        if event.endswith(".send_request_headers.started"):
            sent = sent or info["request"].method == b"GET"

    began = time.monotonic()
    try:
        http = httpx.AsyncClient(
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
            timeout=None,  # noqa: S113 - the whole request has a bound
            verify=tls,
            trust_env=not is_loopback(url),
        )
        bound(http)
        async with (
            asyncio.timeout(seconds),
            http,
            http.stream("GET", url, extensions={"trace": watch}) as response,
        ):
            return Reached(
                seconds=time.monotonic() - began,
                status=response.status_code,
                date=response.headers.get("Date", ""),
            )
    except TimeoutError:
        problem, detail = (Problem.SILENT if sent else Problem.UNREACHABLE), ""
    except Exception as error:  # noqa: BLE001 - an address can be wrong in many ways, and each is an answer
        problem, detail = explain(error, sent=sent)
    return Reached(seconds=time.monotonic() - began, problem=problem, detail=detail)
