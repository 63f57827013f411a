"""Sentences and lines about the songs on their way."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, TypeAlias, assert_never

from suno_wav_cli import events
from suno_wav_cli.terminal.texts import megabytes, printable, time_of_day
from suno_wav_cli.terminal.waveform import format_line, portrait_line

if TYPE_CHECKING:
    from suno_wav_cli.models import WavRecord

SongEvent: TypeAlias = (
    events.Submitting
    | events.SubmissionDelayed
    | events.Submitted
    | events.Resumed
    | events.LookedUp
    | events.StateChanged
    | events.LookupFailed
    | events.DownloadStarted
    | events.DownloadProgress
    | events.DownloadRetried
    | events.ConnectionsReduced
    | events.TagsMissing
    | events.Saved
    | events.Portrayed
    | events.Skipped
    | events.Detached
    | events.SongFailed
    | events.TaskStatus
)


def song_sentence(event: SongEvent, *, verbose: bool) -> str | None:
    match event:
        case events.Submitting():
            return f"{event.audio_id}: submitting" if verbose else None
        case events.SubmissionDelayed():
            return f"{event.audio_id}: {printable(event.reason)}; submitting again in {event.seconds:.1f} s"
        case events.Submitted():
            return f"{event.audio_id}: submitted as task {event.task_id}"
        case events.Resumed():
            return f"{event.audio_id}: {event.reason}, continuing task {event.task_id}"
        case events.LookedUp():
            return (
                f"{event.audio_id}: the service says {printable(event.record.flag or 'nothing')}"
                if verbose
                else None
            )
        case events.StateChanged():
            return f"{event.audio_id}: {time_of_day(event.seen)} {printable(_state(event.record))}"
        case events.LookupFailed():
            return f"{event.audio_id}: {printable(event.message)}; asking again"
        case events.DownloadStarted():
            begun = (
                f"going on with its download at {megabytes(event.received)}"
                if event.received
                else "downloading"
            )
            return f"{event.audio_id}: converted, {begun}"
        case events.DownloadProgress():
            return None
        case events.DownloadRetried():
            return f"{event.audio_id}: {printable(event.reason)}; trying again in {event.seconds:.1f} s"
        case events.ConnectionsReduced():
            return f"{event.audio_id}: {printable(event.reason)}; going on with one connection"
        case events.TagsMissing():
            return f"{event.audio_id}: tags are missing: {printable(event.reason)}"
        case events.Saved():
            silent = ", and nothing but silence" if event.silent else ""
            return f"{event.audio_id}: saved, {format_line(event.format)}, {megabytes(event.bytes)}{silent}"
        case events.Portrayed():
            # The beginning of the id will do, and leaves room for the waveform.
            head = f"{event.audio_id[:8]}: "
            return head + portrait_line(event.portrait, shutil.get_terminal_size().columns - len(head))
        case events.Skipped():
            tags = "; to write its tags, free of charge, add --force" if event.tags_wanted else ""
            return f"{event.audio_id}: already there, nothing was paid{tags}"
        case events.Detached():
            return f"{event.audio_id}: left running, kept {event.kept_days} days\n  To continue: {event.continue_with}"
        case events.SongFailed():
            return f"{event.audio_id}: error: {printable(event.message)}\n  {printable(event.remedy)}"
        case events.TaskStatus():
            return None
        case _:
            assert_never(event)


def song_results(event: SongEvent) -> list[str]:
    match event:
        case events.Saved(path=None):
            return []
        case events.Saved() | events.Skipped():
            return [str(event.path)]
        case events.Detached():
            return [event.task_id]
        case events.TaskStatus():
            return _status_lines(event)
        case _:
            return []


def progress_line(event: events.DownloadProgress) -> str:
    if event.total:
        share = event.received * 100 // event.total
        return f"{event.audio_id}: {share} %, {event.received / 1e6:.1f} of {megabytes(event.total)}"
    return f"{event.audio_id}: {megabytes(event.received)}"


def _status_lines(event: events.TaskStatus) -> list[str]:
    """Lay the service's words beside the journal's."""
    record = event.record
    rows = {
        "task": record.task_id,
        "state": _state(record),
        # A job's record does not name the song, and the journal may.
        "song": record.audio_id or (event.audio_id if event.audio_id != record.task_id else None),
        "error": " ".join(text for text in (record.error_code, record.error_message) if text),
        "created": record.created,
        "completed": record.completed,
        "journal": event.journal_state,
        "file": str(event.target) if event.target else None,
    }
    return [f"{name:<9} {printable(value)}" for name, value in rows.items() if value]


def _state(record: WavRecord) -> str:
    return f"{record.state} ({record.flag})" if record.flag else str(record.state)
