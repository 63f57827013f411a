"""The story of one song, and of many: submit, wait, download.

Callback and polling are one loop with two ways to be woken; either way it is `record-info` that decides.
A failed song is a value: it never cancels another.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from suno_wav_cli import events
from suno_wav_cli.download import Transfer, fetch, put_in_place
from suno_wav_cli.errors import (
    AddressRefused,
    ConversionFailed,
    DownloadFailed,
    ServiceUnavailable,
    StillRunning,
    SunoWavError,
    TaskUnknown,
)
from suno_wav_cli.journal import State
from suno_wav_cli.models import WavState

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from suno_wav_cli.client import Client
    from suno_wav_cli.events import Report
    from suno_wav_cli.journal import Entry, Journal
    from suno_wav_cli.models import Order, WavRecord
    from suno_wav_cli.pacing import Backoff
    from suno_wav_cli.submission import Submitter
    from suno_wav_cli.wake_ups import WakeUps

DOWNLOADS_AT_ONCE = 4
"""More connections do not make a line faster; fewer leave it idle between two files."""

_UNKNOWN_AT_FIRST = 60.0
"""Seconds after its submission in which the service may not know a task yet (contract/wav-api.md, section 3)."""

_BETWEEN_LOOKUPS = 1.0
"""Seconds. Without it, whoever finds the callback's path could make the program ask as fast as the service answers."""


@dataclass(frozen=True)
class Terms:
    """What the person decided. Times in seconds."""

    poll_interval: float
    timeout: float
    wait: bool = True
    force: bool = False
    in_flight: int = 20


@dataclass(frozen=True)
class Workshop:
    """What a conversion works with. `continue_with` makes the command line that finishes a task."""

    client: Client
    journal: Journal
    submitter: Submitter
    wake_ups: WakeUps
    tls: ssl.SSLContext
    backoff: Backoff
    downloads: asyncio.Semaphore
    terms: Terms
    continue_with: Callable[[Sequence[str]], str]
    report: Report


@dataclass(frozen=True)
class Outcome:
    """What became of one song: a file, an error, or a task that was left to itself (neither)."""

    task_id: str | None = None
    path: Path | None = None
    error: SunoWavError | None = None


async def convert_all(orders: Sequence[Order], shop: Workshop) -> list[Outcome]:
    """Convert every order, `in_flight` of them at a time; the outcomes in the same order."""
    flight = asyncio.Semaphore(shop.terms.in_flight)

    async def one(order: Order) -> Outcome:
        async with flight:
            return await convert(order, shop)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(order)) for order in orders]
    return [task.result() for task in tasks]


async def convert(order: Order, shop: Workshop) -> Outcome:
    """Submit, wait and download one song."""
    task_id = None
    try:
        accepted = await shop.submitter.accepted(order)
        task_id = accepted.entry.wav_task_id
        if not shop.terms.wait:
            return _left_running(order, task_id or "", shop)
        return await _finished(accepted.entry, order.target, shop, just_submitted=accepted.new)
    except SunoWavError as error:
        return failure(order.song.audio_id, task_id, error, shop)


async def finish(entry: Entry, target: Path, shop: Workshop) -> Outcome:
    """Wait for a task that was accepted in an earlier run, and download its file."""
    try:
        return await _finished(entry, target, shop, just_submitted=False)
    except SunoWavError as error:
        return failure(entry.name, entry.wav_task_id, error, shop)


