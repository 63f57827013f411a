"""Checks of deliveries: the service is asked about each task until it has decided.

Anyone who knows the path can name any task. So lookups are rate-limited, and only a bounded number of
tasks is followed that the service does not know. A task is trusted if the journal knows it, or if
its delivery is validly signed: it shares its rate with no stranger. Among the others, first lookups
come first, those of the newest before all. A task that the journal knows is paid for, and is
followed like one of `convert`.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING

from suno_wav_cli.callbacks.confirmation import Judgement, Verdict
from suno_wav_cli.commands.listen import claims
from suno_wav_cli.conversion.finish import finish_task
from suno_wav_cli.conversion.lookup_retry import Answers, AskAgain, next_step, time_is_up
from suno_wav_cli.conversion.outcome import record_end, report_failure
from suno_wav_cli.conversion.poller import fetch_answer
from suno_wav_cli.conversion.wait import wait_terms, with_line
from suno_wav_cli.errors import JournalUnusable, SunoWavError, TaskUnknown
from suno_wav_cli.events.deliveries import DeliveryDropped
from suno_wav_cli.journal.entry import UNSAVED
from suno_wav_cli.models import WavRecord, WavState
from suno_wav_cli.system.pacing import RateWindow

if TYPE_CHECKING:
    from collections.abc import Callable

    from suno_wav_cli.callbacks.payload import Callback
    from suno_wav_cli.commands.listen.limits import ListenLimits
    from suno_wav_cli.conversion.context import ConversionContext
    from suno_wav_cli.conversion.lookup_retry import Answer, Step
    from suno_wav_cli.events import Report
    from suno_wav_cli.journal.entry import JournalEntry
    from suno_wav_cli.system.task_pool import TaskPool


@dataclass(frozen=True, kw_only=True)
class Service:
    """The API to ask, and whether the files of confirmed deliveries are wanted."""

    context: ConversionContext
    downloads: bool


class FileState(Enum):
    MISSING = auto()
    DOWNLOADING = auto()
    SAVED = auto()


@dataclass(kw_only=True)
class _Claim:
    """What one delivery claims, and what was last reported of it."""

    callback: Callback
    verdict: Verdict | None = None


@dataclass(kw_only=True)
class _TaskCheck:
    """One task: open while `lookups` runs, for the `claims` that wait for an answer.

    `rank` is None if the task is trusted. `settled` holds the digests of claims that the service has decided. `song` names the file.
    """

    lookups: asyncio.Task[None] | None = None
    rank: int | None = None
    claims: dict[int, _Claim] = field(default_factory=dict)
    settled: tuple[bytes, ...] = ()
    file: FileState = FileState.MISSING
    song: str | None = None

    @property
    def is_open(self) -> bool:
        return self.lookups is not None

    @property
    def is_idle(self) -> bool:
        return not self.is_open and self.file is not FileState.DOWNLOADING

    @property
    def is_worth_remembering(self) -> bool:
        """Whether the service has decided anything. Of a made-up task it has not."""
        return bool(self.settled) or self.file is not FileState.MISSING


class CallbackVerifier:
    """Has one check for each task that is open or decided, in the order in which they were opened.

    `_unasked` names the open ones that are not trusted and not looked up yet, and `_unknown` those
    that the service does not know, in the same order, so that a flood finds the oldest at once.
    `confirmed` is called with the task of each claim that is true.
    """

    def __init__(
        self,
        service: Service,
        pool: TaskPool,
        report: Report,
        limits: ListenLimits,
        confirmed: Callable[[str], None],
    ) -> None:
        self._service = service
        self._pool = pool
        self._report = report
        self._limits = limits
        self._confirmed = confirmed
        self._trusted_window = RateWindow(limits.trusted_lookups, limits.lookup_seconds)
        self._window = RateWindow(limits.lookups, limits.lookup_seconds)
        self._checks: OrderedDict[str, _TaskCheck] = OrderedDict()
        self._unasked: OrderedDict[str, None] = OrderedDict()
        self._unknown: OrderedDict[str, None] = OrderedDict()
        self._stopping = asyncio.Event()
        self._all_count = False

    def check(self, number: int, callback: Callback, *, signed: bool = False) -> None:
        """Have a delivery's claim checked, unless the same claim was settled before.

        `signed` if it is signed validly, and now.
        """
        task_id = callback.task_id
        if task_id is None:
            judgement = Judgement(verdict=Verdict.UNCONFIRMED, reason="it names no task", final=True)
            self._report(claims.checked(number, callback, judgement, None))
            return
        check = self._checks.get(task_id) or _TaskCheck()
        is_file_wanted = self._service.downloads and check.file is FileState.MISSING
        if callback.digest in check.settled and not is_file_wanted:
            return
        if not check.is_open or (signed and check.rank is not None):
            self._start(task_id, check, number, signed=signed)
        if len(check.claims) < self._limits.claims:
            check.claims[number] = _Claim(callback=callback)

    def stop_asking(self, *, all_count: bool) -> None:
        """Look up only what has a file that is wanted: what strangers may have made up, if `all_count`."""
        for task_id in () if all_count else tuple(self._unasked):
            self._drop(task_id, "the end came before it was looked up")
        self._all_count = all_count
        self._stopping.set()

    def _start(self, task_id: str, check: _TaskCheck, number: int, *, signed: bool) -> None:
        """Start lookups for a task, anew if it is trusted only now. Forget an idle one when full."""
        entry = self._service.context.journal.of_task(task_id)
        if check.lookups is not None:
            check.lookups.cancel()
            self._forget_rank(task_id)
        check.rank = claims.rank_first_lookup(number, trusted=signed or entry is not None)
        if check.rank is not None:
            self._note(task_id, self._unasked, self._limits.unasked_tasks)
        self._checks[task_id] = check
        self._checks.move_to_end(task_id)
        if len(self._checks) > self._limits.tasks:
            idle = next((name for name, known in self._checks.items() if known.is_idle), None)
            if idle is not None:
                del self._checks[idle]
        check.lookups = self._pool.start(self._run(task_id, check, entry))

    def _note(self, task_id: str, tasks: OrderedDict[str, None], limit: int) -> None:
        """Add a task that is not trusted. When full, drop the oldest."""
        if len(tasks) >= limit:
            self._drop(next(iter(tasks)), "too many lookups in progress")
        tasks[task_id] = None

    def _note_answer(self, task_id: str, check: _TaskCheck, answer: Answer) -> None:
        """Let other first lookups come before the next one of a task that is not trusted."""
        if task_id in self._unasked:
            del self._unasked[task_id]
            check.rank = claims.REPEATED
            if not isinstance(answer, WavRecord):
                self._note(task_id, self._unknown, self._limits.unknown_tasks)

    def _forget_rank(self, task_id: str) -> None:
        self._unasked.pop(task_id, None)
        self._unknown.pop(task_id, None)

    def _drop(self, task_id: str, reason: str) -> None:
        check = self._checks[task_id]
        if check.lookups is not None:
            check.lookups.cancel()
        for number in check.claims:
            self._report(DeliveryDropped(number=number, reason=reason))
        self._close(task_id, check)

    def _close(self, task_id: str, check: _TaskCheck) -> None:
        """End the lookups of a task, and forget it if nothing is known: strangers name any task."""
        check.lookups, check.claims = None, {}
        self._forget_rank(task_id)
        if not check.is_worth_remembering:
            del self._checks[task_id]

    async def _run(self, task_id: str, check: _TaskCheck, entry: JournalEntry | None) -> None:
        """Ask until the service has decided, and then download the file of a confirmed claim."""
        confirmed = None
        try:
            confirmed = await self._look_up_until_decided(task_id, check, entry)
        finally:
            # A check that was dropped may have been opened again.
            if check.lookups is asyncio.current_task():
                self._close(task_id, check)
        if confirmed is not None and self._service.downloads:
            await self._download(confirmed, check)

    async def _look_up_until_decided(
        self, task_id: str, check: _TaskCheck, entry: JournalEntry | None
    ) -> WavRecord | None:
        """Look a task up as `wait_for` does. Return its record if it has a file and a claim is confirmed."""
        context = self._service.context
        terms, answers = wait_terms(context, entry), Answers()
        seconds = context.settings.timeout
        if entry is None:
            seconds = min(seconds, terms.limits.unknown_task)
        deadline = time.monotonic() + seconds
        step: Step = AskAgain(seconds=0.0, at_least=0.0)
        while isinstance(step, AskAgain):
            answer = await self._look_up(task_id, check)
            answers = answers.after(answer, time.monotonic())
            step = next_step(answers, terms, key_worked=context.client.key_worked)
            is_confirmed = self._judge_claims(check, answer, step)
            self._note_answer(task_id, check, answer)
            if isinstance(step, AskAgain):
                if not await self._wait(min(step.seconds, deadline - time.monotonic()), check, answer):
                    return None
                if time.monotonic() >= deadline:
                    step = time_is_up(answers, terms, seconds)
        if isinstance(step, WavRecord):
            return step if is_confirmed else None
        if entry is not None and entry.state in UNSAVED:
            await record_end(context, entry, step)
        if entry is not None and self._service.downloads and not claims.is_failed(answer):
            report_failure(context, entry.name, task_id, with_line(context, task_id, step, paid=True))
        return None

    async def _look_up(self, task_id: str, check: _TaskCheck) -> Answer:
        """Look a task up when its turn has come."""
        slot = self._trusted_window.slot() if check.rank is None else self._window.slot(check.rank)
        async with slot:
            return await fetch_answer(self._service.context.client, task_id)

    def _judge_claims(self, check: _TaskCheck, answer: Answer, step: Step) -> bool:
        """Report each verdict that is new. Return whether any claim is confirmed."""
        record = answer if isinstance(answer, WavRecord) else None
        for number, claim in check.claims.items():
            judgement = claims.judge_claim(claim.callback, answer, step)
            if record is not None and judgement.final:
                check.settled = (*check.settled, claim.callback.digest)[-self._limits.claims :]
            if judgement.verdict is not claim.verdict:
                claim.verdict = judgement.verdict
                self._report(claims.checked(number, claim.callback, judgement, record))
                if judgement.verdict is Verdict.CONFIRMED and claim.callback.task_id is not None:
                    self._confirmed(claim.callback.task_id)
        return any(claim.verdict is Verdict.CONFIRMED for claim in check.claims.values())

    async def _wait(self, seconds: float, check: _TaskCheck, answer: Answer) -> bool:
        """Wait before the next lookup. Return False if there must be none."""
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
                is_known = check.rank is None or not isinstance(answer, TaskUnknown)
                if self._service.downloads and (self._all_count or is_known):
                    await asyncio.sleep(seconds)
        except TimeoutError:
            return True
        return False

    async def _download(self, record: WavRecord, check: _TaskCheck) -> None:
        """Download the file, unless this run is at it. Two tasks may be of one song."""
        song = record.audio_id or record.task_id
        is_running = any(
            other.song == song and other.file is FileState.DOWNLOADING for other in self._checks.values()
        )
        if record.state is not WavState.READY or is_running or check.file is not FileState.MISSING:
            return
        check.song, check.file = song, FileState.DOWNLOADING
        is_saved = False
        try:
            is_saved = await self._save(record, song)
        finally:
            check.file = FileState.SAVED if is_saved else FileState.MISSING

    async def _save(self, record: WavRecord, song: str) -> bool:
        service = self._service
        try:
            outcome = await finish_task(service.context, record.task_id, record, wait=False, alone=False)
        except JournalUnusable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the other deliveries go on
            if isinstance(error, SunoWavError):
                error = with_line(service.context, record.task_id, error, paid=True)
            outcome = report_failure(service.context, song, record.task_id, error)
        return outcome.error is None
