"""Messages about what is paid for."""

from __future__ import annotations

from typing import assert_never

from suno_wav_cli.api.pricing import format_credits
from suno_wav_cli.events import payments
from suno_wav_cli.remote.address import shown
from suno_wav_cli.terminal.fold import wrap_row
from suno_wav_cli.terminal.message import Level, Message
from suno_wav_cli.terminal.tables import count_credits, megabytes, printable

_GIGABYTE = 1_000_000_000

_MOST_IDS = 3
"""Ids that a message names."""


def render(event: payments.PaymentEvent) -> Message:
    match event:
        case payments.LineRefused():
            said = f"{printable(event.source)}, line {event.line}: {printable(event.message)}"
            return Message(text=said, level=Level.ERROR)
        case payments.ListEmpty():
            return Message(text=f"suno-wav: {printable(event.source)} names no songs")
        case payments.RoomShort():
            return Message(
                text=f"suno-wav: warning: {printable(str(event.folder))} has {_size(event.free)} free, and the songs may "
                f"need {_size(event.needed)}; downloads wait when it is full"
            )
        case payments.Planned():
            where, price = f"-> {shown(event.path)}", f"({count_credits(event.price)})" if event.price else ""
            row = " ".join(filter(None, (event.audio_id, where, price)))
            return Message(result=wrap_row(f"{event.action:<8} ", row, whole=[where, price]))
        case payments.WavNamedOtherwise():
            return Message(
                text=f"suno-wav: {printable(event.out)} will be a WAV file, whatever its name says"
            )
        case payments.UnusualIds():
            return Message(text=_unusual(event.audio_ids))
        case payments.Quoted():
            return Message(text=_quote(event))
        case payments.RunBegun() | payments.SubmissionScheduled():
            return Message()
        case payments.SubmissionsPaused():
            return Message(
                text=f"suno-wav: submissions pause: {printable(event.reason)}; trying again in {event.seconds:.0f} s"
            )
        case payments.SubmissionsResumed():
            return Message(text="suno-wav: submissions go on")
        case payments.SubmissionsStopped():
            return Message(text=_stopped(event), level=Level.ERROR)
        case payments.Submitting():
            return Message(text=f"{event.audio_id}: submitting", level=Level.DETAIL)
        case payments.SubmissionDelayed():
            return Message(
                text=f"{event.audio_id}: {printable(event.reason)}; submitting again in {event.seconds:.1f} s"
            )
        case payments.JournalRestored():
            return Message(text=_restored(event), level=Level.ERROR)
        case payments.AnswerAwaited():
            return Message(
                text=f"{event.audio_id}: no answer to the paid request yet; waiting up to five minutes for it"
            )
        case payments.AnswerKept():
            answer = printable(event.answer)
            return Message(text=f"{event.audio_id}: the service answered: {answer}", level=Level.DETAIL)
        case payments.OtherRunAwaited():
            doing = "downloading" if event.downloading else "submitting"
            return Message(text=f"{event.audio_id}: another program is {doing} it; waiting for that")
        case payments.OtherSongNamed():
            return Message(
                text=f"{event.audio_id}: warning: the record of task {event.task_id} names the song "
                f"{printable(event.named)}; the service may use ids of its own"
            )
        case payments.Submitted():
            return Message(text=f"{event.audio_id}: submitted as task {event.task_id}")
        case payments.Resumed():
            return Message(text=f"{event.audio_id}: {event.reason}, continuing task {event.task_id}")
        case _:
            assert_never(event)


def _size(count: int) -> str:
    return f"{count / _GIGABYTE:,.1f} GB" if count >= _GIGABYTE else megabytes(count)


def _stopped(event: payments.SubmissionsStopped) -> str:
    songs = "1 more song was" if event.not_begun == 1 else f"{event.not_begun} more songs were"
    return (
        f"suno-wav: submissions have stopped: {printable(event.reason)}. {songs} not begun, at a price of "
        f"{count_credits(event.price)}."
    )


def _restored(event: payments.JournalRestored) -> str:
    said = (
        f"suno-wav: the journal {printable(str(event.path))} vanished during this run; it was written again"
    )
    if not event.task_ids:
        return said
    return f"{said}. Tasks at the service: {_first_ids(event.task_ids)}"


def _first_ids(ids: tuple[str, ...]) -> str:
    more = f" and {len(ids) - _MOST_IDS} more" if len(ids) > _MOST_IDS else ""
    return ", ".join(map(printable, ids[:_MOST_IDS])) + more


def _unusual(audio_ids: tuple[str, ...]) -> str:
    verb = "is not a UUID" if len(audio_ids) == 1 else "are not UUIDs"
    return f"suno-wav: {_first_ids(audio_ids)} {verb}, as the ids of songs are"


def _quote(event: payments.Quoted) -> str:
    count = f"{event.submissions} {'song' if event.submissions == 1 else 'songs'}"
    price = (
        f"{count} to be paid for, {count_credits(event.price)}"
        if event.submissions
        else "nothing to be paid for"
    )
    if event.balance is not None:
        balance = f"the balance is {format_credits(event.balance)}"
    else:
        balance = f"the balance is unknown ({printable(event.reason or 'no reason given')})"
    return f"suno-wav: {price}; {balance}"