async def wait_for(entry: Entry, shop: Workshop, *, just_submitted: bool) -> WavRecord:
    """Ask until the service has made the file or failed.

    Raises StillRunning when the time is up, ServiceUnavailable where the service was away then, and ConversionFailed.
    """
    task_id, name = entry.wav_task_id or "", entry.name
    trouble: ServiceUnavailable | None = None
    try:
        async with asyncio.timeout(shop.terms.timeout):
            # No conversion is ready at once: the first question is left to the callback or the clock.
            if just_submitted:
                await _woken(task_id, shop, at_least=0.0)
            while True:
                try:
                    record = await shop.client.wav_record(task_id)
                    trouble = None
                    shop.report(events.LookedUp(name, record))
                    if record.state is not WavState.PENDING:
                        return record
                except ServiceUnavailable as error:
                    trouble = error
                    shop.report(events.LookupFailed(name, task_id, error.message))
                except TaskUnknown as error:
                    if time.time() - entry.created > _UNKNOWN_AT_FIRST:
                        raise
                    shop.report(events.LookupFailed(name, task_id, error.message))
                await _woken(task_id, shop, at_least=min(_BETWEEN_LOOKUPS, shop.terms.poll_interval))
    except TimeoutError:
        remedy = f"It goes on at the service. To continue: {shop.continue_with([task_id])}"
        if trouble is not None:
            raise ServiceUnavailable(trouble.message, remedy) from None
        raise StillRunning(f"not finished within {shop.terms.timeout:g} s", remedy) from None
    finally:
        shop.wake_ups.forget(task_id)


async def _woken(task_id: str, shop: Workshop, *, at_least: float) -> None:
    """Return at the callback, or when the poll interval is over, but after `at_least` seconds."""
    event = shop.wake_ups.of(task_id)
    await asyncio.sleep(at_least)
    with suppress(TimeoutError):
        async with asyncio.timeout(shop.terms.poll_interval - at_least):
            await event.wait()
    event.clear()


async def _finished(entry: Entry, target: Path, shop: Workshop, *, just_submitted: bool) -> Outcome:
    record = await wait_for(entry, shop, just_submitted=just_submitted)
    if record.url is None:
        failure = conversion_failed(record)
        shop.journal.move(entry, State.FAILED, message=failure.message)
        raise failure
    entry = shop.journal.move(entry, State.READY, wav_url=record.url, target=target)
    async with shop.downloads:
        await _downloaded(entry, record.url, target, shop)
    return Outcome(entry.wav_task_id, target)


async def _downloaded(entry: Entry, url: str, target: Path, shop: Workshop) -> None:
    task_id, name = entry.wav_task_id or "", entry.name
    part = target.with_name(target.name + ".part")
    delays = shop.backoff.delays()
    asked_again = False
    shop.report(events.DownloadStarted(name, task_id, target))
    while True:
        transfer = Transfer(url, part, shop.tls)
        try:
            wav = await fetch(
                transfer,
                lambda received, total: shop.report(events.DownloadProgress(name, received, total)),
            )
            break
        except AddressRefused:
            if asked_again:
                raise
            asked_again = True
            url = (await shop.client.wav_record(task_id)).url or url
        except ServiceUnavailable as error:
            delay = next(delays, None)
            if delay is None:
                remedy = (
                    f"It is paid for and stays at the service. To continue: {shop.continue_with([task_id])}"
                )
                raise DownloadFailed(error.message, remedy) from error
            shop.report(events.DownloadRetried(name, error.message, delay))
            await asyncio.sleep(delay)
    size = part.stat().st_size
    # Written before the rename: a crash between the two leaves a file that the journal recognises as this one.
    entry = shop.journal.move(entry, State.READY, size=size)
    put_in_place(part, target, force=shop.terms.force)
    shop.journal.move(entry, State.SAVED)
    shop.report(events.Saved(name, task_id, target, size, wav))


def _left_running(order: Order, task_id: str, shop: Workshop) -> Outcome:
    line = shop.continue_with([task_id])
    shop.report(events.LeftRunning(order.song.audio_id, task_id, shop.client.provider.retention_days, line))
    return Outcome(task_id)


def failure(audio_id: str, task_id: str | None, error: SunoWavError, shop: Workshop) -> Outcome:
    shop.report(events.SongFailed(audio_id, task_id, error.exit_code, error.message, error.remedy))
    return Outcome(task_id, error=error)


def conversion_failed(record: WavRecord) -> ConversionFailed:
    said = " ".join(text for text in (record.error_code, record.error_message) if text) or "no reason given"
    return ConversionFailed(
        f"the service could not convert the song: {record.flag} ({said})",
        "Running `convert` again submits it anew, which may be charged again.",
    )
