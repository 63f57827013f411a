"""`suno-wav convert`: submit, wait, download."""

from pathlib import Path
from typing import Annotated

import typer

from suno_wav_cli.cli.options import DOWNLOAD
from suno_wav_cli.config.run import Run

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
    *DOWNLOAD,
    "max_credits",
)


def convert(
    run: Run,
    *,
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
    from_file: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="More songs, one AUDIO_ID [TASK_ID] a line; # begins a comment, - is standard input.",
            show_default=False,
        ),
    ] = None,
    errors: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write the songs that failed, as --from-file reads them.", show_default=False
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", "-n", help="Show what would be done and what it costs, and do nothing."),
    ] = False,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Submit, print the task ids, leave.")] = False,
    resubmit: Annotated[
        bool, typer.Option("--resubmit", help="Pay for a new conversion, whatever became of the last one.")
    ] = False,
) -> int:
    """Convert songs to WAV files.

    Submits them, waits for the callback or asks, downloads the files and checks them. Prints the path of each finished file on standard output, and nothing else.
    """
    from suno_wav_cli.commands import convert as batch

    request = batch.Request(
        audio_ids=tuple(audio_ids or ()),
        music_task_id=task_id,
        wait=not no_wait,
        resubmit=resubmit,
        dry_run=dry_run,
        from_file=from_file,
        errors=errors,
    )
    return batch.convert_songs(request, run)
