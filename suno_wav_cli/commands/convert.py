"""`suno-wav convert`: submit, wait, download."""

import os
from typing import Annotated

import typer

from suno_wav_cli.commands.invocation import Run

SETTINGS = (
    "out",
    "tunnel",
    "domain",
    "public_url",
    "callback_url",
    "port",
    "poll_interval",
    "timeout",
    "retries",
    "jobs",
    "force",
    "skip_existing",
)


def convert(
    run: Run,
    audio_ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="AUDIO_ID...", help="Audio ids; song URLs work too.", show_default=False),
    ] = None,
    task_id: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="The music task the ids belong to. Alone: all tracks of it.",
            show_default=False,
        ),
    ] = None,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Submit, print the task ids, leave.")] = False,
    resubmit: Annotated[
        bool, typer.Option("--resubmit", help="Pay for a new conversion, whatever became of the last one.")
    ] = False,
) -> int:
    """Convert songs to WAV files.

    Submits them, waits for the callback or asks, downloads the files and checks them. Prints the path of each finished file on standard output, and nothing else.
    """
    from suno_wav_cli import batch

    request = batch.Request(tuple(audio_ids or ()), task_id, wait=not no_wait, resubmit=resubmit)
    return batch.convert_songs(request, run.settings, run.secrets, os.environ, run.report)
