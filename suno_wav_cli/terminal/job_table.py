"""The table that `jobs` shows."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from suno_wav_cli.journal.entry import GIVEN_UP, NOT_ACCEPTED, UNDECIDED
from suno_wav_cli.remote.address import shown
from suno_wav_cli.terminal.fold import wrap
from suno_wav_cli.terminal.names import name_songs, shorten_names, shorten_paths
from suno_wav_cli.terminal.tables import SHORT_ID, Column, format_table, get_width, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from suno_wav_cli.events.commands import Job, JobList

_WIDE = 100
"""Columns of a terminal that has room for whole dates and folders."""
_NARROWEST_NAME, _NARROWEST_FILE = 16, 12
"""Columns for a song's name: the beginning of its title, and of its id; and for both ends of a file's."""
_WITHOUT_FILE = UNDECIDED | NOT_ACCEPTED | GIVEN_UP
_NOTHING = {
    "all": "no conversions recorded on this machine",
    "failed": "no failed conversions",
    "unfinished": "no unfinished conversions",
    "expiring": "no unsaved files are deleted that soon",
}


def format_jobs(event: JobList) -> Iterator[str]:
    if not event.items:
        return
    jobs, width = event.items, get_width(sys.stdout)
    piped, wide = width is None, width is None or width >= _WIDE
    reasons = [_why(job) for job in jobs]
    several = len({(job.service, job.provider) for job in jobs}) > 1
    head, *rows = format_table(
        [
            Column(
                title="SONG",
                cells=name_songs([(job.audio_id, job.title) for job in jobs]),
                shrinks=True,
                narrowest=_NARROWEST_NAME,
                cut=shorten_names,
            ),
            Column(title="TASK", cells=[_task(job, whole=piped) for job in jobs], leaves=2),
            Column(title="STATE", cells=[job.state for job in jobs]),
            Column(title="STARTED", cells=[_moment(job.created, wide=wide) for job in jobs], leaves=1),
            Column(title="EXPIRES", cells=[_day(job.expires, wide=wide) for job in jobs]),
            Column(title="SERVICE", cells=[_service(job) if several else "" for job in jobs], shrinks=True),
            Column(
                title="FILE",
                cells=[_file(job, wide=wide) for job in jobs],
                shrinks=True,
                narrowest=_NARROWEST_FILE,
                cut=shorten_paths,
            ),
            Column(title="WHY", cells=reasons if piped else [""] * len(jobs)),
        ],
        width,
    )
    yield head
    for row, why in zip(rows, reasons, strict=True):
        yield row
        if why and width is not None:
            # A column would leave no room for it.
            yield from wrap(why, width, first="  ", others="  ")


def summarize_jobs(event: JobList) -> str | None:
    """Say what the table does not: that it is empty or cut short, or that outcomes are unknown."""
    if not event.items:
        return f"suno-wav: {_NOTHING[event.listing]}"
    lines = []
    if event.total > len(event.items):
        lines.append(f"{len(event.items)} of {event.total}; --limit 0 shows all")
    undecided = sum(job.state in UNDECIDED for job in event.items)
    if undecided:
        lines.append(
            f"{undecided} with an unknown outcome: the answer to a paid request was lost, and it may be "
            "paid for or not.\n"
            "  `suno-wav resume` says what is known of each, and pays again only with --resubmit"
        )
    return "\n".join(f"suno-wav: {line}" for line in lines) or None


def _task(job: Job, *, whole: bool) -> str:
    return printable(job.task_id or "-")[: None if whole else SHORT_ID]


def _moment(moment: float, *, wide: bool) -> str:
    return time.strftime("%Y-%m-%d %H:%M" if wide else "%m-%d", time.localtime(moment))


def _day(moment: float | None, *, wide: bool) -> str:
    return "-" if moment is None else time.strftime("%Y-%m-%d" if wide else "%m-%d", time.localtime(moment))


def _service(job: Job) -> str:
    return f"{job.provider} {job.service.partition('://')[2]}"


def _file(job: Job, *, wide: bool) -> str:
    if job.path is None:
        return "-"
    name = printable(shown(_shorten(job.path)) if wide else job.path.name)
    return name if job.path_exists else f"gone: {name}"


def _why(job: Job) -> str:
    """Say why the song has no file, if that is known."""
    return printable(job.message or "") if job.state in _WITHOUT_FILE else ""


def _shorten(path: Path) -> Path:
    """Return the path relative to the current folder, if it is in there."""
    try:
        here = Path.cwd()
    except OSError:
        # The current folder was removed.
        return path
    return path.relative_to(here) if path.is_relative_to(here) else path
