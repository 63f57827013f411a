"""`suno-wav status`: what the service says of a task."""

from typing import Annotated

import typer

from suno_wav_cli.cli.completion import task_ids_beginning
from suno_wav_cli.cli.options import DOWNLOAD
from suno_wav_cli.config.run import Run

SETTINGS = ("out", "poll_interval", "timeout", "retries", "force", *DOWNLOAD)


def status(
    run: Run,
    task_ids: Annotated[
        list[str],
        typer.Argument(
            metavar="TASK_ID...",
            help="Ids of WAV tasks, or their beginnings; @last is the newest conversion.",
            show_default=False,
            autocompletion=task_ids_beginning,
        ),
    ],
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the service has finished.")] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Wait, and show each change of state meanwhile.")
    ] = False,
    download: Annotated[
        bool, typer.Option("--download", help="Download the file, to where it was meant to go.")
    ] = False,
) -> int:
    """Show or finish WAV tasks.

    Shows what the service says of them; with --wait --download, finishes what was begun. Prints the state on standard output, or with --download the path of each finished file.
    """
    from suno_wav_cli.commands import status as lookup

    request = lookup.Request(task_ids=tuple(task_ids), wait=wait, watch=watch, download=download)
    return lookup.show_tasks(request, run)
