"""A server that answers the program with whatever a test says."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from suno_wav_cli.api.providers import SUNOAPI
from suno_wav_cli.callbacks.server import serve_in_thread
from suno_wav_cli.sandbox.cdn.melody import Layout, make_melody
from suno_wav_cli.system.loopback import address_of, bind_socket
from tests.support.program import Finished, run_program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.types import Receive, Scope, Send

KEY = "key-5f2e9c81d0"
TASK = "a" * 32
PAGE = "<!DOCTYPE html><title>Some proxy</title>"
TUNE = make_melody(Layout(seconds=0.1))
TUNE_BYTES = TUNE.read(0, 44) + TUNE.read(44, TUNE.length)


@dataclass(frozen=True)
class Seen:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    query: dict[str, str] = field(default_factory=dict)


@dataclass
class Wild:
    """A server that answers as `answer` says, whatever it is asked."""

    address: str = ""
    answer: Callable[[Seen], Response] = field(default=lambda _: Response())
    seen: list[Seen] = field(default_factory=list, repr=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        seen = Seen(
            method=request.method,
            path=request.url.path,
            headers=dict(request.headers),
            body=await request.body(),
            query=dict(request.query_params),
        )
        self.seen.append(seen)
        await self.answer(seen)(scope, receive, send)

    @property
    def methods(self) -> list[str]:
        return [seen.method for seen in self.seen]

    def serves(self, **record: Any) -> None:
        """Be a good service, but for these fields of the record."""
        self.answer = partial(good_answer, f"{self.address}/song.wav", record)

    def run(self, *arguments: str, env: dict[str, str] | None = None) -> Finished:
        return run_program(*arguments, env=settings_for(self.address) | (env or {}))


def good_answer(url: str, record: dict[str, Any], seen: Seen) -> Response:
    if seen.path == SUNOAPI.submit_path:
        return envelope(data={"taskId": TASK})
    if seen.path == SUNOAPI.record_path:
        found = {
            "taskId": seen.query.get("taskId"),
            "successFlag": "SUCCESS",
            "response": {"audioWavUrl": url},
        }
        return envelope(data=found | record)
    return Response(TUNE_BYTES, media_type="audio/wav")


def envelope(code: int = 200, message: str = "success", data: object = None) -> Response:
    # With escapes, so that any text passes.
    content = json.dumps({"code": code, "msg": message, "data": data})
    return Response(content, media_type="application/json")


def settings_for(address: str) -> dict[str, str]:
    return {
        "SUNO_API_KEY": KEY,
        "SUNO_WAV_BASE_URL": address,
        "SUNO_WAV_TUNNEL": "none",
        "SUNO_WAV_POLL_INTERVAL": "50ms",
        "SUNO_WAV_TIMEOUT": "5s",
        "SUNO_WAV_RETRIES": "1",
    }


@contextmanager
def a_wild_server() -> Iterator[Wild]:
    wild = Wild()
    with bind_socket(0) as bound, serve_in_thread(wild, bound):
        wild.address = address_of(bound)
        yield wild
