"""Waiting for a task: it is looked up at a callback or by the clock, and the API decides."""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from suno_wav_cli.conversion.lookup_retry import (
    Answers,
    AskAgain,
    WaitTerms,
    message_of,
    next_step,
    time_is_up,
)
from suno_wav_cli.conversion.slow_answer import tell_if_slow
from suno_wav_cli.errors import GenerationFailed, NotAuthorized, SunoWavError, TaskForgotten, TaskUnknown
from suno_wav_cli.events.songs import LookedUp, LookupFailed, StateChanged, TaskMessage
from suno_wav_cli.models import WavRecord, WavState

if TYPE_CHECKING:
    from suno_wav_cli.conversion.context import ConversionContext
    from suno_wav_cli.conversion.lookup_retry import Answer, Step
    from suno_wav_cli.journal.entry import JournalEntry

_NO_ANSWER = Answers()
"""Shared: most of thousands have none for long."""

_MOST_REASONS = 20
"""Different reasons shown in one wait: a service may put a new number into each."""


class Wait:
    """A wait for a task: a record that the poller looks up, because thousands may wait at once.

    `entry` is None for a task that the journal does not know. `known` is what the service said a
    moment ago. `new` if this run has just submitted the task, with `callback_url` if callbacks may
    come. With `any_state`, the first record ends it.

    `--timeout` runs from the song's first lookup in this run on: with thousands of songs to resume,
    that may be a while after the start. It is up at `ends_at`, on the monotonic clock, if it runs
    since an earlier wait for this song.

    `decided` gets the record, which has the file's URL, or what `next_step` and `time_is_up` decide,
    with the line that continues. To cancel it ends the wait.
    """

    __slots__ = (
        "_answers",
        "_any_state",
        "_context",
        "_reports",
        "_task",
        "_terms",
        "decided",
    )

    def __init__(
        self,
        context: ConversionContext,
        task_id: str,
        entry: JournalEntry | None,
        known: WavRecord | None = None,
        *,
        new: bool = False,
        callback_url: str | None = None,
        any_state: bool = False,
        ends_at: float = math.inf,
    ) -> None:
        self._context = context
        self._terms, self._answers = wait_terms(context, entry), _NO_ANSWER
        self._reports = _Reports(
            context=context,
            task_id=task_id,
            name=entry.name if entry else task_id,
            state=None if known is None else _state_of(known),
        )
        self._any_state = any_state
        self.decided: asyncio.Future[WavRecord] = asyncio.get_running_loop().create_future()
        self.decided.add_done_callback(self._end, context=context.poller.callback_context)
        self._task = context.poller.follow(task_id, self, callback_url=callback_url)
        first = AskAgain(seconds=self._terms.poll_interval if new else 0.0, at_least=0.0)
        self._go_on(first if known is None else self._take(known))
        if new or known or ends_at < math.inf:
            self._begin_time(ends_at)

    @property
    def task_id(self) -> str:
        return self._task.task_id

    @property
    def ends_at(self) -> float:
        """When the time is up, if it runs."""
        return self._task.ends_at

    def _begin_time(self, ends_at: float = math.inf) -> None:
        if self.ends_at == math.inf and not self.decided.done():
            latest = time.monotonic() + self._context.settings.timeout
            self._context.poller.limit(self._task, min(ends_at, latest))

    def give_up(self) -> None:
        """End the wait, because its time is up."""
        if not self.decided.done():
            self._go_on(time_is_up(self._answers, self._terms, self._context.settings.timeout))

    async def look_up(self) -> None:
        """Ask the service, and go on by its answer."""
        self._begin_time()
        try:
            answer = await self._context.poller.ask(self._context.client, self._task)
            step = self._take(answer)
            self._reports.show(answer, is_last=not isinstance(step, AskAgain))
            self._go_on(step)
        except Exception as error:  # noqa: BLE001 - raised where the wait is awaited
            if not self.decided.done():
                self.decided.set_exception(error)

    def _take(self, answer: Answer) -> Step:
        self._answers = self._answers.after(answer, time.monotonic())
        if self._any_state and isinstance(answer, WavRecord):
            return answer
        return next_step(self._answers, self._terms, key_worked=self._context.client.key_worked)

    def _go_on(self, step: Step) -> None:
        match step:
            case AskAgain():
                self._context.poller.schedule(self._task, step)
            case WavRecord():
                self.decided.set_result(step)
            case _:
                self.decided.set_exception(
                    with_line(self._context, self.task_id, step, paid=self._terms.paid)
                )

    def _end(self, decided: asyncio.Future[WavRecord]) -> None:
        """Leave nothing behind, however the wait ended."""
        self._context.poller.forget(self._task)
        if not decided.cancelled():
            # Taken note of, because a run that is ended does not ask for it.
            decided.exception()


