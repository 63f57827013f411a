"""Messages about callbacks: how they arrive, what `listen` receives, what `trigger` posts."""

from __future__ import annotations

from typing import assert_never

from suno_wav_cli import events
from suno_wav_cli.terminal.message import Level, Message
from suno_wav_cli.terminal.tables import printable, time_of_day

_OK = 200
_LONGEST_ANSWER = 100
_SIGNATURES = {
    "valid": "signature valid",
    "old": "signature valid, timestamp old",
    "invalid": "signature INVALID",
    "missing": "not signed",
}


def render_callback(event: events.CallbackEvent) -> Message:
    match event:
        case events.Ready(public_url=None):
            because = f"no callbacks ({printable(event.reason)}): " if event.reason else ""
            return Message(text=f"suno-wav: {because}polling every {event.poll_interval:g} s")
        case events.Ready():
            return Message(text=f"suno-wav: callbacks arrive at {event.public_url}", level=Level.DETAIL)
        case events.TunnelOpening():
            return Message(text="suno-wav: opening a public address for callbacks", level=Level.DETAIL)
        case events.AgentDownloading():
            return Message(
                text=f"suno-wav: ngrok agent not found; downloading it from {event.source} to {event.path}"
            )
        case events.AgentDownloaded(expected=True):
            return Message(text=f"suno-wav: the ngrok agent has the expected SHA-256 {event.sha256}")
        case events.AgentDownloaded():
            return Message(
                text=f"suno-wav: the ngrok agent has the SHA-256 {event.sha256}; none is known for this system"
            )
        case events.TunnelLost(poll_interval=None):
            return Message(text=f"suno-wav: {printable(event.reason)}: no deliveries until it is restored")
        case events.TunnelLost():
            return Message(
                text=f"suno-wav: {printable(event.reason)}: polling every {event.poll_interval:g} s"
            )
        case events.TunnelRestored():
            return Message(text=f"suno-wav: callbacks arrive again at {event.public_url}")
        case events.CallbacksMissing():
            return Message(
                text="suno-wav: songs are finished, and their callbacks have not come: "
                f"polling every {event.poll_interval:g} s"
            )
        case events.LookupsDelayed():
            return Message(
                text=f"suno-wav: {event.tasks} songs wait: each is looked up about every "
                f"{event.seconds:.3g} s, not every {event.poll_interval:g} s"
            )
        case events.CallbackReceived():
            return Message(
                text=f"suno-wav: callback for task {event.task_id}, code {event.code}", level=Level.DETAIL
            )
        case events.Listening():
            return Message(text=_listening(event), result=[event.callback_url])
        case events.DeliveryReceived():
            return Message(result=[_received(event)], droppable=True)
        case events.DeliveryRecorded():
            return Message(text=f"#{event.number} saved as {event.path}", level=Level.DETAIL, droppable=True)
        case events.DeliveryForwarded():
            return Message(result=[_forwarded(event)], droppable=True)
        case events.DeliveryChecked():
            return Message(result=[_checked(event)], droppable=True)
        case events.DeliveryDropped():
            return Message(text=f"#{event.number} dropped: {printable(event.reason)}", droppable=True)
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


def _listening(event: events.Listening) -> str:
    text = f"suno-wav: listening at {event.local_url}; press Ctrl-C to stop"
    if event.unverified:
        text += "\n  Signatures are not verified: set SUNO_WAV_HMAC_KEY if your account has a webhook key."
    if event.public_url is None:
        because = f" ({printable(event.reason)})" if event.reason else ""
        return f"{text}\n  Only this machine can reach it{because}. Post to this address:"
    return f"{text}\n  Give the service this address as callBackUrl:"


def _received(event: events.DeliveryReceived) -> str:
    code = "no code" if event.code is None else f"code {event.code}"
    parts = [event.task_id or "no task id", code]
    if event.signature is not None:
        parts.append(_SIGNATURES[event.signature])
    if event.repeats is not None:
        parts.append(f"repeats #{event.repeats}")
    return f"#{event.number} {time_of_day(event.received_at)} {', '.join(parts)}"


def _forwarded(event: events.DeliveryForwarded) -> str:
    if event.problem is not None:
        return f"#{event.number} not forwarded: {printable(event.problem)} ({event.seconds:.2f} s)"
    line = f"#{event.number} forwarded: {event.status} in {event.seconds:.2f} s"
    answer = printable(event.answer.strip().partition("\n")[0])[:_LONGEST_ANSWER]
    return f"{line}, {answer}" if event.status != _OK and answer else line


def _checked(event: events.DeliveryChecked) -> str:
    flag = f" ({event.flag})" if event.flag else ""
    details = ", ".join(text for text in (event.reason, event.url) if text)
    return printable(f"#{event.number} {event.verdict}{flag}" + (f": {details}" if details else ""))


def _sending(event: events.CallbackSending) -> str:
    task = f", task {printable(event.task_id)}" if event.task_id else ""
    signed = ", signed" if event.signed else ""
    return f"suno-wav: {event.method} {printable(event.name)} to {event.receiver}{task}{signed}"
