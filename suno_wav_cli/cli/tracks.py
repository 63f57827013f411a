"""`suno-wav tracks`: the songs of a music task."""

from typing import Annotated

import typer

from suno_wav_cli.cli import options
from suno_wav_cli.cli.invocation import run_command
from suno_wav_cli.config.run import Run


def tracks(
    context: typer.Context,
    *,
    music_task_id: Annotated[
        str, typer.Argument(metavar="MUSIC_TASK_ID", help="The task that generated the songs.")
    ],
    retries: options.Retries = None,
) -> None:
    """List the songs of a music task, with their audio ids.

    They are remembered: `convert AUDIO_ID` then needs no --task-id, and `jobs` shows the titles.
    """

    def run_tracks(run: Run) -> int:
        from suno_wav_cli.commands import tracks as command

        return command.show_tracks(music_task_id, run)

    run_command(context, run_tracks)
