"""Keys and tokens: where each comes from, and that it goes nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from suno_wav_cli.api.providers import SANDBOX
from suno_wav_cli.config.key_store import KeyStore
from suno_wav_cli.config.paths import find_paths
from suno_wav_cli.config.settings import base_url_of, read_config
from suno_wav_cli.errors import NotAuthorized, UsageError
from suno_wav_cli.models import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

    from suno_wav_cli.config.file import ConfigFile
    from suno_wav_cli.config.settings import Settings

API_KEY_VARIABLE = "SUNO_API_KEY"


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """What never comes from a flag and is never shown. `api_key` is that of the environment."""

    api_key: Secret | None
    ngrok_token: Secret | None
    hmac_key: Secret | None


def take_secrets(environ: MutableMapping[str, str]) -> Secrets:
    """Read the secrets, and take those of the environment out of it: every child process would inherit them.

    The API key comes from SUNO_API_KEY; the others from NGROK_AUTHTOKEN and SUNO_WAV_HMAC_KEY, else config.toml. Raises
    NotAuthorized for a key that no header can carry, and UsageError for a config.toml that cannot be read.
    """
    given = {
        name: _secret(environ.pop(name, None), name)
        for name in (API_KEY_VARIABLE, "NGROK_AUTHTOKEN", "SUNO_WAV_HMAC_KEY")
    }
    config = read_config(environ)
    return Secrets(
        api_key=_for_a_header(given[API_KEY_VARIABLE]),
        ngrok_token=_for_a_header(given["NGROK_AUTHTOKEN"])
        or _for_a_header(_written(config, "ngrok_authtoken")),
        hmac_key=given["SUNO_WAV_HMAC_KEY"] or _written(config, "hmac_key"),
    )


def find_api_key(secrets: Secrets, settings: Settings, environ: Mapping[str, str]) -> Secret | None:
    """Take the environment's key, else the one that `login` has kept for this address. The sandbox takes any.

    Raises NotAuthorized where one was kept and cannot be used.
    """
    if secrets.api_key is not None:
        return secrets.api_key
    if settings.provider == SANDBOX:
        return Secret(value="no-key-is-needed", origin="the sandbox takes any")
    return KeyStore(folder=find_paths(environ).keys).find(base_url_of(settings))


def get_api_key(secrets: Secrets, settings: Settings, environ: Mapping[str, str]) -> Secret:
    """As `find_api_key`; raises NotAuthorized where there is none."""
    return require_key(find_api_key(secrets, settings, environ), base_url_of(settings))


def require_key(key: Secret | None, base_url: str) -> Secret:
    """Raises NotAuthorized where there is none."""
    if key is None:
        raise NotAuthorized(
            f"there is no API key for {base_url}",
            "suno-wav login keeps the one from your provider's account page (or set SUNO_API_KEY). "
            "To try without one: --provider sandbox",
        )
    return key


def parse_key(text: str, origin: str) -> Secret | None:
    """Read a key that somebody has typed; None where nothing was. Raises NotAuthorized for what no header can carry."""
    return _for_a_header(_secret(text, origin))


def _for_a_header(secret: Secret | None) -> Secret | None:
    """Let pass what can travel in a header."""
    if secret is not None and (
        not (secret.value.isascii() and secret.value.isprintable()) or " " in secret.value
    ):
        raise NotAuthorized(
            f"{secret.origin} holds characters that no key has", "Copy it again from your account page."
        )
    return secret


def _secret(value: str | None, origin: str) -> Secret | None:
    text = (value or "").strip()
    return Secret(value=text, origin=origin) if text else None


def _written(config: ConfigFile, name: str) -> Secret | None:
    value = config.written.get(name)
    if value is None:
        return None
    place = f"{config.place(name)}: {name}"
    if not isinstance(value, str):
        raise UsageError(f"{place} is not a text", 'Put it between quotes: name = "..."')
    return _secret(value, place)
