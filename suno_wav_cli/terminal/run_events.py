"""What each event changes in the picture of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from suno_wav_cli.events import callbacks, deliveries, ends, payments, songs
from suno_wav_cli.models import WavState
from suno_wav_cli.terminal.run_state import Stage

if TYPE_CHECKING:
    from suno_wav_cli.events import Event
    from suno_wav_cli.terminal.run_state import RunState


def apply(state: RunState, event: Event, now: float) -> None:
    """Take note of an event."""
    match event:
        case payments.RunBegun():
            state.begun = event
        case callbacks.TunnelOpening():
            state.tunnel_since = now
        case callbacks.Ready() | deliveries.Listening() | callbacks.TunnelUnproven():
            state.tunnel_since = None
        case callbacks.TunnelLost() | callbacks.TunnelRestored():
            state.tunnel_since = None
        case payments.SubmissionScheduled():
            state.next_submission = now + event.seconds
        case payments.SubmissionsPaused():
            state.pause, state.pause_until = event.reason, now + event.seconds
        case payments.SubmissionsResumed():
            state.pause = state.pause_until = None
        case payments.SubmissionsStopped():
            state.pause = state.pause_until = state.next_submission = None
            state.not_begun = event.not_begun
        case ends.Summary() | ends.Interrupted() | ends.Failed():
            state.ended = True
        case _:
            _apply_step(state, event, now)


def _apply_step(state: RunState, event: Event, now: float) -> None:
    """Take note of how far a song is."""
    match event:
        case payments.Submitting():
            state.next_submission = None
            state.enter(event.audio_id, Stage.SUBMITTING, now, title=event.title)
        case payments.Submitted():
            state.submitted += 1
            state.pace.accepted(now)
            state.enter(event.audio_id, Stage.CONVERTING, now, accepted_at=now)
        case payments.Resumed():
            state.enter(event.audio_id, Stage.CONVERTING, now, title=event.title)
        case songs.LookedUp():
            _looked_up(state, event, now)
        case songs.DownloadStarted():
            state.enter(event.audio_id, Stage.DOWNLOADING, now, title=event.title, received=event.received)
        case songs.DownloadProgress():
            row = state.row(event.audio_id)
            if row is not None:
                state.put(row.advanced(event, now))
        case _:
            _apply_trouble(state, event, now)


def _apply_trouble(state: RunState, event: Event, now: float) -> None:
    """Take note of what hinders a song."""
    match event:
        case payments.SubmissionDelayed():
            state.change(event.audio_id, note=event.reason)
        case songs.DownloadRetried():
            state.change(event.audio_id, stage=Stage.WAITING, note=event.reason)
        case songs.LookupFailed() | songs.TaskMessage():
            state.change(event.audio_id, note=event.message)
        case payments.AnswerAwaited():
            state.change(event.audio_id, note="no answer to the paid request yet")
        case payments.OtherRunAwaited() if event.downloading:
            state.change(event.audio_id, stage=Stage.WAITING, note="another program is downloading it")
        case payments.OtherRunAwaited():
            state.enter(event.audio_id, Stage.SUBMITTING, now, note="another program is submitting it")
        case _:
            _apply_end(state, event, now)


def _looked_up(state: RunState, event: songs.LookedUp, now: float) -> None:
    if state.row(event.audio_id) is not None:
        state.change(event.audio_id, note=None)
    elif event.record.state is WavState.PENDING:
        state.enter(event.audio_id, Stage.CONVERTING, now)


def _apply_end(state: RunState, event: Event, now: float) -> None:
    match event:
        case songs.Saved():
            state.saved += 1
            row = state.remove(event.audio_id)
            state.pace.ended(now, row.accepted_at if row else None)
        case songs.Skipped():
            state.skipped += 1
            state.remove(event.audio_id)
        case songs.Detached():
            state.detached += 1
            state.remove(event.audio_id)
            state.pace.ended(now, None)
        case songs.SongFailed():
            state.failed += 1
            state.not_submitted += event.task_id is None
            state.remove(event.audio_id)
        case songs.TaskStatus():
            state.remove(event.audio_id)
        case _:
            pass
