"""Sentences and lines about callbacks: those that `listen` takes, and those that `trigger` posts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from suno_wav_cli.terminal.texts import printable, time_of_day

if TYPE_CHECKING:
    from suno_wav_cli import events

_OK = 200
_LONGEST_ANSWER = 100
_SIGNATURES = {
    "valid": "signature valid",
    "old": "signature valid, timestamp old",
    "invalid": "signature INVALID",
    "missing": "not signed",
}


def listening(event: events.Listening) -> str:
    where = f"suno-wav: listening at {event.local_url}; Ctrl-C ends it"
    if event.unverified:
        where += (
            "\n  Signatures are not verified: set SUNO_WAV_HMAC_KEY where your account has a webhook key."
        )
    if event.public_url is None:
        because = f" ({printable(event.reason)})" if event.reason else ""
        return f"{where}\n  Only this machine reaches it{because}. Post to this address:"
    return f"{where}\n  Give the service this address as callBackUrl:"


def received(event: events.DeliveryReceived) -> str:
    code = "no code" if event.code is None else f"code {event.code}"
    parts = [event.task_id or "no task id", code]
    if event.signature is not None:
        parts.append(_SIGNATURES[event.signature])
    if event.repeats is not None:
        parts.append(f"repeats #{event.repeats}")
    return f"#{event.number} {time_of_day(event.received)} {', '.join(parts)}"


def forwarded(event: events.DeliveryForwarded) -> str:
    if event.problem is not None:
        return f"#{event.number} not forwarded: {printable(event.problem)} ({event.seconds:.2f} s)"
    line = f"#{event.number} forwarded: {event.status} in {event.seconds:.2f} s"
    said = printable(event.answer.strip().partition("\n")[0])[:_LONGEST_ANSWER]
    return f"{line}, {said}" if event.status != _OK and said else line


def checked(event: events.DeliveryChecked) -> str:
    flag = f" ({event.flag})" if event.flag else ""
    said = ", ".join(text for text in (event.reason, event.url) if text)
    return printable(f"#{event.number} {event.verdict}{flag}" + (f": {said}" if said else ""))


def delivering(event: events.Delivering) -> str:
    task = f", task {printable(event.task_id)}" if event.task_id else ""
    return f"suno-wav: {event.method} {printable(event.name)} to {event.to}{task}{', signed' if event.signed else ''}"
