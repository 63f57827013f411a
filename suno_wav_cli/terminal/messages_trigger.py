"""Messages about callbacks that `trigger` posts."""

from __future__ import annotations

from typing import assert_never

from suno_wav_cli import events
from suno_wav_cli.terminal.message import Message
from suno_wav_cli.terminal.tables import printable


def render_trigger(event: events.TriggerEvent) -> Message:
    match event:
        case events.CallbackSample():
            return Message(result=[f"{event.name:<12} {event.description}"])
        case events.CallbackSending():
            return Message(text=_sending(event))
        case events.AnswerOverdue():
            return Message(
                text=f"suno-wav: no answer within {event.seconds:g} s, and the service would give up; "
                "still waiting"
            )
        case events.CallbackSent():
            return Message(
                text=f"suno-wav: the answer says: {printable(event.answer)}" if event.answer else None,
                result=[
                    f"{event.status or 'no answer'} in {event.seconds:.2f} s: {printable(event.verdict)}"
                ],
            )
        case events.CallbackRetried():
            return Message(text=f"suno-wav: the service would post it again in {event.seconds:g} s")
        case _:
            assert_never(event)


def _sending(event: events.CallbackSending) -> str:
    task = f", task {printable(event.task_id)}" if event.task_id else ""
    signed = ", signed" if event.signed else ""
    return f"suno-wav: {event.method} {printable(event.name)} to {event.receiver}{task}{signed}"
