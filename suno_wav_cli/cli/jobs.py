"""`suno-wav jobs`: what this machine knows."""

import os
from typing import Annotated

import typer

from suno_wav_cli.config.run import Run


def jobs(
    run: Run,
    *,
    expiring: Annotated[
        bool,
        typer.Option("--expiring", help="Unsaved files that the service deletes soon, the first one first."),
    ] = False,
    days: Annotated[float, typer.Option(min=0, metavar="N", help="How soon --expiring is.")] = 3,
    failed: Annotated[bool, typer.Option("--failed", help="What was refused or could not be made.")] = False,
    unfinished: Annotated[
        bool, typer.Option("--unfinished", help="What is, or may be, paid for and not saved.")
    ] = False,
    limit: Annotated[int, typer.Option(min=0, metavar="N", help="How many, at most; 0 for all.")] = 50,
) -> int:
    """List the conversions that this machine knows.

    Newest first: the song, its task and state, when it was begun, by when the service deletes the file, and where the file is. Asks nobody: it needs no key and no network.
    """
    from suno_wav_cli.commands import jobs as listing

    request = listing.Request(expiring=expiring, days=days, failed=failed, unfinished=unfinished, limit=limit)
    return listing.show_jobs(request, os.environ, run.report)
