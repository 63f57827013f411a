"""What is said of a song in a run of many: one line when it ends, and before that nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from suno_wav_cli import events
from suno_wav_cli.terminal.tables import describe_cost, printable

if TYPE_CHECKING:
    from suno_wav_cli.terminal.message import Message


def brief_text(event: events.Event, message: Message, *, title: str | None, path_is_seen: bool) -> str | None:
    """Return the line of an event in a run of many songs, or None if it deserves none.

    `path_is_seen` if the result of the message is shown on the same terminal: it is the line then.
    """
    match event:
        case (
            events.Submitted()
            | events.Resumed()
            | events.SubmissionDelayed()
            | events.AnswerAwaited()
            | events.OtherRunAwaited()
            | events.LookupFailed()
            | events.TaskMessage()
            | events.DownloadStarted()
            | events.DownloadProgress()
            | events.DownloadRetried()
            | events.ConnectionsReduced()
            | events.LevelsMeasured()
        ):
            return None
        case events.Skipped():
            return None if path_is_seen else message.text
        case events.Saved():
            is_usual = not event.silent and not describe_cost(event.credits, event.price)
            return None if path_is_seen and is_usual else _named(message.text or "", event.audio_id, title)
        case events.SongFailed():
            said = (
                f"{event.audio_id}: error: {printable(event.message).rstrip('.')}. {printable(event.remedy)}"
            )
            return _named(said.rstrip(), event.audio_id, title)
        case events.Detached():
            return f"{event.audio_id}: submitted as task {event.task_id}"
        case _:
            return message.text


def _named(text: str, audio_id: str, title: str | None) -> str:
    return f"{printable(title)} ({audio_id}){text.removeprefix(audio_id)}" if title else text
