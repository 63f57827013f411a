"""`tracks`: the songs of a music task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from suno_wav_cli.callbacks.tunnel.agent_folder import end_orphans
from suno_wav_cli.conversion.context import open_context
from suno_wav_cli.conversion.ids import music_task_of
from suno_wav_cli.conversion.music_task import fetch_music_task
from suno_wav_cli.conversion.slow_answer import tell_if_slow
from suno_wav_cli.errors import ExitCode
from suno_wav_cli.events.commands import TrackList
from suno_wav_cli.journal import open_history
from suno_wav_cli.system.event_loop import run_async

if TYPE_CHECKING:
    from suno_wav_cli.config.run import Run


def show_tracks(argument: str, run: Run) -> ExitCode:
    """List the tracks of a music task, and remember them. Raise SunoWavError."""
    # Wrong usage needs no key, and the journal knows it, whatever the provider.
    end_orphans(run.paths.agents)
    with open_history(run.journal_path) as history:
        music_task_id = music_task_of(argument, history, run.service_options)
    return run_async(_show_tracks(music_task_id, run))


async def _show_tracks(music_task_id: str, run: Run) -> ExitCode:
    async with open_context(run) as context:
        with tell_if_slow(run, context.service, "the tracks"):
            task = await fetch_music_task(context, music_task_id)
    run.report(TrackList(items=task.tracks, music_task_id=task.task_id, flag=task.flag))
    return ExitCode.OK
