"""`suno-wav tracks`: the songs of a music task."""

from typing import Annotated

import typer

from suno_wav_cli.config.run import Run

SETTINGS = ("retries",)


def tracks(
    run: Run,
    music_task_id: Annotated[
        str,
        typer.Argument(
            metavar="MUSIC_TASK_ID", help="The task that generated the songs.", show_default=False
        ),
    ],
) -> int:
    """List the songs of a music task, with their audio ids.

    They are remembered: `convert AUDIO_ID` then needs no --task-id, and `jobs` knows the titles.
    """
    from suno_wav_cli.commands import tracks as catalogue

    return catalogue.show_tracks(music_task_id, run)
