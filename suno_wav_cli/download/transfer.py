"""One attempt at a download: what is missing of a file, by one connection or several, into its `.part`.

Threads move the bytes, because httpx on the event loop costs several times the CPU.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx

from suno_wav_cli.download.body import LARGEST_BLOCK, blocks
from suno_wav_cli.download.connections import Connections
from suno_wav_cli.download.http import answered, explained, open_client
from suno_wav_cli.download.part_file import disk_failed
from suno_wav_cli.download.response import Content, judged
from suno_wav_cli.download.segments import Segment, Segments
from suno_wav_cli.errors import BrokenOff, DownloadFailed, StartOver, SunoWavError
from suno_wav_cli.journal.holding import ByteRange, PartialFile, received

if TYPE_CHECKING:
    from collections.abc import Iterator

    from suno_wav_cli.download.http import DownloadPolicy
    from suno_wav_cli.download.part_file import Part

_WORTH_SEVERAL = 16 * 1024 * 1024
"""Bytes of a file from which on several connections are tried."""

_LOOK_SECONDS = 0.1
"""How long the first connection shows what it brings, before others join it."""

_BLOCKS_A_SECOND = 8
"""Where the rate is limited, so that it is smooth."""


class Transfer:
    """An attempt, as its threads see it; `arrived`, `received` and `holding` may be asked from any thread.

    `holding` is what an earlier attempt has left in the `.part`; None begins anew.
    """

    def __init__(
        self,
        url: str,
        part: Part,
        terms: DownloadPolicy,
        holding: PartialFile | None = None,
        connections: int = 1,
    ) -> None:
        self.part = part
        self.terms = terms
        self._url = url
        self._most = connections
        self._connections = Connections()
        self._error: Exception | None = None
        self._stopped_because: str | None = None
        self._validator = holding.validator if holding else None
        self.length = holding.length if holding else None
        self.several = False
        if holding is not None and not self._is_worth_several(holding.missing):
            self._most = 1
        self._lock = threading.Lock()
        self._helpers: list[threading.Thread] = []
        self._segments = Segments(holding.missing if holding else (), self._most)
        self._begun = holding is not None

    def stop(self, reason: str) -> None:
        """Make the threads end within a moment, even where they wait for a byte that never comes."""
        self._stopped_because = self._stopped_because or reason
        self._connections.stop()

    def holding(self) -> PartialFile | None:
        """Tell what is in the `.part`; None where it could not be continued."""
        if not self._begun or self._validator is None:
            return None
        # Asked in this order: a length that is known by now says nothing wrong of what was missing before.
        missing = self._segments.missing()
        return PartialFile(validator=self._validator, length=self.length, missing=missing)

    def arrived(self) -> int:
        """How many bytes have come without a gap, from the file's beginning."""
        if not self._begun:
            return 0
        missing = self._segments.missing()
        return missing[0].start if missing else self.length or 0

    @property
    def received(self) -> int:
        """How many bytes are there in all."""
        return received(self._segments.missing(), self.length) if self._begun else 0

    def run(self) -> None:
        """Fetch what is missing.

        Raises BrokenOff where trying again may help, StartOver where only anew, AddressRefused where a fresh address
        may, and DownloadFailed otherwise.
        """
        with self._trouble_noted(), open_client(self._url, self.terms) as client:
            try:
                if self._begun:
                    self._get_help(client)
                else:
                    self.part.restart()
                    self._begin(client)
                self._work(client)
            finally:
                for helper in self._helpers:
                    helper.join()
        if self._error is not None:
            raise self._error

    def _is_worth_several(self, missing: tuple[ByteRange, ...]) -> bool:
        lengths = [span.length for span in missing]
        return self._most > 1 and None not in lengths and sum(filter(None, lengths)) >= _WORTH_SEVERAL

    def _get_help(self, client: httpx.Client) -> None:
        """Start the other connections, where there are to be several."""
        for _ in range(self._most - 1):
            helper = threading.Thread(target=self._join, args=[client], name="download", daemon=True)
            helper.start()
            self._helpers.append(helper)

    def _join(self, client: httpx.Client) -> None:
        """Be one of several connections, unless the first is as fast as any line."""
        if self.terms.fast_enough is not None:
            before = self.received
            self._connections.pause(_LOOK_SECONDS)
            if self.received - before > self.terms.fast_enough * _LOOK_SECONDS:
                return
        if self._connections.stopped:
            return
        with self._trouble_noted(), self._lock:
            if not self.several and self.length is not None:
                self.part.allocate(self.length)
            self.several = True
        self._work(client)

    def _begin(self, client: httpx.Client) -> None:
        """Ask for the whole file; where it is large and can be divided, let the others take their parts of it."""
        with self._trouble_noted(), self._answer(client, None) as (response, content):
            self._check_size(content)
            self._validator, self.length = content.validator, content.length
            if not content.divisible or not self._is_worth_several((content.span,)):
                self._most = 1
            self._segments = Segments([content.span], self._most)
            segment = self._segments.take()
            # Only now something says what is missing.
            self._begun = True
            if segment is not None:
                self._get_help(client)
                self._receive(response, content, segment)

    def _work(self, client: httpx.Client) -> None:
        """Fetch one segment after the other, until none is left or somebody has failed."""
        with self._trouble_noted():
            while self._error is None and (segment := self._segments.take()) is not None:
                with self._answer(client, ByteRange(start=segment.position, stop=segment.stop)) as (
                    response,
                    content,
                ):
                    self._check_size(content)
                    self._receive(response, content, segment)

    @contextmanager
    def _trouble_noted(self) -> Iterator[None]:
        """Let one connection's failure end the others'. The first one counts: the others follow from it."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - raised by `run`, in the thread that waits for all
            if self._error is None:
                self._error = self._explained(error)
            self._connections.stop()

    def _explained(self, error: Exception) -> Exception:
        if self._stopped_because is not None:
            return BrokenOff(self._stopped_because)
        if isinstance(error, OSError):
            return disk_failed(self.part.path, error)
        return explained(error, self.terms)

    @contextmanager
    def _answer(
        self, client: httpx.Client, asked: ByteRange | None
    ) -> Iterator[tuple[httpx.Response, Content]]:
        headers = {}
        if asked is not None and self._validator is not None:
            last = "" if asked.stop is None else asked.stop - 1
            headers = {"Range": f"bytes={asked.start}-{last}", "If-Range": self._validator}
        with (
            self._connections.traced() as trace,
            answered(client, self._url, headers, trace) as response,
        ):
            content = judged(response.status_code, response.headers, asked, self._validator)
            if (
                asked is not None
                and None not in (self.length, content.length)
                and content.length != self.length
            ):
                raise StartOver("the file has changed")
            yield response, content

    def _receive(self, response: httpx.Response, content: Content, segment: Segment) -> None:
        if segment.stop is None:
            # The answer to a question for the rest tells where the file ends, though it may bring less of it.
            self.length = segment.stop = content.length
        rate = self.terms.rate
        size = LARGEST_BLOCK
        if rate.rate is not None:
            size = max(1, min(rate.rate // _BLOCKS_A_SECOND, size))
        for block in blocks(response, content, size=size, silence=self.terms.stall_timeout):
            if self._connections.stopped:
                raise httpx.ReadError("stopped")
            if delay := rate.delay(len(block)):
                self._connections.pause(delay)
            self._put(block, content, segment)
            if segment.room == 0:
                return
        if segment.stop is None:
            self.length = segment.stop = segment.position
        elif segment.room:
            raise BrokenOff(f"the download broke off: the file ended early, at byte {segment.position:,}")

    def _put(self, block: bytes | memoryview, content: Content, segment: Segment) -> None:
        """Write what of the block belongs to the segment, which grows where nobody is at what follows it."""
        if content.span.stop is not None and segment.position + len(block) > content.span.stop:
            raise StartOver("the file's server sends more than it says")
        while block:
            if segment.room == 0 and not self._segments.extend(segment, content.span.stop):
                return
            count = self._segments.claim(segment, len(block))
            self.part.write(segment.position, block[:count])
            segment.position += count
            block = block[count:]
            if segment.position > self.terms.max_size:
                raise _too_large(segment.position, self.terms.max_size)
        if segment.room == 0:
            self._segments.extend(segment, content.span.stop)

    def _check_size(self, content: Content) -> None:
        """Raise DownloadFailed for a file that is not wanted, and OSError for one that has no room on the disk."""
        if content.length is not None and content.length > self.terms.max_size:
            raise _too_large(content.length, self.terms.max_size)
        self.part.check_room(content.span.stop or 0)


def _too_large(size: int, most: int) -> SunoWavError:
    return DownloadFailed(
        f"the file is larger than {most:,} bytes: {size:,}",
        "If it is what you want, allow more by --max-size.",
    )
