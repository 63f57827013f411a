"""Messages about callbacks that `trigger` posts."""

from __future__ import annotations

from typing import assert_never

from suno_wav_cli.events import trigger
from suno_wav_cli.terminal.fold import wrap_row
from suno_wav_cli.terminal.message import Level, Message
from suno_wav_cli.terminal.tables import printable

_LONGEST = 300


def render(event: trigger.TriggerEvent) -> Message:
    match event:
        case trigger.CallbackSample():
            return Message(result=wrap_row(f"{event.name:<15} ", event.description))
        case trigger.AddressNoted():
            return Message(text=f"suno-wav: {event.receiver}: {printable(event.reason)}")
        case trigger.CallbackSending():
            return Message(text=_sending(event), level=Level.INFO if event.of == 1 else Level.DETAIL)
        case trigger.AnswerOverdue():
            return Message(
                text=f"suno-wav: no answer within {event.seconds:g} s, and the service would give up; "
                "still waiting"
            )
        case trigger.AnswerBody():
            return Message(
                text="\n".join(f"  {printable(line)}" for line in event.text.splitlines()),
                level=Level.DETAIL,
                verbatim=True,
            )
        case trigger.FilesOffered():
            return Message(
                text=f"suno-wav: a WAV for each callback is at {event.base_url}, for receivers on this machine"
            )
        case trigger.FileFetched():
            return Message(result=_fetched(event))
        case trigger.MistakeFound():
            return Message(text=f"suno-wav: {printable(event.text)}\n  {printable(event.remedy)}")
        case trigger.RecordingSkipped():
            return Message(text=f"suno-wav: not posted: {printable(event.reason)}")
        case trigger.CallbacksPosted():
            return Message(text=_posted(event))
        case trigger.CallbackSent() if event.of > 1:
            return Message(result=_row(event))
        case trigger.CallbackSent():
            return Message(
                text=f"suno-wav: the answer says: {printable(event.answer)}" if event.answer else None,
                result=wrap_row(
                    f"{event.status or 'no answer'} in {event.seconds:.2f} s: ", printable(event.verdict)
                ),
            )
        case trigger.SignatureVerified():
            return Message(result=_verified(event))
        case trigger.CallbackRetried():
            return Message(text=f"suno-wav: the service would post it again in {event.seconds:g} s")
        case _:
            assert_never(event)


def _sending(event: trigger.CallbackSending) -> str:
    task = f", task {printable(event.task_id)}" if event.task_id else ""
    signed = ", signed" if event.signed else ""
    return f"suno-wav: {event.method} {printable(event.name)} to {event.receiver}{task}{signed}"


def _row(event: trigger.CallbackSent) -> list[str]:
    verdict = printable(event.verdict)
    head = f"{printable(event.name):<15} {event.status or '-':>3} {event.seconds:6.2f} s  "
    says = wrap_row(f"{'':<15} it says: ", printable(event.answer)) if event.answer else []
    return [*wrap_row(head, verdict), *says]


def _fetched(event: trigger.FileFetched) -> list[str]:
    name = "" if event.of == 1 else f"{printable(event.name):<15} "
    return wrap_row(f"{name}file: ", event.verdict)


def _posted(event: trigger.CallbacksPosted) -> str:
    counts = {"failed": event.failed, "not readable": event.skipped}
    parts = [f"{event.good} as it must be"] + [f"{count} {what}" for what, count in counts.items() if count]
    if event.left:
        parts.append(f"{event.left} not posted, because the receiver does not answer")
    return f"suno-wav: {', '.join(parts)}"


def _verified(event: trigger.SignatureVerified) -> list[str]:
    """Return one line for each fact that is known."""
    facts = (
        ("signature", event.signature),
        ("task", event.task_id),
        ("signed", event.signed_text),
        ("expected", event.expected),
        ("received", event.received),
        *(("because", mistake) for mistake in event.mistakes),
    )
    return [
        line
        for name, value in facts
        if value is not None
        for line in wrap_row(f"{name:<9} ", printable(value)[:_LONGEST])
    ]
