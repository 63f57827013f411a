"""`tracks` from its arguments to its exit code: what a music task has made, and remembering it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from suno_wav_cli.conversion.ids import music_task_of
from suno_wav_cli.conversion.session import open_session, open_workshop
from suno_wav_cli.errors import ConversionFailed, ExitCode, StillRunning
from suno_wav_cli.events import TrackList
from suno_wav_cli.journal import open_history
from suno_wav_cli.system.event_loop import run_async

if TYPE_CHECKING:
    from suno_wav_cli.config.run import Run
    from suno_wav_cli.conversion.session import Session
    from suno_wav_cli.models import MusicTask

_AT_WORK = frozenset({"PENDING", "TEXT_SUCCESS", "FIRST_SUCCESS"})


def show_tracks(argument: str, run: Run) -> ExitCode:
    """List the tracks of a music task. Raises SunoWavError."""
    with open_history(run.paths.journal) as history:
        music_task_id = music_task_of(argument, history)
    with open_session(run) as session:
        task = run_async(_asked(music_task_id, session))
    run.report(TrackList(items=task.tracks, music_task_id=task.task_id, flag=task.flag))
    return ExitCode.OK


def tracks_to_convert(music_task_id: str, session: Session) -> MusicTask:
    """Ask for all tracks of a music task. Raises StillRunning while one may be missing, and SunoWavError."""
    task = run_async(_asked(music_task_id, session))
    if task.flag in _AT_WORK:
        raise StillRunning(
            f"the music task {music_task_id} is still at work ({task.flag}): a track may be missing",
            f"Try again in a minute, or convert one track: suno-wav tracks {music_task_id}",
        )
    return task


async def _asked(music_task_id: str, session: Session) -> MusicTask:
    """Ask, and remember the answer. Raises ConversionFailed or StillRunning where there is no track."""
    async with open_workshop(session, None) as context:
        task = await context.client.fetch_music_task(music_task_id)
    session.journal.remember(task.tracks)
    if task.tracks:
        return task
    if task.flag in _AT_WORK:
        raise StillRunning(
            f"the music task {music_task_id} has no tracks yet ({task.flag})", "Try again in a minute."
        )
    raise ConversionFailed(
        f"the music task {music_task_id} has no tracks ({task.flag or 'no state given'})",
        "Check that the id is that of a music task, and what your account's log says of it.",
    )
