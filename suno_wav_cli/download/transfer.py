"""One attempt to fetch what is missing of a file into its part file.

Threads move the bytes, because httpx on the event loop costs several times the CPU.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from suno_wav_cli.download.body import LARGEST_BLOCK, read_blocks
from suno_wav_cli.download.connections import Connections
from suno_wav_cli.download.http import explain, open_client, open_response, read_start
from suno_wav_cli.download.part_file import disk_error
from suno_wav_cli.download.response import check_response
from suno_wav_cli.download.segments import Segments
from suno_wav_cli.errors import BrokenOff, DownloadFailed, StartOver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from suno_wav_cli.download.http import DownloadPolicy
    from suno_wav_cli.download.part_file import PartFile
    from suno_wav_cli.download.response import Content
    from suno_wav_cli.download.segments import Segment
    from suno_wav_cli.journal.parts import PartialFile

_LOOK_SECONDS = 0.1
"""How long the first connection shows its speed before others join it."""

_BLOCKS_A_SECOND = 8
"""So that a limited rate is smooth."""


class Transfer:
    """One attempt, by one connection or several, each in a thread of its own.

    `partial` is what an earlier attempt left in the part file; without it the file starts over.
    Only `segments` and the connections change, and each of them guards itself.
    """

    def __init__(
        self,
        url: str,
        part: PartFile,
        policy: DownloadPolicy,
        partial: PartialFile | None = None,
        connections: int = 1,
    ) -> None:
        self.part = part
        self.policy = policy
        self.segments = Segments(partial, connections)
        self._url = url
        self._connections = Connections()

    def stop(self, error: DownloadFailed) -> None:
        """Make `run` raise this error within a moment, even while it waits for a byte."""
        self._connections.stop(error)

    def run(self) -> None:
        """Fetch what is missing.

        Raise BrokenOff if another attempt may help, StartOver if only one from the beginning,
        AddressRefused if a fresh address may, and DownloadFailed otherwise.
        """
        helpers: list[threading.Thread] = []

        def start_helpers() -> None:
            if not helpers:
                helpers.extend(self._start_helpers(client))

        patience = self.policy.stall_timeout
        with self._stopping_on_error(), open_client(self._url, self.policy, timeout=patience) as client:
            if self.segments.partial_file() is None:
                self.part.restart()
            self._fetch(client, start_helpers)
            for helper in helpers:
                helper.join()
        if self._connections.error is not None:
            raise self._connections.error

    # One connection

    def _fetch(self, client: httpx.Client, on_answer: Callable[[], None] = lambda: None) -> None:
        """Fetch one segment after the other, until none is left or the transfer is stopped."""
        with self._stopping_on_error():
            while not self._connections.is_stopped and (segment := self.segments.take()) is not None:
                with self._request(client, segment) as (response, content):
                    on_answer()
                    self._receive(response, content, segment)

    @contextmanager
    def _request(self, client: httpx.Client, segment: Segment) -> Iterator[tuple[httpx.Response, Content]]:
        headers, wanted = {}, None
        validator = self.segments.validator
        if validator is not None:
            wanted = segment.rest
            last = "" if wanted.stop is None else wanted.stop - 1
            headers = {"Range": f"bytes={wanted.start}-{last}", "If-Range": validator}
        with (
            self._connections.track() as trace,
            open_response(client, self._url, headers, trace) as response,
        ):
            content = check_response(
                response.status_code, response.headers, wanted, validator, read_start(response)
            )
            self._check_size(content.length or 0)
            self.part.check_room(content.span.stop or 0)
            self.segments.begin(segment, content)
            yield response, content

    def _receive(self, response: httpx.Response, content: Content, segment: Segment) -> None:
        """Write the body into the segment, until that is complete.

        A stop ends the connection, and so the body, after the bytes that have arrived already.
        """
        if segment.is_complete:
            return
        rate = self.policy.rate
        size = LARGEST_BLOCK
        if rate.rate is not None:
            size = max(1, min(rate.rate // _BLOCKS_A_SECOND, size))
        for block in read_blocks(response, content, size=size, silence=self.policy.stall_timeout):
            if delay := rate.delay(len(block)):
                self._connections.pause(delay)
            if self._write(block, content.span.stop, segment):
                return
        # Without a stated length, that end looks like the file's.
        if not self._connections.is_stopped and not self.segments.end(segment):
            raise BrokenOff(f"the download broke off: the file ended early, at byte {segment.position:,}")

    def _write(self, block: bytes | memoryview, reach: int | None, segment: Segment) -> bool:
        """Write what of the block is the segment's. Return whether the segment is complete."""
        if reach is not None and segment.position + len(block) > reach:
            raise StartOver("the file's server sends more than it says")
        is_complete = False
        while block and not is_complete:
            count = self.segments.claim(segment, len(block))
            self.part.write(segment.position, block[:count])
            is_complete = self.segments.advance(segment, count, reach)
            block = block[count:]
            self._check_size(segment.position)
        return is_complete

    def _check_size(self, size: int) -> None:
        if size > self.policy.max_size:
            raise DownloadFailed(
                f"the file is larger than {self.policy.max_size:,} bytes: {size:,}",
                "If it is what you want, allow more by --max-size.",
            )

    # Several connections

    def _start_helpers(self, client: httpx.Client) -> list[threading.Thread]:
        helpers = [
            threading.Thread(target=self._help, args=[client], name="download", daemon=True)
            for _ in range(self.segments.helpers)
        ]
        for helper in helpers:
            helper.start()
        return helpers

    def _help(self, client: httpx.Client) -> None:
        """Fetch other segments, unless the first connection is as fast as any line."""
        with self._stopping_on_error():
            if self._is_one_enough() or self._connections.is_stopped:
                return
            if self.segments.share() and (length := self.segments.length) is not None:
                self.part.allocate(length)
        self._fetch(client)

    def _is_one_enough(self) -> bool:
        if self.policy.fast_enough is None:
            return False
        before = self.segments.received
        self._connections.pause(_LOOK_SECONDS)
        return self.segments.received - before > self.policy.fast_enough * _LOOK_SECONDS

    @contextmanager
    def _stopping_on_error(self) -> Iterator[None]:
        """End the other connections when one fails. `run` raises the error."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - raised by `run`, which waits for all threads
            if isinstance(error, OSError):
                self._connections.stop(disk_error(self.part.path, error))
            else:
                self._connections.stop(explain(error, self.policy))
