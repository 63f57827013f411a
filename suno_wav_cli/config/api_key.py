"""The API key of a run: whose it is, and how to store one if there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from suno_wav_cli.api.providers import SANDBOX
from suno_wav_cli.config.key_store import KeyStore
from suno_wav_cli.config.settings import base_url_of
from suno_wav_cli.errors import NotAuthorized
from suno_wav_cli.models import Secret
from suno_wav_cli.system.shell_words import quote_command

if TYPE_CHECKING:
    from suno_wav_cli.config.run import Run


def find_api_key(run: Run) -> Secret | None:
    """Return the key of the environment, else the one that `login` stored for the service.

    The sandbox accepts any key. Raise NotAuthorized if the stored key cannot be used.
    """
    if run.secrets.api_key is not None:
        return run.secrets.api_key
    if run.settings.provider == SANDBOX:
        return Secret(value="no-key-is-needed")
    return open_key_store(run).find(base_url_of(run.settings))


def open_key_store(run: Run) -> KeyStore:
    return KeyStore(folder=run.paths.keys, login=how_to_log_in(run))


def require_key(run: Run, key: Secret | None) -> Secret:
    """Return the key. Raise NotAuthorized if there is none."""
    if key is None:
        raise NotAuthorized(
            f"there is no API key for {base_url_of(run.settings)}",
            f"{how_to_log_in(run)} says where to find it, and keeps it (or set SUNO_API_KEY). "
            "To try without one: --provider sandbox",
        )
    return key


def how_to_log_in(run: Run, *options: str) -> str:
    """Return the command for the service of the run, or without the service if that cannot be quoted."""
    login = ("suno-wav", "login", *options)
    return quote_command([*login, *run.service_options]) or " ".join(login)
