"""Whose record is it? The service names a song by its audio id, by another kind of id, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from suno_wav_cli.conversion.ids import is_uuid
from suno_wav_cli.errors import ServiceUnavailable
from suno_wav_cli.events.payments import OtherSongNamed

if TYPE_CHECKING:
    from suno_wav_cli.conversion.context import ConversionContext
    from suno_wav_cli.journal.entry import JournalEntry
    from suno_wav_cli.models import WavRecord


def check_identity(context: ConversionContext, entry: JournalEntry, record: WavRecord) -> None:
    """Raise ServiceUnavailable if a record names another song of the journal or of this run.

    An id that no known song has is only reported, because live services may mask ids. If the task was
    only a candidate, an id of the same kind as the song's is refused too.
    """
    named = record.audio_id
    if named is None or entry.audio_id is None or is_same_song(named, entry.audio_id):
        return
    is_candidate = record.task_id in entry.candidates
    if is_known_song(context, named) or (is_candidate and names_other_song(context, record, entry.audio_id)):
        raise ServiceUnavailable(
            f"the record of task {record.task_id} names another song, {named}: nothing was saved",
            "A later lookup may name this one. If it stays so, look at your account's log.",
            continue_argv=context.continue_argv([record.task_id]),
        )
    context.report(OtherSongNamed(audio_id=entry.audio_id, task_id=record.task_id, named=named))


def is_known_song(context: ConversionContext, audio_id: str) -> bool:
    """Tell whether the journal or this run has a song of this id."""
    return any(
        one in context.songs or context.journal.songs_named(one) for one in {audio_id, audio_id.lower()}
    )


def names_other_song(context: ConversionContext, record: WavRecord, audio_id: str) -> bool:
    """Tell whether a record names another song: a known one, or one by the same kind of id."""
    named = record.audio_id
    if named is None or is_same_song(named, audio_id):
        return False
    return is_known_song(context, named) or is_uuid(named) == is_uuid(audio_id)


def is_same_song(named: str, audio_id: str) -> bool:
    return named == audio_id or (is_uuid(named) and named.lower() == audio_id.lower())
