"""Messages about the account and the settings."""

from __future__ import annotations

from dataclasses import fields
from typing import assert_never

from suno_wav_cli.api.pricing import format_credits
from suno_wav_cli.config.settings import Settings
from suno_wav_cli.events import account
from suno_wav_cli.terminal.fold import wrap_row
from suno_wav_cli.terminal.message import Message
from suno_wav_cli.terminal.tables import count_credits, printable

_NAME_WIDTH = max(len(field.name) for field in fields(Settings))
"""Columns of the longest name that `config` shows."""


def render(event: account.AccountEvent) -> Message:
    match event:
        case account.Balance():
            return Message(
                text=f"suno-wav: enough for {event.wavs} WAVs, at {count_credits(event.price_each)} each",
                result=[format_credits(event.credits)],
            )
        case account.LookupAwaited():
            asked_for = printable(event.asked_for)
            return Message(text=f"suno-wav: waiting for {printable(event.service)} to tell {asked_for}")
        case account.KeyStored():
            return Message(text=_key_stored(event))
        case account.KeyRemoved():
            return Message(text=_key_removed(event))
        case account.SettingShown():
            value = "not set" if event.text is None else printable(event.text)
            return Message(result=_row(event.name, value, f"({event.origin or event.source})"))
        case account.SettingRead():
            if event.text is None:
                return Message(text=f"suno-wav: {event.name} is not set")
            return Message(result=[printable(event.text)])
        case account.SecretShown():
            state = f"set, from {event.origin}" if event.is_set else "not set"
            return Message(result=_row(event.name, state))
        case account.SecretsIgnored():
            names = " and ".join(event.names)
            return Message(
                text=f"suno-wav: warning: others can read {printable(str(event.path))}, so {names} in it "
                f"{'is' if len(event.names) == 1 else 'are'} not used\n  {printable(event.remedy)}"
            )
        case account.VariableUnknown():
            meant = f"; did you mean {event.suggestion}?" if event.suggestion else ""
            return Message(
                text=f"suno-wav: warning: {printable(event.name)} is set, and there is no such setting{meant}"
            )
        case account.OptionIgnored():
            return Message(text=f"suno-wav: {event.option} has no effect here: {event.reason}")
        case account.PollIntervalRaised():
            return Message(
                text=f"suno-wav: polling every {event.poll_interval:g} s, not every {event.asked:g} s: "
                "a service is not to be asked more often"
            )
        case account.PathShown():
            return Message(
                result=_row(event.name, str(event.path), "" if event.exists else "(does not exist)")
            )
        case account.ConfigChanged():
            return Message(text=_config_changed(event))
        case account.ConfigLocated():
            return Message(result=[str(event.path)])
        case _:
            assert_never(event)


def _row(name: str, value: str, remark: str = "") -> list[str]:
    text = f"{value}  {remark}" if remark else value
    return wrap_row(f"{name:<{_NAME_WIDTH}} ", text, whole=[value, remark])


def _key_stored(event: account.KeyStored) -> str:
    because = f" ({printable(event.reason)})" if event.reason else ""
    verified = (
        "NOT VERIFIED: it was not checked with the service"
        if event.credits is None
        else f"the service accepts it; {count_credits(event.credits)} left"
    )
    lines = [f"suno-wav: stored the key for {event.base_url} in {event.location}{because}", f"  {verified}"]
    if event.variable:
        lines.append(f"  {event.variable} is set too, and takes precedence.")
    return "\n".join(lines)


def _key_removed(event: account.KeyRemoved) -> str:
    if event.location is None:
        line = f"suno-wav: no key stored for {event.base_url}"
    else:
        line = f"suno-wav: removed the key for {event.base_url} from {event.location}"
    return f"{line}\n  {event.variable} still holds a key, which is used." if event.variable else line


def _config_changed(event: account.ConfigChanged) -> str:
    path = printable(str(event.path))
    if event.removed:
        done = f"removed {event.name} from {path}" if event.changed else f"{event.name} is not set in {path}"
        return f"suno-wav: {done}{_what_counts(event)}"
    done = f"set {event.name} in" if event.text is None else f"{event.name} is {printable(event.text)} in"
    line = f"suno-wav: {done} {path}"
    return f"{line}\n  {event.variable} is set too, and takes precedence." if event.variable else line


def _what_counts(event: account.ConfigChanged) -> str:
    """Say what a setting is once it has left config.toml."""
    if event.current is not None:
        return f"\n  It is {printable(event.current)}{' now' if event.changed else ''} ({event.origin})."
    if event.origin is not None and event.changed:
        return "\n  It is not set anywhere now."
    return f"\n  {event.variable} is set, and is used." if event.variable else ""
