"""`config`: the settings in force, and where each comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from suno_wav_cli import events
from suno_wav_cli.api.providers import SANDBOX
from suno_wav_cli.config.key_store import KeyStore
from suno_wav_cli.config.settings import base_url_of, is_own_sandbox
from suno_wav_cli.errors import ExitCode
from suno_wav_cli.system.look import look_at
from suno_wav_cli.system.shell_words import split_command

if TYPE_CHECKING:
    from suno_wav_cli.config.run import Run
    from suno_wav_cli.config.settings import Choice, Settings

_MAY_HOLD_SECRETS = frozenset({"public_url", "callback_url", "forward_to"})
"""Addresses whose path may contain a token."""


def show_path(run: Run) -> ExitCode:
    path = run.paths.config_file
    run.report(events.ConfigLocated(path=path, exists=look_at(path) is not None))
    return ExitCode.OK


def show_config(run: Run) -> ExitCode:
    """Report all settings, secrets and files. Raise UsageError or NotAuthorized for a bad key file."""
    report = run.report
    for choice in run.choices:
        report(
            events.SettingShown(
                name=choice.name,
                value=_displayed_value(choice, run.settings),
                source=choice.source.value,
                origin=choice.place,
            )
        )
    _report_secrets(run)
    paths = {
        "config.toml": run.paths.config_file,
        "journal": run.paths.journal,
        "keys": run.paths.keys,
        "agents": run.paths.agents,
    }
    for name, path in paths.items():
        report(events.PathShown(name=name, path=path, exists=look_at(path) is not None))
    return ExitCode.OK


def _report_secrets(run: Run) -> None:
    settings, secrets, report = run.settings, run.secrets, run.report
    if secrets.api_key is not None:
        place = secrets.api_key.origin
    elif settings.provider == SANDBOX:
        place = None
    else:
        place = KeyStore(folder=run.paths.keys).locate(base_url_of(settings))
    report(events.SecretShown(name="api_key", is_set=place is not None, origin=place))
    for name, secret in (("ngrok_authtoken", secrets.ngrok_token), ("hmac_key", secrets.hmac_key)):
        report(
            events.SecretShown(
                name=name, is_set=secret is not None, origin=None if secret is None else secret.origin
            )
        )


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
