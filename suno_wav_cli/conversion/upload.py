"""`--out s3://...`: which songs are at an object store already, and how the others get there."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from suno_wav_cli.conversion.plan import Action
from suno_wav_cli.errors import OutputExists, UploadFailed, UsageError
from suno_wav_cli.events.follow_up import UploadsLeftOpen, UploadStarted
from suno_wav_cli.remote.address import address_of, is_remote, shown
from suno_wav_cli.remote.stores import Upload

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from suno_wav_cli.conversion.context import ConversionContext
    from suno_wav_cli.conversion.plan import Job
    from suno_wav_cli.download.part_file import PartFile
    from suno_wav_cli.journal.entry import JournalEntry


async def find_uploaded(context: ConversionContext, plan: Sequence[Job]) -> list[Job]:
    """Return the plan, in which songs that are at their store already have nothing to be done.

    Raise OutputExists, before anything is paid for, if another object has a song's name, and UsageError
    if a store cannot be used.
    """
    if not any(is_remote(job.target) for job in plan):
        return list(plan)
    buckets = {address_of(job.target)[:2]: job.target for job in plan if is_remote(job.target)}
    for target in buckets.values():
        await context.stores.check_bucket(target)
    return list(await asyncio.gather(*(_find_one(context, job) for job in plan)))


async def _find_one(context: ConversionContext, job: Job) -> Job:
    if not is_remote(job.target) or job.is_forced:
        return job
    if await is_uploaded(context, job.entry, job.target):
        return replace(job, action=Action.THERE)
    return job


async def is_uploaded(context: ConversionContext, entry: JournalEntry | None, target: Path) -> bool:
    """Tell whether a song is at its store. Raise OutputExists if another object has its name."""
    found = await context.stores.find(target)
    if found is None:
        return False
    known = None if entry is None else context.journal.uploads.find(entry, target)
    if known is not None and known.bytes == found.bytes and found.sha256 in (None, known.sha256):
        # Without `is_done`, the journal was to learn of it when that run ended.
        return known.is_done and not context.settings.force
    if context.settings.skip_existing:
        return True
    if not context.settings.force:
        raise OutputExists(
            f"{shown(target)} exists", "It was not touched. Choose another --out, or add --force."
        )
    return False


async def is_saved(context: ConversionContext, entry: JournalEntry, target: Path) -> bool:
    """Tell whether a conversion's file is where it belongs, and is not to be replaced.

    Raise OutputExists if another object has its name.
    """
    if is_remote(target):
        return await is_uploaded(context, entry, target)
    return not context.settings.force and context.journal.recognises(entry, target)


async def upload(
    part: PartFile, entry: JournalEntry, target: Path, sha256: str, context: ConversionContext
) -> None:
    """Send the whole part file. The journal knows that it has arrived before the local file goes.

    Raise OutputExists, UploadFailed or UsageError.
    """
    journal, stores, size = context.journal, context.stores, part.size
    in_parts = stores.goes_in_parts(size)
    await journal.when_unlocked(lambda: journal.uploads.begin(entry, target, size, sha256, in_parts=in_parts))
    context.report(UploadStarted(audio_id=entry.name, url=shown(target), bytes=size, in_parts=in_parts))
    try:
        await stores.upload(
            Upload(
                file=part.path,
                target=target,
                bytes=size,
                sha256=sha256,
                media_type="audio/wav",
                replace=context.settings.force,
            )
        )
    except (UploadFailed, UsageError) as error:
        raise UploadFailed(
            error.message, error.remedy, continue_argv=context.continue_argv([entry.wav_task_id or ""])
        ) from error
    await journal.when_unlocked(lambda: journal.uploads.end(entry, target))
    part.restart()


def report_left_open(context: ConversionContext) -> None:
    """Say which uploads a killed run may have left open at a store. Their parts are paid for there."""
    urls = tuple(shown(target) for target in context.journal.uploads.take_left_open())
    if urls:
        context.report(UploadsLeftOpen(urls=urls))
