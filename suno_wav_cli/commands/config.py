"""`config`: the settings in force, where each comes from, and changes of config.toml."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from suno_wav_cli.api.providers import SANDBOX
from suno_wav_cli.config.api_key import open_key_store
from suno_wav_cli.config.credentials import parse_key
from suno_wav_cli.config.edit import check_editable, write_setting
from suno_wav_cli.config.settings import (
    SECRETS,
    Source,
    base_url_of,
    check_name,
    choose,
    is_own_sandbox,
    make_settings,
    read_config,
    to_write,
)
from suno_wav_cli.config.typed import typed_value
from suno_wav_cli.errors import ExitCode, UsageError
from suno_wav_cli.events import account
from suno_wav_cli.system.look import look_at
from suno_wav_cli.system.shell_words import adapt_example, split_command

if TYPE_CHECKING:
    from collections.abc import Callable

    from suno_wav_cli.config.run import Run
    from suno_wav_cli.config.settings import Choice, Settings

_MAY_HOLD_SECRETS = frozenset({"public_url", "callback_url", "forward_to"})
"""Addresses whose path may contain a token."""


def show_path(run: Run) -> ExitCode:
    path = run.paths.config_file
    run.report(account.ConfigLocated(path=path, exists=look_at(path) is not None))
    return ExitCode.OK


def show_config(run: Run) -> ExitCode:
    """Report all settings, secrets and files. Raise UsageError or NotAuthorized for a bad key file."""
    report = run.report
    for choice in run.choices:
        report(_show(choice, run.settings))
    for secret in _secrets(run):
        report(secret)
    paths = {
        "config.toml": run.paths.config_file,
        "journal": run.journal_path,
        "keys": run.paths.keys,
        "agents": run.paths.agents,
    }
    for name, path in paths.items():
        report(account.PathShown(name=name, path=path, exists=look_at(path) is not None))
    return ExitCode.OK


def get_setting(run: Run, name: str) -> ExitCode:
    """Print one value alone, or nothing if it is not set; of a secret, whether it is. Raise UsageError."""
    name = "api_key" if name == "api_key" else check_name(name)
    for secret in _secrets(run):
        if secret.name == name:
            run.report(secret)
            return ExitCode.OK
    choice = next(choice for choice in run.choices if choice.name == name)
    shown = _show(choice, run.settings)
    run.report(account.SettingRead(name=name, value=shown.value, text=shown.text))
    return ExitCode.OK


def set_setting(run: Run, name: str, text: str | None, *, read_value: Callable[[str], str]) -> ExitCode:
    """Write a setting into config.toml. A secret is read with `read_value(prompt)`. Raise UsageError."""
    name = check_name(name)
    check_editable(run.paths.config_file)
    if name in SECRETS:
        if text is not None:
            raise UsageError(
                "a secret on the command line is visible to other users and stays in the shell's history",
                f"Run suno-wav config set {name} and enter it, or send it in: "
                + adapt_example(f"suno-wav config set {name} < FILE"),
            )
        secret = parse_key(read_value(f"{name} (not shown): "), "what was entered")
        if secret is None:
            raise UsageError("nothing was entered", "Enter it at the prompt, or send it in from a file.")
        return _change(run, name, secret.value, None)
    if text is None:
        raise UsageError(f"{name} needs a value", f"suno-wav config set {name} VALUE")
    return _change(run, name, to_write(name, text), text)


def unset_setting(run: Run, name: str) -> ExitCode:
    """Remove a setting from config.toml. Raise UsageError."""
    return _change(run, check_name(name), None, None)


def _change(run: Run, name: str, value: str | int | bool | None, text: str | None) -> ExitCode:
    config = read_config(run.paths.config_file)
    changed = value is not None or name in config.written
    if changed:
        write_setting(config, name, value)
    left = None if value is not None else _after_removal(run, name)
    run.report(
        account.ConfigChanged(
            path=config.path,
            name=name,
            text=text,
            removed=value is None,
            changed=changed,
            variable=_overriding_variable(run, name),
            current=None if left is None else left.text,
            origin=None if left is None else left.origin or left.source,
        )
    )
    return ExitCode.OK


def _after_removal(run: Run, name: str) -> account.SettingShown | None:
    """Return what counts without a line in config.toml; None for a secret, or if other lines are wrong."""
    with suppress(UsageError):
        choices = choose({}, run.environ, read_config(run.paths.config_file))
        return next(
            (_show(choice, make_settings(choices)) for choice in choices if choice.name == name), None
        )
    return None


def _overriding_variable(run: Run, name: str) -> str | None:
    secrets = {"ngrok_authtoken": run.secrets.ngrok_token, "hmac_key": run.secrets.hmac_key}
    if name in secrets:
        variables = {"ngrok_authtoken": "NGROK_AUTHTOKEN", "hmac_key": "SUNO_WAV_HMAC_KEY"}
        secret = secrets[name]
        return variables[name] if secret is not None and secret.origin == variables[name] else None
    choice = next(choice for choice in run.choices if choice.name == name)
    return choice.place if choice.source is Source.VARIABLE else None


def _show(choice: Choice, settings: Settings) -> account.SettingShown:
    value = _displayed_value(choice, settings)
    return account.SettingShown(
        name=choice.name,
        value=value,
        text=typed_value(choice.name, value),
        source=choice.source.value,
        origin=choice.place,
    )


def _secrets(run: Run) -> list[account.SecretShown]:
    settings, secrets = run.settings, run.secrets
    if secrets.api_key is not None:
        place = secrets.api_key.origin
    elif settings.provider == SANDBOX:
        place = None
    else:
        place = open_key_store(run).locate(base_url_of(settings))
    return [
        account.SecretShown(name="api_key", is_set=place is not None, origin=place),
        *(
            account.SecretShown(
                name=name, is_set=secret is not None, origin=None if secret is None else secret.origin
            )
            for name, secret in (("ngrok_authtoken", secrets.ngrok_token), ("hmac_key", secrets.hmac_key))
        ),
    ]


def _displayed_value(choice: Choice, settings: Settings) -> object:
    """Return the value to show: the base URL that is used, addresses without their path, no tokens."""
    if choice.name == "base_url":
        return None if is_own_sandbox(settings) else base_url_of(settings)
    if choice.value is not None and choice.name == "tunnel_command":
        return f"{split_command(choice.value)[0]} (hidden)"
    if choice.value is not None and choice.name in _MAY_HOLD_SECRETS:
        parts = urlsplit(choice.value)
        hidden = "/(hidden)" if parts.path.strip("/") or parts.query else ""
        return f"{parts.scheme}://{parts.netloc}{hidden}"
    return choice.value
