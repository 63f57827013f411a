"""A WAV at an address of its own for each callback, and what a receiver fetches of it."""

from __future__ import annotations

import asyncio
import re
import secrets
import socket
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from suno_wav_cli.callbacks.server import serve_here
from suno_wav_cli.sandbox.cdn.connection import CdnProtocol
from suno_wav_cli.sandbox.cdn.faults import FAULTLESS
from suno_wav_cli.sandbox.cdn.files import serve_file
from suno_wav_cli.sandbox.cdn.melody import PLAIN
from suno_wav_cli.sandbox.cdn.stored import StoredFile
from suno_wav_cli.system.loopback import address_of, bind_socket

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request
    from starlette.responses import Response

_SEND_BUFFER = 64 * 1024
"""What the system takes of a file that is not read counts as fetched, so it must be far from all of it."""

_PATIENCE_FACTOR = 4
_LEAVING_SECONDS = 0.1
_FROM = re.compile(r"bytes (\d+)-")


@dataclass(frozen=True, kw_only=True)
class Fetch:
    """What was fetched of a file until now: `bytes` different ones of `size`, in so many `requests`.

    `is_early`: the receiver did not answer the callback until it had the file. `times`: how often the
    whole file was sent. `seconds` are those from the answer to the last byte, and `waited` those until now.
    """

    size: int
    bytes: int
    requests: int
    times: int
    is_early: bool
    seconds: float | None
    waited: float

    @property
    def is_whole(self) -> bool:
        return self.bytes == self.size


class OfferedFile:
    """The file of one callback. A receiver that asks for it before it has answered has to wait.

    So a receiver that answers first gets it after the answer, even if it starts the download earlier,
    in a thread. One that has no answer within `hold` seconds does not answer until it has the file.
    """

    def __init__(self, url: str, task_id: str, hold: float) -> None:
        self.url = url
        self._stored = StoredFile(task_id, PLAIN, FAULTLESS)
        self.size = self._stored.wav.length
        self._hold = hold
        self._answered = asyncio.Event()
        self._answered_at: float | None = None
        self._changed = asyncio.Event()
        self._is_early = False
        self._requests = self._held = 0
        self._sent: list[list[int]] = []
        self._whole_at: float | None = None

    @property
    def fetch(self) -> Fetch:
        return Fetch(
            size=self.size,
            bytes=_count_different(self._sent),
            requests=self._requests,
            times=sum(stop - start for start, stop in self._sent) // self.size,
            is_early=self._is_early,
            seconds=_difference(self._answered_at, self._whole_at),
            waited=_difference(self._answered_at, time.monotonic()) or 0.0,
        )

    def note_answer(self) -> None:
        """Note that the receiver has answered the callback, or will not. Only the first time counts."""
        self._answered_at = self._answered_at or time.monotonic()
        self._answered.set()

    async def wait(self, seconds: float, times: int = 1) -> Fetch:
        """Wait until the file was fetched so many `times`, or until nothing of it is fetched for `seconds`."""
        while self._held and self._answered.is_set():
            await self._wait_for_change()
        end = time.monotonic() + _PATIENCE_FACTOR * seconds
        while (fetch := self.fetch).times < times or not fetch.is_whole:
            try:
                async with asyncio.timeout(min(seconds, end - time.monotonic())):
                    await self._wait_for_change()
            except TimeoutError:
                break
        return self.fetch

    async def _wait_for_change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    async def serve(self, request: Request) -> Response:
        if request.method == "GET":
            self._requests += 1
            self._held += 1
            try:
                await self._hold_back(request)
            finally:
                self._held -= 1
                self._changed.set()
        sent = [0, 0]
        response, _ = await serve_file(self._stored, request, partial(self._count, sent))
        begins = _FROM.match(response.headers.get("Content-Range", ""))
        sent[:] = [int(begins[1])] * 2 if begins else [0, 0]
        self._sent.append(sent)
        return response

    async def _hold_back(self, request: Request) -> None:
        """Wait for the answer to the callback, but not so long that the receiver gives up."""
        if self._answered.is_set():
            return
        answered = asyncio.create_task(self._answered.wait())
        # One that gives the file up to be able to answer has waited for it too.
        left = asyncio.create_task(_wait_until_left(request))
        await asyncio.wait([answered, left], timeout=self._hold, return_when=asyncio.FIRST_COMPLETED)
        if answered.done():
            # Its end may be seen a moment after the answer that it made possible.
            await asyncio.wait([left], timeout=_LEAVING_SECONDS)
        self._is_early = self._is_early or left.done() or not answered.done()
        answered.cancel()
        left.cancel()

    def _count(self, sent: list[int], count: int) -> None:
        sent[1] += count
        if self._whole_at is None and _count_different(self._sent) == self.size:
            self._whole_at = time.monotonic()
        self._changed.set()


class FileOffer:
    """Files at addresses below `base_url`, one for each callback."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self._files: dict[str, OfferedFile] = {}

    def add(self, hold: float) -> OfferedFile:
        """Offer another file, which is held back for `hold` seconds at the most."""
        name = secrets.token_hex(16)
        file = self._files[name] = OfferedFile(f"{self.base_url}/{name}.wav", name, hold)
        return file

    async def serve(self, request: Request) -> Response:
        file = self._files.get(request.path_params["name"])
        return PlainTextResponse("not found\n", 404) if file is None else await file.serve(request)


@asynccontextmanager
async def offer_files() -> AsyncIterator[FileOffer]:
    """Serve on a free port of this machine, in this loop, until the block is left."""
    with bind_socket(0) as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        offer = FileOffer(address_of(bound))
        async with serve_here(Starlette(routes=[Route("/{name}.wav", offer.serve)]), bound, CdnProtocol):
            yield offer


async def _wait_until_left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _difference(earlier: float | None, later: float | None) -> float | None:
    return None if earlier is None or later is None else later - earlier


def _count_different(spans: list[list[int]]) -> int:
    """Count the bytes that are in at least one of the spans, which go from a start to before a stop."""
    count = reached = 0
    for start, stop in sorted(spans):
        count += max(0, stop - max(start, reached))
        reached = max(reached, stop)
    return count