async def look_once(context: ConversionContext, task_id: str, entry: JournalEntry | None) -> WavRecord:
    """Look a task up, with the retries of a single lookup.

    Raise what `Client.fetch_record` raises, with what it means for a task that is paid for.
    """
    name = entry.name if entry else task_id
    try:
        with tell_if_slow(context.run, context.service, f"the state of {name}"):
            record = await context.client.fetch_record(task_id)
    except SunoWavError as error:
        if entry is not None and not isinstance(error, NotAuthorized):
            error.remedy = "The task is paid for, and a single answer does not decide about it."
            error.continue_argv = context.continue_argv([task_id])
        raise
    context.report(LookedUp(audio_id=name, record=record))
    return record


def wait_terms(context: ConversionContext, entry: JournalEntry | None) -> WaitTerms:
    """Return the terms of a wait that begins now. The wall clock is read this once: it may jump."""
    kept_until = entry and entry.expires
    return WaitTerms(
        limits=context.run.wait_limits,
        poll_interval=context.settings.poll_interval,
        paid=entry is not None,
        deleted_at=time.monotonic() + kept_until - time.time() if kept_until else math.inf,
        began=time.monotonic(),
    )


def with_line(context: ConversionContext, task_id: str, error: SunoWavError, *, paid: bool) -> SunoWavError:
    """Return the error with the line that continues, if anything is left to wait for."""
    if not isinstance(error, GenerationFailed | TaskForgotten) and (
        paid or not isinstance(error, TaskUnknown)
    ):
        error.continue_argv = context.continue_argv([task_id])
    return error


@dataclass(kw_only=True, slots=True)
class _Reports:
    """Reports the answers of one wait: each state and each reason once.

    `state` is the last one that is known.
    """

    context: ConversionContext
    task_id: str
    name: str
    state: tuple[WavState, str | None] | None
    reasons: tuple[str, ...] = ()

    def show(self, answer: Answer, *, is_last: bool) -> None:
        """Report an answer. An error that ends the wait is the caller's to report."""
        report = self.context.report
        if isinstance(answer, SunoWavError):
            if not is_last and self._is_new(answer.message):
                report(LookupFailed(audio_id=self.name, task_id=self.task_id, message=answer.message))
            return
        report(LookedUp(audio_id=self.name, record=answer))
        before, self.state = self.state, _state_of(answer)
        if self.context.watch and before != self.state:
            report(StateChanged(audio_id=self.name, record=answer, seen_at=time.time()))
        said = message_of(answer) if answer.state is WavState.PENDING else None
        if said is not None and not is_last and self._is_new(said):
            report(TaskMessage(audio_id=self.name, task_id=self.task_id, message=said))

    def _is_new(self, reason: str) -> bool:
        if reason in self.reasons or len(self.reasons) == _MOST_REASONS:
            return False
        self.reasons += (reason,)
        return True


def _state_of(record: WavRecord) -> tuple[WavState, str | None]:
    return record.state, record.flag
