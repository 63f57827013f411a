"""What is said of a song in a run of many: one line when it ends, and before that nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from suno_wav_cli.events import follow_up, payments, songs
from suno_wav_cli.terminal.tables import clock, describe_cost, megabytes, printable, shorten, song_name

if TYPE_CHECKING:
    from suno_wav_cli.events import Event
    from suno_wav_cli.terminal.message import Message


_SHORTEST = 8
"""Columns of a title that is cut."""


class Briefs:
    """The lines of a run of many songs. What to do about a failure is said once, not for each song.

    `shows_paths` if paths go to the same terminal as these lines.
    """

    def __init__(self, *, shows_paths: bool) -> None:
        self._shows_paths = shows_paths
        self._advised: set[str] = set()
        self._pause: str | None = None

    def text(
        self, event: Event, message: Message, title: str | None, columns: int | None = None
    ) -> str | None:
        """Return the line of an event, or None if it deserves none.

        That a song is saved is said within `columns`, if they are given.
        """
        match event:
            case songs.SongFailed():
                return self._failure(event, title)
            case songs.Saved():
                return self._saved(event, message, title, columns)
            case songs.Skipped():
                return None if self._shows_paths else message.text
            case follow_up.InfoIncomplete():
                return self._once(event.reason, message.text)
            case payments.SubmissionsPaused() if event.reason == self._pause:
                # Each try that is in vain begins a pause.
                return None
            case _:
                self._note_pause(event)
                return _text_of(event, message)

    def _once(self, reason: str, said: str | None) -> str | None:
        """Return what is said of a song, or None if the same was said of another."""
        if reason in self._advised:
            return None
        self._advised.add(reason)
        return said

    def _note_pause(self, event: Event) -> None:
        if isinstance(event, payments.SubmissionsPaused):
            self._pause = event.reason
        elif isinstance(event, payments.SubmissionsResumed):
            self._pause = None

    def _failure(self, event: songs.SongFailed, title: str | None) -> str:
        said = _named(f"{event.audio_id}: error: {printable(event.message)}", event.audio_id, title)
        advice = event.remedy.replace(event.audio_id, "").replace(event.task_id or event.audio_id, "")
        if not advice or advice in self._advised:
            return said
        self._advised.add(advice)
        return f"{said.rstrip('.')}. {printable(event.remedy)}"

    def _saved(
        self, event: songs.Saved, message: Message, title: str | None, columns: int | None
    ) -> str | None:
        if columns is None:
            return _named(message.text or "", event.audio_id, title)
        silent = ", and nothing but silence" if event.silent else ""
        unusual = silent + describe_cost(event.credits, event.price)
        if self._shows_paths and not unusual:
            # The path is the line.
            return None
        said = f"saved, {clock(event.format.seconds)}, {megabytes(event.bytes)}{unusual}"
        room = columns - len(song_name(event.audio_id, " ")) - len(said) - 2
        short = shorten(title, max(room, _SHORTEST)) if title else None
        return f"{song_name(event.audio_id, short)}: {said}"


def _text_of(event: Event, message: Message) -> str | None:
    match event:
        case (
            payments.Submitted()
            | payments.Resumed()
            | payments.SubmissionDelayed()
            | payments.AnswerAwaited()
            | payments.OtherRunAwaited()
            | songs.LookupFailed()
            | songs.TaskMessage()
            | songs.DownloadStarted()
            | songs.DownloadProgress()
            | songs.DownloadRetried()
            | songs.ConnectionsReduced()
            | songs.LevelsMeasured()
        ):
            return None
        case songs.Detached():
            return f"{event.audio_id}: submitted as task {event.task_id}"
        case _:
            return message.text


def _named(text: str, audio_id: str, title: str | None) -> str:
    return f"{printable(title)} ({audio_id}){text.removeprefix(audio_id)}" if title else text
