"""Messages about songs on their way."""

from __future__ import annotations

import shutil
import sys
import time
from typing import TYPE_CHECKING, assert_never

from suno_wav_cli.events import songs
from suno_wav_cli.remote.address import shown
from suno_wav_cli.terminal.fold import wrap_row
from suno_wav_cli.terminal.message import Level, Message
from suno_wav_cli.terminal.tables import (
    count_credits,
    describe_cost,
    get_width,
    megabytes,
    printable,
    time_of_day,
)
from suno_wav_cli.terminal.waveform import describe_format, describe_levels

if TYPE_CHECKING:
    from suno_wav_cli.models import WavRecord


def render(event: songs.SongEvent) -> Message:
    match event:
        case songs.LookedUp():
            flag = printable(event.record.flag or "nothing")
            return Message(text=f"{event.audio_id}: the service says {flag}", level=Level.DETAIL)
        case songs.StateChanged():
            state = printable(_state(event.record))
            return Message(text=f"{event.audio_id}: {time_of_day(event.seen_at)} {state}")
        case songs.LookupFailed():
            return Message(text=f"{event.audio_id}: {printable(event.message)}; retrying")
        case songs.TaskMessage():
            return Message(text=f"{event.audio_id}: {printable(event.message)}; still waiting")
        case songs.DownloadStarted():
            begun = f"resuming download at {megabytes(event.received)}" if event.received else "downloading"
            return Message(text=f"{event.audio_id}: converted, {begun}", level=Level.PROGRESS)
        case songs.DownloadProgress():
            return Message(text=_progress(event), level=Level.PROGRESS)
        case songs.DownloadRetried():
            return Message(
                text=f"{event.audio_id}: {printable(event.reason)}; retrying in {event.seconds:.1f} s"
            )
        case songs.ConnectionsReduced():
            return Message(
                text=f"{event.audio_id}: {printable(event.reason)}; continuing with one connection"
            )
        case songs.TagsMissing():
            return Message(text=f"{event.audio_id}: tags are missing: {printable(event.reason)}")
        case songs.Saved():
            return _saved(event)
        case songs.LevelsMeasured():
            # A part of the id is enough, and leaves room for the waveform.
            head = f"{event.audio_id[:8]}: "
            width = (get_width(sys.stderr) or shutil.get_terminal_size().columns) - len(head)
            return Message(text=head + describe_levels(event.levels, width))
        case songs.Skipped():
            tags = "; to write its tags, free of charge, add --force" if event.tags_wanted else ""
            return Message(
                text=f"{event.audio_id}: file exists, nothing was paid{tags}", result=[shown(event.path)]
            )
        case songs.Detached():
            return Message(
                text=f"{event.audio_id}: not waiting; the file will be kept {event.kept_days} days\n"
                f"  To continue: {event.resume_hint}",
                result=[event.task_id],
            )
        case songs.SongFailed():
            return Message(
                text=f"{event.audio_id}: error: {printable(event.message)}\n  {printable(event.remedy)}",
                level=Level.ERROR,
            )
        case songs.TaskStatus():
            return Message(result=_status_lines(event))
        case _:
            assert_never(event)


def _progress(event: songs.DownloadProgress) -> str:
    if event.total:
        share = event.received * 100 // event.total
        return f"{event.audio_id}: {share} %, {event.received / 1e6:.1f} of {megabytes(event.total)}"
    return f"{event.audio_id}: {megabytes(event.received)}"


def _saved(event: songs.Saved) -> Message:
    silent = ", and nothing but silence" if event.silent else ""
    return Message(
        text=f"{event.audio_id}: saved, {describe_format(event.format)}, {megabytes(event.bytes)}{silent}"
        f"{describe_cost(event.credits, event.price)}",
        result=[] if event.path is None else [shown(event.path)],
        level=Level.SUCCESS,
    )


def _status_lines(event: songs.TaskStatus) -> list[str]:
    """List what the service says, then what the journal adds."""
    record = event.record
    is_gone = event.path is not None and not event.path_exists
    rows = {
        "task": record.task_id,
        "state": _state(record),
        # Some records do not name the song, but the journal may.
        "song": record.audio_id or (event.audio_id if event.audio_id != record.task_id else None),
        "title": event.title,
        "error": " ".join(text for text in (record.error_code, record.error_message) if text),
        "created": _moment(record.created_at, record.created),
        "completed": _moment(record.completed_at, record.completed),
        "cost": None if record.credits is None else count_credits(record.credits),
        "journal": f"{event.journal_state}, but the file is gone" if is_gone else event.journal_state,
        "file": shown(event.path) if event.path is not None and event.path_exists else None,
    }
    return [
        line
        for name, value in rows.items()
        if value
        for line in wrap_row(f"{name:<9} ", printable(value), whole=[value] if name == "file" else ())
    ]


def _moment(exact: float | None, text: str | None) -> str | None:
    """Return a time on this machine's clock, or as the service wrote it: that has no time zone."""
    return text if exact is None else time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(exact))


def _state(record: WavRecord) -> str:
    return f"{record.state} ({record.flag})" if record.flag else str(record.state)
