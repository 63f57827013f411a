"""`suno-wav resume`: finish what was begun."""

from typing import Annotated

import typer

from suno_wav_cli.cli.completion import unfinished_task_ids_beginning
from suno_wav_cli.cli.options import DOWNLOAD
from suno_wav_cli.config.run import Run

SETTINGS = ("out", "poll_interval", "timeout", "retries", "jobs", "force", *DOWNLOAD)


def resume(
    run: Run,
    tasks: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TASK_ID...",
            help="Ids of WAV tasks or songs, or their beginnings; @last is the newest conversion. Default: everything unfinished.",
            show_default=False,
            autocompletion=unfinished_task_ids_beginning,
        ),
    ] = None,
    resubmit: Annotated[
        bool,
        typer.Option(
            "--resubmit", help="Where it is not known whether a song was paid for, pay for another try."
        ),
    ] = False,
) -> int:
    """Finish what was begun, and pay for nothing twice.

    Waits for every conversion that was paid for and not saved, and downloads the files; what the service deletes first, first. Prints the path of each finished file on standard output.
    """
    from suno_wav_cli.commands import resume as resumption

    request = resumption.Request(names=tuple(tasks or ()), resubmit=resubmit)
    return resumption.resume(request, run)
