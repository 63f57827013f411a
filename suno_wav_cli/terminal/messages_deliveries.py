"""Messages about deliveries: what `listen` receives."""

from __future__ import annotations

from typing import assert_never

from suno_wav_cli.events import deliveries
from suno_wav_cli.system.shell_words import as_operand, say_how
from suno_wav_cli.terminal.fold import wrap_row
from suno_wav_cli.terminal.message import Level, Message
from suno_wav_cli.terminal.tables import printable, time_of_day

_OK = 200
_LONGEST_ANSWER = 100
_LONGEST_TYPE = 40
_SIGNATURES = {
    "valid": "signature valid",
    "old": "signature valid, timestamp old",
    "future": "signature valid, timestamp in the future",
    "invalid": "signature INVALID",
    "missing": "not signed",
}


def render(event: deliveries.DeliveryEvent) -> Message:
    match event:
        case deliveries.Listening():
            return Message(text=_listening(event), result=[event.callback_url])
        case deliveries.DeliveryReceived():
            return Message(result=_received(event), droppable=True)
        case deliveries.DeliveryRefused():
            return Message(text=_refused(event), droppable=True)
        case deliveries.RefusalsOmitted():
            return Message(
                text=f"suno-wav: refused {event.count} more within {event.seconds:.0f} s: {event.reason}",
                droppable=True,
            )
        case deliveries.DeliveryRecorded():
            return Message(text=f"#{event.number} saved as {event.path}", level=Level.DETAIL, droppable=True)
        case deliveries.DeliveryForwarded():
            return Message(result=_forwarded(event), droppable=True)
        case deliveries.DeliveriesKept():
            return Message(text=_kept(event))
        case deliveries.DeliveryChecked():
            return Message(result=_checked(event), droppable=True)
        case deliveries.DeliveryDropped():
            return Message(text=f"#{event.number} dropped: {printable(event.reason)}", droppable=True)
        case _:
            assert_never(event)


def _listening(event: deliveries.Listening) -> str:
    text = f"suno-wav: listening at {event.local_url}; press Ctrl-C to stop"
    if event.unverified:
        text += "\n  Signatures are not verified: set SUNO_WAV_HMAC_KEY if your account has a webhook key."
    if event.public_url is None:
        because = f" ({printable(event.reason)})" if event.reason else ""
        return f"{text}\n  Only this machine can reach it{because}. Post to this address:"
    return f"{text}\n  Give the service this address as callBackUrl:"


def _received(event: deliveries.DeliveryReceived) -> list[str]:
    code = "no code" if event.code is None else f"code {event.code}"
    parts = [event.task_id or "no task id", code]
    if event.message is not None:
        parts[-1] += f" ({printable(event.message)})"
    if event.content_type is not None:
        parts.append(f"sent as {printable(event.content_type)[:_LONGEST_TYPE] or 'no content type'}")
    if event.signature is not None:
        because = f" ({printable(event.signature_reason)})" if event.signature_reason else ""
        parts.append(_SIGNATURES[event.signature] + because)
    if event.repeats is not None:
        parts.append(f"repeats #{event.repeats}")
    return wrap_row(f"#{event.number} ", f"{time_of_day(event.received_at)} {', '.join(parts)}")


def _refused(event: deliveries.DeliveryRefused) -> str:
    what = printable(f" {event.method} {event.path}" if event.method else "")
    return f"suno-wav: refused{what}: {event.reason} (HTTP {event.status})\n  {event.remedy}"


def _forwarded(event: deliveries.DeliveryForwarded) -> list[str]:
    again = "" if event.retry_in is None else f"; again in {event.retry_in:g} s"
    if event.problem is not None:
        said = f"not forwarded: {printable(event.problem)} ({event.seconds:.2f} s){again}"
        return wrap_row(f"#{event.number} ", said)
    line = f"forwarded: {event.status} in {event.seconds:.2f} s"
    answer = printable(event.answer.strip().partition("\n")[0])[:_LONGEST_ANSWER]
    said = f"{line}, {answer}" if event.status != _OK and answer else line
    return wrap_row(f"#{event.number} ", said + again)


def _kept(event: deliveries.DeliveriesKept) -> str:
    word = "delivery was" if event.count == 1 else "deliveries were"
    when = " by an earlier run" if event.earlier else ""
    text = f"suno-wav: {event.count:,} {word} acknowledged and not forwarded{when}: kept in {event.folder}"
    how = say_how("Send them", "suno-wav", "trigger", "--from", as_operand(event.folder), "URL")
    return f"{text}\n  {how}\n  Then delete that folder."


def _checked(event: deliveries.DeliveryChecked) -> list[str]:
    flag = f" ({event.flag})" if event.flag else ""
    claimed = f"the callback names {event.claimed_url}" if event.claimed_url else None
    details = ", ".join(text for text in (event.reason, claimed, event.url) if text)
    said = f"{event.verdict}{flag}" + (f": {details}" if details else "")
    return wrap_row(f"#{event.number} ", printable(said))
