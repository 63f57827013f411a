"""`jobs`: what this machine knows, without the network."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from suno_wav_cli.callbacks.tunnel.agent_folder import end_orphans
from suno_wav_cli.errors import ExitCode, UsageError
from suno_wav_cli.events.commands import Job, JobList
from suno_wav_cli.journal import Listing, open_history

if TYPE_CHECKING:
    from suno_wav_cli.config.run import Run
    from suno_wav_cli.journal import History
    from suno_wav_cli.journal.entry import JournalEntry

_DAY = 86400.0


@dataclass(frozen=True, kw_only=True)
class Request:
    """`days` is how soon the service deletes what is `expiring`. A `limit` of 0 lists everything.

    With `every_attempt`, a song has a row for each of its conversions.
    """

    expiring: bool
    days: float
    failed: bool
    unfinished: bool
    limit: int
    every_attempt: bool


def show_jobs(request: Request, run: Run) -> ExitCode:
    """List conversions. Raise UsageError."""
    listing = _listing(request)
    before = time.time() + request.days * _DAY if listing is Listing.EXPIRING else None
    end_orphans(run.paths.agents)
    with open_history(run.journal_path) as history:
        if history is None:
            run.report(JobList(items=(), listing=listing, total=0))
            return ExitCode.OK
        listed = history.listed(
            listing, limit=request.limit or -1, before=before, every_attempt=request.every_attempt
        )
        jobs = tuple(_job(entry, history) for entry in listed.entries)
    run.report(JobList(items=jobs, listing=listing, total=listed.total))
    return ExitCode.OK


def _listing(request: Request) -> Listing:
    asked = [
        listing
        for listing, wanted in (
            (Listing.EXPIRING, request.expiring),
            (Listing.FAILED, request.failed),
            (Listing.UNFINISHED, request.unfinished),
        )
        if wanted
    ]
    if len(asked) > 1:
        raise UsageError(
            f"--{asked[0]} and --{asked[1]} are two lists", "Ask for one of them: suno-wav jobs --" + asked[0]
        )
    return asked[0] if asked else Listing.ALL


def _job(entry: JournalEntry, history: History) -> Job:
    file, is_there = history.newest_file(entry)
    return Job(
        audio_id=entry.audio_id,
        title=entry.title,
        task_id=entry.wav_task_id,
        music_task_id=entry.music_task_id,
        state=entry.state,
        message=entry.message,
        created=entry.created,
        updated=entry.updated,
        expires=entry.expires,
        path=None if file is None else file.path,
        path_exists=is_there,
        target=entry.target,
        sha256=None if file is None else file.sha256,
        provider=entry.provider,
        service=entry.service,
        credits=entry.credits,
    )
