"""A task that may be a song's: named by an answer that was not understood, by a 409, or by a person."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from suno_wav_cli.conversion.identity import is_known_song, is_same_song, names_other_song
from suno_wav_cli.errors import SunoWavError, TaskUnknown, UsageError
from suno_wav_cli.journal.entry import UNDECIDED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from suno_wav_cli.conversion.context import ConversionContext
    from suno_wav_cli.journal.entry import JournalEntry
    from suno_wav_cli.models import WavRecord

_CLOCKS_DIFFER = 5.0
"""Seconds by which the service's clock may be behind this machine's."""


def is_proven(entry: JournalEntry, record: WavRecord, *, is_taken: bool) -> bool:
    """Tell whether a candidate is the task that was paid for.

    `is_taken` if its id is known as something else: the music task, another song or its task.
    """
    if record.audio_id is not None:
        return is_same_song(record.audio_id, entry.audio_id or "")
    return len(entry.candidates) == 1 and not is_taken and not _is_before(record, entry)


async def adopt_candidate(
    context: ConversionContext, entry: JournalEntry
) -> tuple[JournalEntry, WavRecord] | None:
    """Look up the ids in an answer that was not understood. Return the conversion with the task.

    This is free. Return None if none of them is proven to be the task that was paid for.
    """
    journal = context.journal
    for task_id in entry.candidates:
        known = journal.of_task(task_id)
        if known is not None and known.audio_id not in (None, entry.audio_id):
            continue
        try:
            record = await context.client.fetch_record(task_id, retries=1)
        except SunoWavError:
            continue
        is_taken = task_id == entry.music_task_id or is_known_song(context, task_id)
        if is_proven(entry, record, is_taken=is_taken):
            accepted = await journal.when_unlocked(partial(journal.accept, entry, task_id))
            if accepted.wav_task_id is not None:
                return accepted, record
    return None


async def look_up_existing(
    context: ConversionContext, entry: JournalEntry, task_id: str, candidates: Sequence[str] = ()
) -> tuple[WavRecord | None, str | None]:
    """Look up the task that a 409 names, or that may be one of `candidates`.

    Return its record if the service shows it now, and the reason if the task is not the song's. A
    candidate is the song's only if its record is shown.
    """
    known = context.journal.of_task(task_id)
    if known is not None and known.audio_id not in (None, entry.audio_id):
        return None, f"that is of another song, {known.audio_id}"
    if task_id == entry.music_task_id:
        return None, "that is the song's music task"
    try:
        record = await context.client.fetch_record(task_id)
    except TaskUnknown:
        return None, "the service does not know it"
    except SunoWavError as error:
        return None, error.message if candidates else None
    doubt = None
    if names_other_song(context, record, entry.name):
        doubt = f"its record names another song, {record.audio_id}"
    elif record.audio_id is None and len(candidates) > 1:
        doubt = "its record names no song"
    return (record, None) if doubt is None else (None, doubt)


async def attach_task(context: ConversionContext, record: WavRecord) -> JournalEntry | None:
    """Attach a task from the account's log to the song that its record names, or that alone waits.

    Return the conversion that has the task then, or None if no song waits. Raise UsageError if the
    record names no song, and several wait.
    """
    journal = context.journal
    known = journal.of_task(record.task_id)
    if known is not None and known.audio_id is not None:
        return known
    waiting = journal.awaiting_task()
    named = record.audio_id
    fitting = [entry for entry in waiting if named and is_same_song(named, entry.name)] or [
        entry
        for entry in waiting
        if not names_other_song(context, record, entry.name)
        and not (entry.state in UNDECIDED and _is_before(record, entry))
    ]
    if not fitting:
        return None
    if len(fitting) > 1:
        songs = ", ".join(entry.name for entry in fitting)
        raise UsageError(
            f"the record of task {record.task_id} names no song, and several wait for a task: {songs}",
            "Settle the others first, by the tasks whose records name them, or by --resubmit.",
        )
    return await journal.when_unlocked(partial(journal.accept, fitting[0], record.task_id))


def _is_before(record: WavRecord, entry: JournalEntry) -> bool:
    """Tell whether a task is older than the paid request, if the service says when it was made."""
    return record.created_at is not None and record.created_at < entry.created - _CLOCKS_DIFFER
