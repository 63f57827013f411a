"""The tracks of a music task: looked up, and remembered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from suno_wav_cli.conversion.resume_hint import command_for
from suno_wav_cli.errors import ConversionFailed, StillRunning

if TYPE_CHECKING:
    from suno_wav_cli.conversion.context import ConversionContext
    from suno_wav_cli.models import MusicTask

_RUNNING = frozenset({"PENDING", "TEXT_SUCCESS", "FIRST_SUCCESS", "waiting", "queuing", "generating"})


async def fetch_music_task(context: ConversionContext, music_task_id: str) -> MusicTask:
    """Look up a music task, and remember its tracks.

    Raise StillRunning or ConversionFailed if it has none, and what the lookup raises.
    """
    task = await context.client.fetch_music_task(music_task_id)
    context.journal.history.remember(task.tracks)
    if task.tracks:
        return task
    if task.flag in _RUNNING:
        raise StillRunning(
            f"the music task {music_task_id} has no tracks yet ({task.flag})", "Try again in a minute."
        )
    raise ConversionFailed(
        f"the music task {music_task_id} has no tracks ({task.flag or 'no state given'})",
        "Check that the id is that of a music task, and what your account's log says of it.",
    )


async def fetch_finished_music_task(context: ConversionContext, music_task_id: str) -> MusicTask:
    """As `fetch_music_task`. Raise StillRunning, too, while a track may be missing."""
    task = await fetch_music_task(context, music_task_id)
    if task.flag in _RUNNING:
        raise StillRunning(
            f"the music task {music_task_id} is still at work ({task.flag}): a track may be missing",
            "Try again in a minute, or convert one of its tracks by its id. To see them:",
            continue_argv=command_for(context.run.service_options, "tracks", [music_task_id]),
        )
    return task
