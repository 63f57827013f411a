"""The file of a task that was submitted before, here or elsewhere."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from suno_wav_cli.conversion.ids import typed_id
from suno_wav_cli.conversion.outcome import Outcome
from suno_wav_cli.conversion.pipeline import finish
from suno_wav_cli.conversion.targets import check_targets, choose_targets, names_title
from suno_wav_cli.errors import StillRunning
from suno_wav_cli.events import Skipped
from suno_wav_cli.models import Song, WavState

if TYPE_CHECKING:
    from pathlib import Path

    from suno_wav_cli.conversion.context import ConversionContext
    from suno_wav_cli.journal.entry import JournalEntry
    from suno_wav_cli.models import WavRecord


async def finish_task(context: ConversionContext, record: WavRecord, *, wait: bool, alone: bool) -> Outcome:
    """Save a task's file where it belongs, unless it is there. `record` is the service's answer.

    `alone` if `--out` may name a file. Raise SunoWavError.
    """
    journal = context.journal
    entry = journal.of_task(record.task_id)
    audio_id = typed_id(record.audio_id, entry.audio_id if entry else None, record.task_id) or "song"
    target = target_of(context, song_of(context, audio_id), entry, alone=alone)
    if entry is not None and not context.settings.force and journal.recognises(entry, target):
        context.report(Skipped(audio_id=entry.name, path=target, tags_wanted=context.settings.tag))
        return Outcome(task_id=record.task_id, skipped=True)
    check_targets([target], ours=context.owns, force=context.settings.force)
    if record.state is WavState.PENDING and not wait:
        raise StillRunning("the conversion is not finished yet", "Try again later, or add --wait.")
    entry = entry or journal.adopt(record.task_id, typed_id(record.audio_id), target)
    return await finish(context, entry, target, record)


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
    return choose_targets([song], out, today, alone=alone, spool=context.spool)[0]
