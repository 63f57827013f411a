"""What the service says of deliveries: asked once a task at a time, paced, and again until it has decided.

Strangers who know the path can name any task. So the questions have a rate, the open ones a number, and the newest
takes the place of the oldest: a genuine callback is answered by its first question.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from suno_wav_cli.callbacks.verification import Verdict, judged
from suno_wav_cli.conversion.finish import retrieve
from suno_wav_cli.conversion.pipeline import UNKNOWN_AT_FIRST, failure
from suno_wav_cli.errors import ServiceUnavailable, SunoWavError, TaskUnknown
from suno_wav_cli.events import DeliveryChecked, DeliveryDropped
from suno_wav_cli.models import WavRecord, WavState
from suno_wav_cli.system.bounded_dict import BoundedDict
from suno_wav_cli.system.pacing import RateWindow

if TYPE_CHECKING:
    from suno_wav_cli.callbacks.payload import Callback
    from suno_wav_cli.conversion.context import ConversionContext
    from suno_wav_cli.conversion.session import Session
    from suno_wav_cli.events import Report
    from suno_wav_cli.system.task_pool import TaskPool

_MOST_REMEMBERED = 4096
_MOST_CASES = 256
_MOST_CLAIMS = 16
"""Deliveries about one task that wait for the same answer."""

_QUESTIONS, _IN_SECONDS = 50, 10.0


@dataclass(frozen=True, kw_only=True)
class Service:
    """The API that is asked, and whether the files of confirmed deliveries are wanted."""

    session: Session
    context: ConversionContext
    downloads: bool


@dataclass(kw_only=True)
class _Case:
    """A task that the service is asked about, and what is claimed of it: by which delivery, and what was said of that."""

    claims: dict[int, Callback]
    verdicts: dict[int, Verdict] = field(default_factory=dict)
    task: asyncio.Task[None] | None = None


class CallbackVerifier:
    def __init__(self, service: Service, crew: TaskPool, report: Report) -> None:
        self._service = service
        self._crew = crew
        self._report = report
        self._window = RateWindow(_QUESTIONS, _IN_SECONDS)
        self._cases: dict[str, _Case] = {}
        self._settled: BoundedDict[bytes, None] = BoundedDict(_MOST_REMEMBERED)
        self._fetched: BoundedDict[str, None] = BoundedDict(_MOST_REMEMBERED)
        self._fetching: set[str] = set()
        self._leaving = asyncio.Event()

    def begin(self, number: int, callback: Callback) -> None:
        """See to it that a delivery's claim is checked, if the same claim was not settled before."""
        task_id = callback.task_id
        if task_id is None:
            self._report(_checked(number, callback, Verdict.UNCONFIRMED, None, "it names no task"))
            return
        if callback.digest in self._settled and (not self._service.downloads or task_id in self._fetched):
            return
        case = self._cases.get(task_id)
        if case is None:
            if len(self._cases) == _MOST_CASES:
                self._drop_oldest()
            case = self._cases[task_id] = _Case(claims={number: callback})
            case.task = self._crew.start(self._follow(task_id, case))
        elif len(case.claims) < _MOST_CLAIMS:
            case.claims[number] = callback

    def leave(self) -> None:
        """Ask no second time, but for files that are wanted."""
        self._leaving.set()

    def _drop_oldest(self) -> None:
        case = self._cases.pop(next(iter(self._cases)))
        if case.task is not None:
            case.task.cancel()
        for number in case.claims:
            self._report(DeliveryDropped(number=number, reason="too many are being asked about"))

    async def _follow(self, task_id: str, case: _Case) -> None:
        """Ask until the service has decided, with longer and longer pauses, and then fetch the file."""
        terms = self._service.context.terms
        begun, pause = time.monotonic(), terms.poll_interval
        try:
            while True:
                answer = await self._asked(task_id)
                if self._judge(case, answer, age=time.monotonic() - begun):
                    break
                if time.monotonic() - begun + pause > terms.timeout or not await self._paused(pause):
                    return
                pause *= 2
        finally:
            if self._cases.get(task_id) is case:
                del self._cases[task_id]
        if isinstance(answer, WavRecord) and Verdict.CONFIRMED in case.verdicts.values():
            await self._fetch(answer)

    async def _asked(self, task_id: str) -> WavRecord | SunoWavError:
        try:
            async with self._window.slot():
                return await self._service.context.client.fetch_record(task_id)
        except SunoWavError as error:
            return error

    def _judge(self, case: _Case, answer: WavRecord | SunoWavError, *, age: float) -> bool:
        """Report every verdict that is new; tell whether the service has decided."""
        decided = True
        for number, callback in case.claims.items():
            record = answer if isinstance(answer, WavRecord) else None
            if isinstance(answer, WavRecord):
                verdict, reason = judged(callback, answer)
                decided = verdict is not Verdict.PENDING
                if decided:
                    self._settled[callback.digest] = None
            else:
                verdict, decided = _verdict_of(answer, age)
                reason = answer.message
            if case.verdicts.get(number) is not verdict:
                case.verdicts[number] = verdict
                self._report(_checked(number, callback, verdict, record, reason))
        return decided

    async def _paused(self, seconds: float) -> bool:
        """Wait; False where it is not worth another question."""
        if self._service.downloads:
            await asyncio.sleep(seconds)
            return True
        try:
            async with asyncio.timeout(seconds):
                await self._leaving.wait()
        except TimeoutError:
            return True
        return False

    async def _fetch(self, record: WavRecord) -> None:
        """Download the file, where it is wanted and nobody is at it."""
        service = self._service
        song = record.audio_id or record.task_id
        if not service.downloads or record.state is not WavState.READY or song in self._fetching:
            return
        self._fetching.add(song)
        entry = service.session.journal.of_task(record.task_id)
        try:
            outcome = await retrieve(entry, record, service.session, service.context, wait=False, alone=False)
        except SunoWavError as refused:
            outcome = failure(song, record.task_id, refused, service.context)
        finally:
            self._fetching.discard(song)
        if outcome.error is None:
            self._fetched[record.task_id] = None


def _verdict_of(error: SunoWavError, age: float) -> tuple[Verdict, bool]:
    """Judge by an answer that is no record: what it says of a claim, and whether that is the last word."""
    if isinstance(error, TaskUnknown):
        # The service may not know a task yet (api/README.md, section 3).
        return (Verdict.PENDING, False) if age < UNKNOWN_AT_FIRST else (Verdict.CONTRADICTED, True)
    return Verdict.UNCONFIRMED, not isinstance(error, ServiceUnavailable)


def _checked(
    number: int, callback: Callback, verdict: Verdict, record: WavRecord | None, reason: str | None
) -> DeliveryChecked:
    flag, url = (record.flag, record.url) if record else (None, None)
    return DeliveryChecked(
        number=number, task_id=callback.task_id, verdict=verdict, flag=flag, url=url, reason=reason
    )
