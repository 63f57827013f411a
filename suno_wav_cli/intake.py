"""What happens to a delivery once it was acknowledged: numbered, recognised, kept, passed on, checked, downloaded.

Runs for days, and stands on the internet: whatever is remembered or under way has a bound.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeVar

from suno_wav_cli import events
from suno_wav_cli.confirmation import Verdict, judged
from suno_wav_cli.conversion import failure
from suno_wav_cli.delivery import ANSWER_SECONDS, Outgoing, deliver, end_to_end
from suno_wav_cli.errors import SunoWavError, TaskUnknown
from suno_wav_cli.models import WavState
from suno_wav_cli.recordings import Recording, write
from suno_wav_cli.retrieval import retrieve
from suno_wav_cli.signature import verify

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from pathlib import Path

    from suno_wav_cli.callback import Callback, Delivery
    from suno_wav_cli.conversion import Workshop
    from suno_wav_cli.events import Report
    from suno_wav_cli.models import Secret, WavRecord
    from suno_wav_cli.session import Session

_MOST_REMEMBERED = 4096
_MOST_UNDER_WAY = 256
_LOOKUPS_AT_ONCE = 4
_FORWARDS_AT_ONCE = 8
_MOST_RECORDED = 10_000
"""Files. Whoever knows the path can fill a disk, and a person looks at no more."""


@dataclass(frozen=True)
class Service:
    """The API that confirms deliveries, and whether their files are wanted."""

    session: Session
    shop: Workshop
    downloads: bool


@dataclass(frozen=True)
class Wishes:
    """What the person asked for."""

    hmac_key: Secret | None
    forward_to: str | None
    save: Path | None
    max_events: int | None


class Intake:
    """Takes deliveries. `over` is done when `max_events` have come, or raises the first bug.

    `service` is None where there is no API key.
    """

    def __init__(self, wishes: Wishes, service: Service | None, report: Report) -> None:
        self._wishes = wishes
        self._service = service
        self._report = report
        self._lookups = asyncio.Semaphore(_LOOKUPS_AT_ONCE)
        self._forwards = asyncio.Semaphore(_FORWARDS_AT_ONCE)
        self._under_way: set[asyncio.Task[None]] = set()
        self._numbers: OrderedDict[bytes, int] = OrderedDict()
        self._settled: OrderedDict[bytes, None] = OrderedDict()
        self._fetched: OrderedDict[str, None] = OrderedDict()
        self._count = 0
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def deliver(self, delivery: Delivery) -> None:
        """Begin the work on a delivery. Returns at once."""
        if self.over.done():
            return
        self._count += 1
        number, callback, now = self._count, delivery.callback, time.time()
        claim = sha256(repr(callback).encode()).digest()
        repeats = self._numbers.get(claim)
        _remember(self._numbers, claim, repeats or number)
        key = self._wishes.hmac_key
        signature = verify(key, callback.task_id, delivery.headers, now) if key else None
        self._report(
            events.DeliveryReceived(
                number, now, callback.task_id, callback.code, callback.url, repeats, signature
            )
        )
        if self._wishes.save is not None:
            self._record(number, Recording(now, delivery.headers, delivery.body), self._wishes.save)
        if self._wishes.forward_to is not None:
            self._start(number, self._forward(number, delivery, self._wishes.forward_to))
        if claim not in self._settled:
            self._start(number, self._check(number, callback, claim))
        if self._count == self._wishes.max_events:
            self.over.set_result(None)

    async def finish(self) -> None:
        """Wait for what is under way."""
        while self._under_way:
            await asyncio.gather(*self._under_way)

    def cancel(self) -> None:
        """Drop what is under way."""
        for task in self._under_way:
            task.cancel()

    def _start(self, number: int, work: Coroutine[Any, Any, None]) -> None:
        if len(self._under_way) >= _MOST_UNDER_WAY:
            work.close()
            self._report(events.DeliveryNeglected(number, "too many deliveries are being worked on"))
            return
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and (bug := task.exception()) is not None and not self.over.done():
            self.over.set_exception(bug)

    def _record(self, number: int, recording: Recording, folder: Path) -> None:
        if number > _MOST_RECORDED:
            self._report(
                events.DeliveryNeglected(number, f"no more than {_MOST_RECORDED} deliveries are kept")
            )
            return
        try:
            at = time.strftime("%Y%m%d-%H%M%S", time.localtime(recording.received))
            path = write(recording, folder, f"{at}-{number}")
        except OSError as error:
            self._report(events.DeliveryNeglected(number, f"it cannot be kept: {error.strerror}"))
        else:
            self._report(events.DeliveryRecorded(number, path))

    async def _forward(self, number: int, delivery: Delivery, url: str) -> None:
        """Pass it on: the same headers and the same bytes, and as long to answer as the service gives."""
        outgoing = Outgoing(delivery.body, end_to_end(delivery.headers))
        async with self._forwards:
            answer = await deliver(outgoing, url, ANSWER_SECONDS)
        problem = f"{answer.problem} {answer.detail}".strip() if answer.problem else None
        text = answer.body.decode("utf-8", "replace")
        self._report(events.DeliveryForwarded(number, answer.status, answer.seconds, problem, text))

    async def _check(self, number: int, callback: Callback, claim: bytes) -> None:
        """Ask the service until it has decided, and report each verdict."""
        verdict, record, reason = await self._verdict(callback)
        self._report_verdict(number, callback, verdict, record, reason)
        if verdict is Verdict.PENDING and self._service is not None:
            terms = self._service.shop.terms
            deadline = time.monotonic() + terms.timeout
            while verdict is Verdict.PENDING and time.monotonic() < deadline and not self.over.done():
                await asyncio.wait([self.over], timeout=terms.poll_interval)
                verdict, record, reason = await self._verdict(callback)
            if verdict is not Verdict.PENDING:
                self._report_verdict(number, callback, verdict, record, reason)
        if verdict in (Verdict.CONFIRMED, Verdict.CONTRADICTED):
            _remember(self._settled, claim, None)
        if verdict is Verdict.CONFIRMED and record is not None and record.state is WavState.READY:
            await self._fetch(record)

    async def _verdict(self, callback: Callback) -> tuple[Verdict, WavRecord | None, str | None]:
        if self._service is None:
            return Verdict.UNCONFIRMED, None, "there is no API key"
        if callback.task_id is None:
            return Verdict.UNCONFIRMED, None, "it names no task"
        try:
            async with self._lookups:
                record = await self._service.shop.client.wav_record(callback.task_id)
        except TaskUnknown as error:
            return Verdict.CONTRADICTED, None, error.message
        except SunoWavError as error:
            return Verdict.UNCONFIRMED, None, error.message
        verdict, difference = judged(callback, record)
        return verdict, record, difference

    def _report_verdict(
        self, number: int, callback: Callback, verdict: Verdict, record: WavRecord | None, reason: str | None
    ) -> None:
        flag, url = (record.flag, record.url) if record else (None, None)
        self._report(events.DeliveryChecked(number, callback.task_id, verdict, flag, url, reason))

    async def _fetch(self, record: WavRecord) -> None:
        """Download the file where it is wanted and was not begun before."""
        service = self._service
        if service is None or not service.downloads or record.task_id in self._fetched:
            return
        _remember(self._fetched, record.task_id, None)
        entry = service.session.journal.of_task(record.task_id)
        try:
            await retrieve(entry, record, service.session, service.shop, wait=False, alone=False)
        except SunoWavError as error:
            failure(record.audio_id or record.task_id, record.task_id, error, service.shop)


K = TypeVar("K")
V = TypeVar("V")


def _remember(memory: OrderedDict[K, V], key: K, value: V) -> None:
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > _MOST_REMEMBERED:
        memory.popitem(last=False)
