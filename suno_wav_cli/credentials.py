"""Keys and tokens: where each comes from, and that it goes nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from suno_wav_cli.errors import NotAuthorized
from suno_wav_cli.models import Secret
from suno_wav_cli.providers import SANDBOX
from suno_wav_cli.settings import read_config

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping


@dataclass(frozen=True)
class Secrets:
    """What never comes from a flag and is never shown."""

    api_key: Secret | None
    ngrok_token: Secret | None
    hmac_key: Secret | None


def take_secrets(environ: MutableMapping[str, str]) -> Secrets:
    """Read the secrets, and take those of the environment out of it: every child process would inherit them.

    The API key comes from SUNO_API_KEY; the others from NGROK_AUTHTOKEN and SUNO_WAV_HMAC_KEY, else config.toml. Raises
    NotAuthorized for a key that no header can carry, and UsageError for a config.toml that cannot be read.
    """
    given = {
        name: environ.pop(name, None) for name in ("SUNO_API_KEY", "NGROK_AUTHTOKEN", "SUNO_WAV_HMAC_KEY")
    }
    file, written = read_config(environ)
    return Secrets(
        api_key=_key("SUNO_API_KEY", given["SUNO_API_KEY"]),
        ngrok_token=_key("NGROK_AUTHTOKEN", given["NGROK_AUTHTOKEN"])
        or _key(f"{file}: ngrok_authtoken", _text(written, "ngrok_authtoken")),
        hmac_key=_secret(given["SUNO_WAV_HMAC_KEY"]) or _secret(_text(written, "hmac_key")),
    )


def api_key(secrets: Secrets, provider: str) -> Secret:
    """Raises NotAuthorized where there is none. The sandbox takes any."""
    if secrets.api_key is not None:
        return secrets.api_key
    if provider == SANDBOX:
        return Secret("no-key-is-needed")
    raise NotAuthorized(
        "there is no API key",
        "Set SUNO_API_KEY to the key from your provider's account page. To try without one: --provider sandbox",
    )


def _key(place: str, value: str | None) -> Secret | None:
    """Read a secret that travels in a header."""
    secret = _secret(value)
    if secret is not None and (
        not (secret.value.isascii() and secret.value.isprintable()) or " " in secret.value
    ):
        raise NotAuthorized(
            f"{place} holds characters that no key has", "Copy it again from your account page."
        )
    return secret


def _secret(value: str | None) -> Secret | None:
    text = (value or "").strip()
    return Secret(text) if text else None


def _text(written: Mapping[str, object], name: str) -> str | None:
    value = written.get(name)
    return None if value is None else str(value)
