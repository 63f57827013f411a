"""Waiting for a task: one loop, woken by a callback or by the clock, in which the API decides."""

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
from suno_wav_cli.errors import GenerationFailed, NotAuthorized, SunoWavError, TaskForgotten, TaskUnknown
from suno_wav_cli.events import LookedUp, LookupFailed, StateChanged, TaskMessage
from suno_wav_cli.models import WavRecord, WavState

if TYPE_CHECKING:
    from suno_wav_cli.conversion.context import ConversionContext
    from suno_wav_cli.conversion.lookup_retry import Answer, Step
    from suno_wav_cli.journal.entry import JournalEntry

_MOST_REASONS = 20
"""Different reasons shown in one wait: a service may put a new number into each."""


@dataclass(kw_only=True, slots=True)
class TimeLimit:
    """`--timeout` for one song: so many `seconds`, from its first lookup in this run on.

    With thousands of songs to resume, that may be a while after the start. `ends_at` is on the
    monotonic clock.
    """

    seconds: float
    ends_at: float | None = None

    def begin(self) -> float:
        """Let the time run, unless it does. Return when it is up."""
        if self.ends_at is None:
            self.ends_at = time.monotonic() + self.seconds
        return self.ends_at


async def wait_for(
    context: ConversionContext,
    task_id: str,
    entry: JournalEntry | None,
    known: WavRecord | None = None,
    *,
    new: bool = False,
    callback_url: str | None = None,
    any_state: bool = False,
    limit: TimeLimit | None = None,
) -> WavRecord:
    """Wait until the service has made the file. The record that is returned has its URL.

    `entry` is None for a task that the journal does not know. `known` is what the service said a
    moment ago. `new` if this run has just submitted the task, with `callback_url` if callbacks may
    come. With `any_state`, return the first record. `limit` is what other waits for this song share.

    Raise what `next_step` and `time_is_up` decide, with the line that continues.
    """
    terms, answers = wait_terms(context, entry), Answers()
    reports = _Reports(context=context, task_id=task_id, name=entry.name if entry else task_id, record=known)
    limit = limit or TimeLimit(seconds=context.settings.timeout)
    task = context.poller.follow(task_id, callback_url=callback_url)
    step: Step = AskAgain(seconds=terms.poll_interval if new else 0.0, at_least=0.0)
    try:
        async with asyncio.timeout_at(limit.begin() if new or known else limit.ends_at) as timeout:
            while isinstance(step, AskAgain):
                if known is None:
                    await context.poller.turn(task, step)
                    if timeout.when() is None:
                        timeout.reschedule(limit.begin())
                answer = known or await context.poller.look_up(context.client, task)
                answers = answers.after(answer, time.monotonic())
                step = next_step(answers, terms, key_worked=context.client.key_worked)
                if any_state and isinstance(answer, WavRecord):
                    step = answer
                if known is None:
                    reports.show(answer, is_last=not isinstance(step, AskAgain))
                known = None
    except TimeoutError:
        step = time_is_up(answers, terms, context.settings.timeout)
    finally:
        context.poller.forget(task)
    if isinstance(step, SunoWavError):
        raise with_line(context, task_id, step, paid=terms.paid)
    return step


async def look_once(context: ConversionContext, task_id: str, entry: JournalEntry | None) -> WavRecord:
    """Look a task up, with the retries of a single lookup.

    Raise what `Client.fetch_record` raises, with what it means for a task that is paid for.
    """
    try:
        record = await context.client.fetch_record(task_id)
    except SunoWavError as error:
        if entry is not None and not isinstance(error, NotAuthorized):
            error.remedy = "The task is paid for, and a single answer does not decide about it."
            error.continue_argv = context.continue_argv([task_id])
        raise
    context.report(LookedUp(audio_id=entry.name if entry else task_id, record=record))
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

    `record` is the last one that is known.
    """

    context: ConversionContext
    task_id: str
    name: str
    record: WavRecord | None
    reasons: tuple[str, ...] = ()

    def show(self, answer: Answer, *, is_last: bool) -> None:
        """Report an answer. An error that ends the wait is the caller's to report."""
        report = self.context.report
        if isinstance(answer, SunoWavError):
            if not is_last and self._is_new(answer.message):
                report(LookupFailed(audio_id=self.name, task_id=self.task_id, message=answer.message))
            return
        report(LookedUp(audio_id=self.name, record=answer))
        before, self.record = self.record, answer
        if self.context.watch and (before is None or _state_of(before) != _state_of(answer)):
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
