"""Deliveries on their way to the person's own receiver: tried until it has taken them."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from suno_wav_cli.callbacks import recording as recordings
from suno_wav_cli.callbacks.sender import CallbackRequest, ServiceTiming, post_callback
from suno_wav_cli.commands.listen.forwarded import headers_to_forward, pause_before_retry
from suno_wav_cli.errors import UsageError
from suno_wav_cli.events import deliveries
from suno_wav_cli.system.http_problems import Problem

if TYPE_CHECKING:
    import ssl
    from pathlib import Path

    from suno_wav_cli.callbacks.sender import Answer
    from suno_wav_cli.commands.listen.limits import ListenLimits
    from suno_wav_cli.commands.listen.outbox import Outbox
    from suno_wav_cli.events import Report

_MAX_ANSWER = 1000


class Forwarder:
    """Posts the files of an outbox to `url`, a few at a time. `via` marks what it has posted.

    One that is not answered soon makes way for the next. First attempts and repeated ones have slots
    of their own, so a receiver that hangs on some deliveries holds up no other.

    While the receiver refuses connections, only the delivery `_scout` is tried, and the others wait for it.
    """

    def __init__(
        self,
        outbox: Outbox,
        url: str,
        via: str,
        *,
        keep_forwarded: bool,
        tls: ssl.SSLContext,
        report: Report,
        limits: ListenLimits,
    ) -> None:
        self._outbox = outbox
        self._url = url
        self._via = via
        self._keep_forwarded = keep_forwarded
        self._tls = tls
        self._report = report
        self._limits = limits
        self._slots = asyncio.Semaphore(limits.concurrent_forwards)
        self._repeated_slots = asyncio.Semaphore(limits.concurrent_forwards)
        self._open = asyncio.Semaphore(limits.open_forwards)
        self._stopping = asyncio.Event()
        self._is_over = False
        self._scout: int | None = None
        self._scout_is_over = asyncio.Event()
        self._newer_waits = asyncio.Event()

    def stop_retrying(self) -> None:
        """Let attempts end that have begun, and begin no others for what has failed or waits for the receiver.

        First attempts begin for a while yet.
        """
        asyncio.get_running_loop().call_later(self._limits.last_forwards, self._end)
        self._stopping.set()
        self._scout_is_over.set()
        self._newer_waits.set()

    async def forward(self, number: int, path: Path) -> None:
        """Post a delivery until its receiver has taken it. If it does not, its file stays."""
        try:
            await self._try_until_taken(number, path)
        finally:
            if self._scout == number:
                self._end_scouting()

    async def _try_until_taken(self, number: int, path: Path) -> None:
        attempt = 0
        pause: float | None = 0.0
        while pause is not None and await self._may_try_after(pause, number, attempt):
            slots = self._repeated_slots if attempt else self._slots
            async with slots:
                if self._waits_for_scout(number):
                    pause = 0.0
                    continue
                request = self._load(number, path)
                if request is None:
                    return
                posting = asyncio.ensure_future(self._post(request))
                try:
                    await asyncio.wait([posting], timeout=self._limits.forward_patience)
                except asyncio.CancelledError:
                    posting.cancel()
                    raise
            answer = await posting
            if answer is None:
                return
            self._note_whether_refused(number, answer)
            pause = pause_before_retry(answer, attempt, self._limits.forward_pauses)
            attempt += 1
            if pause is None and answer.is_taken:
                self._outbox.remove(path)
            self._report_answer(number, answer, None if self._stopping.is_set() else pause)

    async def _may_try_after(self, pause: float, number: int, attempt: int) -> bool:
        """Wait until there may be an attempt. Return False if there is to be none."""
        if number == self._scout:
            return await self._pause_as_scout(pause)
        if attempt and await self._is_stopped_within(pause):
            return False
        if self._waits_for_scout(number):
            self._newer_waits.set()
            await self._scout_is_over.wait()
            return not self._stopping.is_set()
        return True

    async def _pause_as_scout(self, seconds: float) -> bool:
        """Pause, but not for long once another delivery waits. Return False if there is to be no attempt."""
        least = min(seconds, self._limits.forward_pauses[0])
        self._newer_waits.clear()
        if await self._is_stopped_within(least):
            return False
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds - least):
                await self._newer_waits.wait()
        return not self._stopping.is_set()

    def _waits_for_scout(self, number: int) -> bool:
        return self._scout not in (None, number)

    def _note_whether_refused(self, number: int, answer: Answer) -> None:
        if answer.problem is not Problem.REFUSED:
            self._end_scouting()
        elif self._scout is None:
            self._scout = number
            self._scout_is_over.clear()

    def _end_scouting(self) -> None:
        self._scout = None
        self._scout_is_over.set()

    def _load(self, number: int, path: Path) -> CallbackRequest | None:
        """Read a delivery again: those that wait are not kept in memory."""
        try:
            recording = recordings.load(path)
        except UsageError as error:
            self._report(deliveries.DeliveryDropped(number=number, reason=error.message))
            return None
        headers = headers_to_forward(recording.headers, self._via, keep_forwarded=self._keep_forwarded)
        return CallbackRequest(body=recording.body, headers=headers)

    def _end(self) -> None:
        self._is_over = True

    async def _post(self, request: CallbackRequest) -> Answer | None:
        """Post as the service would, and wait as long for the answer. Return None if it is too late to begin."""
        async with self._open:
            if self._is_over:
                return None
            return await post_callback(request, self._url, ServiceTiming().answer, self._tls)

    async def _is_stopped_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return False
        return True

    def _report_answer(self, number: int, answer: Answer, pause: float | None) -> None:
        self._report(
            deliveries.DeliveryForwarded(
                number=number,
                status=answer.status,
                seconds=answer.seconds,
                problem=f"{answer.problem} {answer.detail}".strip() if answer.problem else None,
                answer=answer.body.decode("utf-8", "replace")[:_MAX_ANSWER],
                retry_in=pause,
            )
        )
