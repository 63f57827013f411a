"""One song and many: submit, wait, download.

A failed song is a value: it never cancels another.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from suno_wav_cli.conversion.identity import check_identity
from suno_wav_cli.conversion.outcome import Outcome, record_end, report_failure
from suno_wav_cli.conversion.plan import Action
from suno_wav_cli.conversion.resume_hint import describe_command
from suno_wav_cli.conversion.save import save
from suno_wav_cli.conversion.side_by_side import Rest, run_all
from suno_wav_cli.conversion.wait import Wait
from suno_wav_cli.download.part_file import remove_empty_part
from suno_wav_cli.errors import JournalUnusable, SunoWavError
from suno_wav_cli.events.songs import Detached, Skipped
from suno_wav_cli.journal.entry import State

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Coroutine, Sequence
    from pathlib import Path

    from suno_wav_cli.conversion.context import ConversionContext
    from suno_wav_cli.conversion.download_slots import DownloadSlot
    from suno_wav_cli.conversion.plan import Job
    from suno_wav_cli.conversion.prior import Accepted
    from suno_wav_cli.conversion.submit import Submitter
    from suno_wav_cli.models import WavRecord


async def convert_all(
    context: ConversionContext,
    plan: Sequence[Job],
    submitter: Submitter,
    outcomes: list[Outcome],
    *,
    wait: bool,
) -> None:
    """Do every job, and keep in `outcomes` what has become of it so far.

    Trouble is reported, and is its song's alone. Raise JournalUnusable: no song can go on then.
    """
    for job in plan:
        if job.action is Action.THERE:
            remove_empty_part(job.target)
            context.report(
                Skipped(audio_id=job.song.audio_id, path=job.target, tags_wanted=context.settings.tag)
            )

    async def begin(index: int) -> Rest | None:
        job, task_id = plan[index], None
        try:
            accepted = await submitter.accept(job)
            task_id = accepted.entry.wav_task_id
            # Known from here on, however the run ends.
            outcomes[index] = Outcome(task_id=task_id)
            if wait:
                return await begin_waiting(context, accepted, job.target)
            _report_detached(context, job.song.audio_id, task_id or "")
        except JournalUnusable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the other songs go on
            outcomes[index] = report_failure(context, job.song.audio_id, task_id, error)
        return None

    async def keep(index: int, finish: Callable[[], Coroutine[Any, Any, Outcome]]) -> None:
        job, task_id = plan[index], outcomes[index].task_id
        try:
            outcomes[index] = await finish()
        except JournalUnusable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the other songs go on
            outcomes[index] = report_failure(context, job.song.audio_id, task_id, error)

    to_do = [index for index, job in enumerate(plan) if job.action is not Action.THERE]
    # What the service has already need not wait for what is still to be submitted, one after the other.
    to_do.sort(key=lambda index: plan[index].action is Action.SUBMIT)
    await run_all(begin, keep, to_do, context.downloads)


async def begin_waiting(
    context: ConversionContext, accepted: Accepted, target: Path, *, ends_at: float = math.inf
) -> AcceptedSong:
    """Wait for a task that was accepted. What is left is to save its file."""
    journal, entry = context.journal, accepted.entry
    now = journal.follow(entry)
    if target.parent != context.spool:
        # Whatever ends this run, the next one is to save the file there too.
        await journal.when_unlocked(partial(journal.retarget, now, target))
    wait = Wait(
        context,
        entry.wav_task_id or "",
        entry,
        accepted.record,
        new=accepted.new,
        callback_url=accepted.callback_url,
        ends_at=ends_at,
    )
    return AcceptedSong(context=context, row=entry.id, target=target, decided=wait.decided)


@dataclass(frozen=True, kw_only=True, slots=True)
class AcceptedSong:
    """A song that waits, and is saved once the service has `decided`.

    It has the `row` of its conversion in the journal, not the conversion itself: thousands may wait.
    """

    context: ConversionContext
    row: int
    target: Path
    decided: asyncio.Future[WavRecord]

    async def finish(self, slot: DownloadSlot) -> Outcome:
        """Save the file, for which `slot` is held, and return the outcome. Raise SunoWavError."""
        context, journal = self.context, self.context.journal
        try:
            record = await self.decided
        except SunoWavError as error:
            await record_end(context, journal.by_id(self.row), error)
            raise
        entry = journal.by_id(self.row)
        check_identity(context, entry, record)
        entry = await journal.when_unlocked(
            lambda: journal.move(
                entry, State.READY, wav_url=record.url, target=self.target, credits=record.credits
            )
        )
        if not await save(entry, record.url or "", self.target, context, slot):
            return Outcome(task_id=entry.wav_task_id, skipped=True)
        return Outcome(task_id=entry.wav_task_id, path=self.target, credits=entry.credits)


def _report_detached(context: ConversionContext, audio_id: str, task_id: str) -> None:
    argv = context.continue_argv([task_id])
    context.report(
        Detached(
            audio_id=audio_id,
            task_id=task_id,
            kept_days=context.client.provider.retention_days,
            resume_hint=describe_command(argv, typed=context.run.argv),
            continue_argv=argv,
        )
    )
