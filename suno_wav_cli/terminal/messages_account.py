"""Sentences and lines about keys, credits and settings."""

from __future__ import annotations

from decimal import Decimal
from typing import TypeAlias, assert_never

from suno_wav_cli import events
from suno_wav_cli.api.pricing import format_credits
from suno_wav_cli.terminal.texts import printable

AccountEvent: TypeAlias = (
    events.Balance
    | events.Planned
    | events.Quoted
    | events.KeyKept
    | events.KeyForgotten
    | events.SettingShown
    | events.SecretShown
    | events.PathShown
    | events.ConfigLocated
)


def account_sentence(event: AccountEvent) -> str | None:
    match event:
        case events.Balance():
            return f"suno-wav: enough for {event.wavs} WAVs, at {_credits(event.price_each)} each"
        case events.Quoted():
            return _quoted(event)
        case events.KeyKept():
            return _key_kept(event)
        case events.KeyForgotten():
            return _key_forgotten(event)
        case (
            events.Planned()
            | events.SettingShown()
            | events.SecretShown()
            | events.PathShown()
            | events.ConfigLocated()
        ):
            return None
        case _:
            assert_never(event)


def account_results(event: AccountEvent) -> list[str]:
    match event:
        case events.Balance():
            return [format_credits(event.credits)]
        case events.Planned():
            price = f" ({_credits(event.price)})" if event.price else ""
            return [f"{event.step:<8} {event.audio_id} -> {event.path}{price}"]
        case events.SettingShown():
            return [f"{event.name:<15} {printable(_value(event.value))}  ({event.place or event.source})"]
        case events.SecretShown():
            return [f"{event.name:<15} " + (f"set, from {event.place}" if event.is_set else "not set")]
        case events.PathShown():
            return [f"{event.name:<15} {event.path}" + ("" if event.exists else "  (not there)")]
        case events.ConfigLocated():
            return [str(event.path)]
        case events.Quoted() | events.KeyKept() | events.KeyForgotten():
            return []
        case _:
            assert_never(event)


def _credits(amount: Decimal) -> str:
    return f"{format_credits(amount)} credit" + ("" if amount == 1 else "s")


def _quoted(event: events.Quoted) -> str:
    count = f"{event.submissions} {'song' if event.submissions == 1 else 'songs'}"
    price = (
        f"{count} to be paid for, {_credits(event.price)}" if event.submissions else "nothing to be paid for"
    )
    if event.balance is not None:
        balance = f"the balance is {format_credits(event.balance)}"
    else:
        balance = f"the balance is not known ({printable(event.reason or 'no reason given')})"
    line = f"suno-wav: {price}; {balance}"
    return line if event.refusal is None else f"{line}\n  It would not be begun: {event.refusal}"


def _key_kept(event: events.KeyKept) -> str:
    because = f" ({printable(event.reason)})" if event.reason else ""
    verified = (
        "NOT VERIFIED: the service was not asked"
        if event.credits is None
        else f"the service takes it; {_credits(event.credits)} left"
    )
    lines = [f"suno-wav: the key for {event.base_url} is kept in {event.place}{because}", f"  {verified}"]
    if event.overridden:
        lines.append(f"  {event.overridden} is set too, and is used in its place.")
    return "\n".join(lines)


def _key_forgotten(event: events.KeyForgotten) -> str:
    if event.place is None:
        line = f"suno-wav: no key was kept for {event.base_url}"
    else:
        line = f"suno-wav: the key for {event.base_url} is no longer in {event.place}"
    return f"{line}\n  {event.still} still holds a key, which is used." if event.still else line


def _value(value: object) -> str:
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g} s"
    return format_credits(value) if isinstance(value, Decimal) else str(value)
