"""Waiting for a task: one loop, woken by a callback or by the clock, in which the API decides."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING

from suno_wav_cli.errors import (
    GenerationFailed,
    ServiceUnavailable,
    StillRunning,
    SunoWavError,
    TaskUnknown,
)
from suno_wav_cli.events import LookedUp, LookupFailed, StateChanged
from suno_wav_cli.models import WavRecord, WavState

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from suno_wav_cli.conversion.context import ConversionContext
    from suno_wav_cli.journal.entry import JournalEntry

UNKNOWN_AT_FIRST = 60.0
"""Seconds after a submission in which the service may not know the task (api/README.md, section 3)."""

_BETWEEN_LOOKUPS = 1.0
"""Seconds. Otherwise a stranger who finds the callback's path could make the program hurry."""

_SAFETY_FACTOR = 2
"""How many poll intervals pass between lookups while a callback is expected: it may be lost."""


async def wait_for(
    context: ConversionContext, entry: JournalEntry, known: WavRecord | None = None, *, new: bool = False
) -> WavRecord:
    """Wait until the service has made the file. The record that is returned has its URL.

    `known` is what the service said a moment ago. `new` if this run has just submitted the task.

    Raise GenerationFailed if the service could not make it, StillRunning when the time is up, and
    ServiceUnavailable if the service was away then.
    """
    record, problem = known, None
    timeout = context.settings.timeout
    try:
        async with (
            asyncio.timeout(timeout),
            aclosing(lookups(context, entry, at_once=known is None and not new, called_back=new)) as answers,
        ):
            while record is None or record.state is WavState.PENDING:
                answer = await anext(answers)
                if isinstance(answer, WavRecord):
                    if context.watch and not _says_the_same(answer, record):
                        report_state(context, entry.name, answer)
                    record, problem = answer, None
                else:
                    problem = answer
    except TimeoutError:
        line = context.continue_with([entry.wav_task_id or ""])
        if isinstance(problem, ServiceUnavailable):
            raise ServiceUnavailable(problem.message, "", continue_with=line) from None
        raise StillRunning(f"not finished within {timeout:g} s", "", continue_with=line) from None
    if record.state is WavState.FAILED:
        raise _generation_failed(record)
    return record


def report_state(context: ConversionContext, name: str, record: WavRecord) -> None:
    """Report the state that a task has now."""
    context.report(StateChanged(audio_id=name, record=record, seen_at=time.time()))


def _says_the_same(record: WavRecord, earlier: WavRecord | None) -> bool:
    return earlier is not None and (record.state, record.flag) == (earlier.state, earlier.flag)


async def lookups(
    context: ConversionContext, entry: JournalEntry, *, at_once: bool, called_back: bool
) -> AsyncGenerator[WavRecord | SunoWavError, None]:
    """Yield the service's answer about a task: `at_once`, and at each callback or poll interval.

    An error that may pass is yielded too. With `called_back`, callbacks about the task come here.
    """
    task_id, at_least = entry.wav_task_id or "", 0.0
    try:
        if at_once:
            yield await _look_up(context, entry)
            at_least = _BETWEEN_LOOKUPS
        while True:
            await _wait_for_turn(context, task_id, at_least=at_least, called_back=called_back)
            yield await _look_up(context, entry)
            at_least = _BETWEEN_LOOKUPS
    finally:
        context.notifier.forget(task_id)


async def _look_up(context: ConversionContext, entry: JournalEntry) -> WavRecord | SunoWavError:
    task_id = entry.wav_task_id or ""
    try:
        record = await context.client.fetch_record(task_id)
    except (ServiceUnavailable, TaskUnknown) as error:
        if isinstance(error, TaskUnknown) and time.time() - entry.created > UNKNOWN_AT_FIRST:
            raise _forgotten(entry) from error
        context.report(LookupFailed(audio_id=entry.name, task_id=task_id, message=error.message))
        return error
    context.report(LookedUp(audio_id=entry.name, record=record))
    return record


async def _wait_for_turn(
    context: ConversionContext, task_id: str, *, at_least: float, called_back: bool
) -> None:
    """Return at the callback, or when it is time to look anyway, but not before `at_least` seconds."""
    event = context.notifier.of(task_id)
    interval = context.settings.poll_interval
    if called_back and context.notifier.listening:
        interval *= _SAFETY_FACTOR
    at_least = min(at_least, interval)
    await asyncio.sleep(at_least)
    with suppress(TimeoutError):
        async with asyncio.timeout(interval - at_least):
            await event.wait()
    event.clear()


def _forgotten(entry: JournalEntry) -> TaskUnknown:
    since = time.strftime("%Y-%m-%d", time.localtime(entry.created))
    return TaskUnknown(
        f"the service has forgotten task {entry.wav_task_id}, submitted on {since}",
        "Only a new conversion, which is charged again, brings the file back: add --resubmit to `convert`.",
    )


def _generation_failed(record: WavRecord) -> GenerationFailed:
    said = " ".join(text for text in (record.error_code, record.error_message) if text) or "no reason given"
    return GenerationFailed(
        f"the service could not convert the song: {record.flag} ({said})",
        "Only --resubmit pays for another try.",
    )
