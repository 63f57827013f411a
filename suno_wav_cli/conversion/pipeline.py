"""The story of one song, and of many: submit, wait, download.

Callback and polling are one loop with two ways to be woken; either way it is `record-info` that decides.
A failed song is a value: it never cancels another.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from suno_wav_cli import events
from suno_wav_cli.conversion.save import save
from suno_wav_cli.errors import (
    GenerationFailed,
    NotAuthorized,
    ServiceUnavailable,
    StillRunning,
    SunoWavError,
    TaskUnknown,
)
from suno_wav_cli.journal.entry import State
from suno_wav_cli.models import WavRecord, WavState

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence
    from pathlib import Path

    from suno_wav_cli.conversion.context import ConversionContext
    from suno_wav_cli.journal.entry import JournalEntry
    from suno_wav_cli.models import Order

T = TypeVar("T")

UNKNOWN_AT_FIRST = 60.0
"""Seconds after its submission in which the service may not know a task yet (api/README.md, section 3)."""

_BETWEEN_LOOKUPS = 1.0
"""Seconds. Without it, whoever finds the callback's path could make the program ask as fast as the service answers."""

_SAFETY_FACTOR = 2
"""How many poll intervals pass between two questions while a callback is expected: the question is for a lost one."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one song: a file, an error, or a task that was left to itself (neither)."""

    task_id: str | None = None
    path: Path | None = None
    error: SunoWavError | None = None


async def convert_all(orders: Sequence[Order], context: ConversionContext) -> list[Outcome]:
    """Convert every order, `in_flight` of them at a time; the outcomes in the same order."""
    flight = asyncio.Semaphore(context.terms.in_flight)

    async def one(order: Order) -> Outcome:
        async with flight:
            return await convert(order, context)

    return await all_of([one(order) for order in orders])


async def all_of(stories: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """Run the stories side by side. A bug in one shows itself when the others, which are paid for, have ended."""
    tasks = [asyncio.ensure_future(story) for story in stories]
    await asyncio.gather(*tasks, return_exceptions=True)
    return [task.result() for task in tasks]


async def convert(order: Order, context: ConversionContext) -> Outcome:
    """Submit, wait and download one song."""
    task_id = None
    try:
        accepted = await context.submitter.accepted(order)
        task_id = accepted.entry.wav_task_id
        if not context.terms.wait:
            return _left_running(order, task_id or "", context)
        # No conversion is ready at once: the first question is left to the callback or the clock.
        known = WavRecord(task_id=task_id or "", state=WavState.PENDING) if accepted.new else None
        return await _finished(accepted.entry, order.target, context, known, called_back=accepted.new)
    except SunoWavError as error:
        return failure(order.song.audio_id, task_id, error, context)


async def finish(entry: JournalEntry, target: Path, context: ConversionContext, known: WavRecord) -> Outcome:
    """Wait for a task that was accepted in an earlier run, and download its file."""
    try:
        return await _finished(entry, target, context, known)
    except SunoWavError as error:
        return failure(entry.name, entry.wav_task_id, error, context)


async def wait_for(
    entry: JournalEntry, context: ConversionContext, known: WavRecord | None, *, called_back: bool = False
) -> WavRecord:
    """Ask until the service has made the file; the record has its URL. `known` is what it said a moment ago.

    `called_back` says that the service was given the address of this run's receiver.

    Raises GenerationFailed where it could not, StillRunning when the time is up, and ServiceUnavailable where the
    service was away then.
    """
    task_id = entry.wav_task_id or ""
    trouble: SunoWavError | None = None
    record = known
    try:
        async with asyncio.timeout(context.terms.timeout):
            while record is None or record.state is WavState.PENDING:
                if record is not None or trouble is not None:
                    at_least = 0.0 if record is known else _BETWEEN_LOOKUPS
                    await _woken(task_id, context, at_least=at_least, called_back=called_back)
                try:
                    record, trouble = await context.client.wav_record(task_id), None
                    context.report(events.LookedUp(audio_id=entry.name, record=record))
                except (ServiceUnavailable, TaskUnknown) as error:
                    if isinstance(error, TaskUnknown) and time.time() - entry.created > UNKNOWN_AT_FIRST:
                        raise _forgotten(entry) from error
                    trouble = error
                    context.report(
                        events.LookupFailed(audio_id=entry.name, task_id=task_id, message=error.message)
                    )
    except TimeoutError:
        remedy = f"To continue: {context.continue_with([task_id])}"
        if isinstance(trouble, ServiceUnavailable):
            raise ServiceUnavailable(trouble.message, remedy) from None
        raise StillRunning(f"not finished within {context.terms.timeout:g} s", remedy) from None
    finally:
        context.wake_ups.forget(task_id)
    if record.state is WavState.FAILED:
        raise _generation_failed(record)
    return record


async def _woken(task_id: str, context: ConversionContext, *, at_least: float, called_back: bool) -> None:
    """Return at the callback, or when it is time to ask anyway, but not before `at_least` seconds."""
    event = context.wake_ups.of(task_id)
    interval = context.terms.poll_interval
    if called_back and context.wake_ups.listening:
        interval *= _SAFETY_FACTOR
    at_least = min(at_least, interval)
    await asyncio.sleep(at_least)
    with suppress(TimeoutError):
        async with asyncio.timeout(interval - at_least):
            await event.wait()
    event.clear()


async def _finished(
    entry: JournalEntry,
    target: Path,
    context: ConversionContext,
    known: WavRecord | None,
    *,
    called_back: bool = False,
) -> Outcome:
    try:
        record = await wait_for(entry, context, known, called_back=called_back)
    except GenerationFailed as failed:
        context.journal.move(entry, State.FAILED, message=failed.message)
        raise
    entry = context.journal.move(entry, State.READY, wav_url=record.url, target=target)
    await save(entry, record.url or "", target, context)
    return Outcome(task_id=entry.wav_task_id, path=target)


def _left_running(order: Order, task_id: str, context: ConversionContext) -> Outcome:
    line = context.continue_with([task_id])
    context.report(
        events.Detached(
            audio_id=order.song.audio_id,
            task_id=task_id,
            kept_days=context.client.provider.retention_days,
            resume_hint=line,
        )
    )
    return Outcome(task_id=task_id)


def failure(name: str, task_id: str | None, error: SunoWavError, context: ConversionContext) -> Outcome:
    remedy = error.remedy
    if (
        task_id is not None
        and isinstance(error, NotAuthorized | ServiceUnavailable)
        and "To continue" not in remedy
    ):
        remedy += f" To continue: {context.continue_with([task_id])}"
    context.report(
        events.SongFailed(
            audio_id=name, task_id=task_id, exit_code=error.exit_code, message=error.message, remedy=remedy
        )
    )
    return Outcome(task_id=task_id, error=error)


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
        "Running `convert` again submits it anew, which may be charged again.",
    )
