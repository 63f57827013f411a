"""The file of a task that was submitted before, by whomever: to where it belongs, unless it is there."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from suno_wav_cli import events
from suno_wav_cli.conversion.pipeline import Outcome, finish
from suno_wav_cli.conversion.targets import check_possible, names_title, planned
from suno_wav_cli.errors import StillRunning
from suno_wav_cli.models import Order, Song, WavState

if TYPE_CHECKING:
    from suno_wav_cli.conversion.context import ConversionContext
    from suno_wav_cli.conversion.session import Session
    from suno_wav_cli.journal.entry import JournalEntry
    from suno_wav_cli.models import WavRecord


async def retrieve(
    entry: JournalEntry | None,
    record: WavRecord,
    session: Session,
    context: ConversionContext,
    *,
    wait: bool,
    alone: bool,
) -> Outcome:
    """Download a task's file; what went wrong is reported and returned. A file that is there already is no new path.

    `entry` is what the journal knows of the task, `record` what the service says; `alone` says that --out may name
    a file. Raises SunoWavError where the download could not be begun.
    """
    force, journal = session.settings.force, session.journal
    audio_id = record.audio_id or (entry and entry.audio_id) or record.task_id
    order = order_for(audio_id, entry, session, alone=alone)
    if entry is not None and not force and journal.recognises(entry, order.target):
        session.report(
            events.Skipped(audio_id=entry.name, path=order.target, tags_wanted=session.settings.tag)
        )
        return Outcome(task_id=record.task_id)
    check_possible([order], ours=session.owns, force=force)
    if record.state is WavState.PENDING and not wait:
        raise StillRunning("the conversion is not finished yet", "Try again later, or add --wait.")
    entry = entry or journal.adopt(record.task_id, record.audio_id, order.target)
    return await finish(entry, order.target, context, record)


def order_for(audio_id: str, entry: JournalEntry | None, session: Session, *, alone: bool) -> Order:
    """Find the song's file: where --out says, else where it was meant to go, else a name of its own."""
    history, out = session.journal.history, session.settings.out
    title = history.title_of(audio_id) if names_title(out) else None
    song = Song(audio_id=audio_id, music_task_id=history.music_task_of(audio_id), title=title)
    meant = entry.target if entry else None
    if out is None and meant is not None and meant.parent != session.spool:
        return Order(song=song, target=meant)
    today = datetime.now().astimezone().date()
    return planned([song], out, today, alone=alone, spool=session.spool)[0]
