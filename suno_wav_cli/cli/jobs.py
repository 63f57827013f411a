"""`suno-wav jobs`: the conversions in the journal."""

from functools import partial
from typing import Annotated

import typer

from suno_wav_cli.cli.invocation import run_command
from suno_wav_cli.cli.options import usable
from suno_wav_cli.config import parsers
from suno_wav_cli.config.run import Run


def jobs(
    context: typer.Context,
    *,
    expiring: Annotated[
        bool, typer.Option("--expiring", help="List unsaved files that the service deletes soon, by date.")
    ] = False,
    days: Annotated[
        float,
        typer.Option(
            parser=partial(usable, parsers.fraction(0, 36_500)),
            metavar="X",
            help="With --expiring: deleted within X days. Default: 3.",
            show_default=False,
        ),
    ] = 3,
    failed: Annotated[
        bool, typer.Option("--failed", help="List conversions that were refused or failed.")
    ] = False,
    unfinished: Annotated[
        bool,
        typer.Option("--unfinished", help="List conversions that are, or may be, paid for but not saved."),
    ] = False,
    every_attempt: Annotated[
        bool, typer.Option("--all", help="List every attempt, not only the one that counts for a song.")
    ] = False,
    limit: Annotated[
        int,
        typer.Option(
            parser=partial(usable, parsers.number(0, 999_999_999)),
            metavar="N",
            help="Show at most N; 0 shows all. Default: 50.",
            show_default=False,
        ),
    ] = 50,
) -> None:
    """List the conversions recorded on this machine.

    Shows, newest first, the song, its task and state, when it was submitted, when the service
    deletes the file, where the file is, and why a song has none. Needs no key and no network.
    """

    def run_jobs(run: Run) -> int:
        from suno_wav_cli.commands import jobs as command

        request = command.Request(
            expiring=expiring,
            days=days,
            failed=failed,
            unfinished=unfinished,
            limit=limit,
            every_attempt=every_attempt,
        )
        return command.show_jobs(request, run)

    run_command(context, run_jobs)
