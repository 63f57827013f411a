"""The file of a task that was submitted before, here or elsewhere."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from suno_wav_cli.conversion.adoption import attach_task
from suno_wav_cli.conversion.context import make_spool
from suno_wav_cli.conversion.ids import typed_id
from suno_wav_cli.conversion.outcome import Outcome
from suno_wav_cli.conversion.pipeline import begin_waiting
from suno_wav_cli.conversion.prior import Accepted
from suno_wav_cli.conversion.targets import check_targets, choose_targets, make_folders, names_title
from suno_wav_cli.conversion.upload import is_saved
from suno_wav_cli.conversion.wait import Wait, look_once
from suno_wav_cli.errors import StillRunning, SunoWavError
from suno_wav_cli.events.songs import Skipped
from suno_wav_cli.models import Song, WavState

if TYPE_CHECKING:
    import asyncio
    from pathlib import Path

    from suno_wav_cli.conversion.context import ConversionContext
    from suno_wav_cli.conversion.download_slots import DownloadSlot
    from suno_wav_cli.journal.entry import JournalEntry
    from suno_wav_cli.models import WavRecord


async def finish_task(
    context: ConversionContext,
    task_id: str,
    record: WavRecord | None = None,
    *,
    wait: bool,
    alone: bool,
    attach: bool = False,
    ends_at: float = math.inf,
) -> Outcome:
    """Save a task's file where it belongs, unless it is there.

    `record` is what the service said a moment ago, in a wait whose time is up at `ends_at`. `alone` if `--out` may name a file. With
    `attach`, a task that the journal does not know may be that of a song that waits for one. Raise
    SunoWavError.
    """
    journal = context.journal
    entry = journal.of_task(task_id)
    if record is None and not wait:
        record = await look_once(context, task_id, entry)
    elif record is None and (entry is None or entry.audio_id is None):
        # The record tells the song, and with it the file's name.
        wait_for_song = Wait(context, task_id, entry, any_state=True)
        record = await wait_for_song.decided
        ends_at = wait_for_song.ends_at
    if (entry is None or entry.audio_id is None) and record is not None and attach:
        entry = await attach_task(context, record) or entry
    named = record.audio_id if record else None
    audio_id = typed_id(entry.audio_id if entry else None, named, task_id) or "song"
    target = target_of(context, song_of(context, audio_id), entry, alone=alone)
    if entry is not None and await skip_saved(context, entry, target):
        return Outcome(task_id=task_id, skipped=True)
    prepare_file(context, audio_id, target)
    if record is not None and record.state is WavState.PENDING and not wait:
        raise StillRunning("the conversion is not finished yet", "Try again later, or add --wait.")
    if entry is None or entry.audio_id is None:
        entry = await journal.when_unlocked(partial(journal.adopt, task_id, typed_id(named), target))
    song = await begin_waiting(context, Accepted(entry=entry, record=record), target, ends_at=ends_at)
    with suppress(SunoWavError):  # which `finish` raises again
        await song.decided
    async with context.downloads.one() as slot:
        return await song.finish(slot)


@dataclass(frozen=True, kw_only=True)
class UnknownSong:
    """A task that only its record tells the song of, which is looked up first."""

    context: ConversionContext
    wait: Wait
    alone: bool

    @property
    def decided(self) -> asyncio.Future[WavRecord]:
        return self.wait.decided

    async def finish(self, slot: DownloadSlot) -> Outcome:
        """Save its file. Raise SunoWavError."""
        # It may have to wait on.
        slot.end()
        record = await self.decided
        return await finish_task(
            self.context,
            self.wait.task_id,
            record,
            wait=True,
            attach=True,
            alone=self.alone,
            ends_at=self.wait.ends_at,
        )


async def skip_saved(context: ConversionContext, entry: JournalEntry, target: Path) -> bool:
    """Tell whether a conversion's file is where it belongs. Report it then."""
    if not await is_saved(context, entry, target):
        return False
    context.report(Skipped(audio_id=entry.name, path=target, tags_wanted=context.settings.tag))
    return True


def prepare_file(context: ConversionContext, audio_id: str, target: Path) -> None:
    """Check that a song's file can be made, and make its folder. Raise UsageError or OutputExists."""
    local = context.local_file(audio_id, target)
    if local != target:
        make_spool(context.spool)
    check_targets([local], ours=context.owns, force=context.settings.force)
    make_folders([local])


def song_of(context: ConversionContext, audio_id: str) -> Song:
    """Return a song with what the journal knows of it."""
    history = context.journal.history
    # A title is part of no name unless that is asked for: running `tracks` must not change one.
    title = history.title_of(audio_id) if names_title(context.settings.out) else None
    return Song(audio_id=audio_id, music_task_id=history.music_task_of(audio_id), title=title)


def target_of(context: ConversionContext, song: Song, entry: JournalEntry | None, *, alone: bool) -> Path:
    """Return the song's file: by `--out`, or the one it was meant for, or a name of its own."""
    out, meant = context.settings.out, entry.target if entry else None
    if out is None and meant is not None and meant.parent != context.spool:
        return meant
    today = datetime.now().astimezone().date()
    (target,) = choose_targets([song], out, today, alone=alone, spool=context.spool, in_use=context.names)
    return target
