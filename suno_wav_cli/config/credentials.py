"""Keys and tokens, and where each comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from suno_wav_cli.config.settings import SECRETS
from suno_wav_cli.errors import NotAuthorized, UsageError
from suno_wav_cli.models import Secret
from suno_wav_cli.system.shell_words import as_operand, say_how

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from pathlib import Path

    from suno_wav_cli.config.file import ConfigFile

API_KEY_VARIABLE = "SUNO_API_KEY"
_QUOTES = ('""', "''", "``", "“”", "„“", "‘’", "«»")  # noqa: RUF001 - as people copy them
_NGROK_VARIABLE = "NGROK_AUTHTOKEN"


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """Secrets are never options and never shown. `api_key` is the one from the environment.

    `ignored` are the names of those in `config_file`, which others can read. It is None if there are none.
    """

    api_key: Secret | None
    ngrok_token: Secret | None
    hmac_key: Secret | None
    config_file: Path | None = None
    ignored: tuple[str, ...] = ()

    @property
    def taken_ngrok_variable(self) -> dict[str, str]:
        """The variable of ngrok's own token, for a program that the user has chosen to open a tunnel."""
        token = self.ngrok_token
        return {_NGROK_VARIABLE: token.value} if token and token.origin == _NGROK_VARIABLE else {}


def take_secrets(environ: MutableMapping[str, str], config: ConfigFile) -> Secrets:
    """Read the secrets, and remove them from the environment, which child processes inherit.

    The API key comes from SUNO_API_KEY, the others from NGROK_AUTHTOKEN and SUNO_WAV_HMAC_KEY, else
    `config`, unless others can read that file. Raise NotAuthorized for a key that does not fit into a header, and UsageError for one
    that is not text.
    """
    given = {
        name: _read_secret(environ.pop(name, None), name)
        for name in (API_KEY_VARIABLE, _NGROK_VARIABLE, "SUNO_WAV_HMAC_KEY")
    }
    ignored = tuple(name for name in SECRETS if name in config.written) if config.is_open else ()
    return Secrets(
        api_key=_check_for_header(given[API_KEY_VARIABLE]),
        ngrok_token=_check_for_header(given[_NGROK_VARIABLE])
        or _check_for_header(_read_from_file(config, "ngrok_authtoken")),
        hmac_key=given["SUNO_WAV_HMAC_KEY"] or _read_from_file(config, "hmac_key"),
        config_file=config.path if ignored else None,
        ignored=ignored,
    )


def how_to_close(path: Path) -> str:
    """Return the remedy for a file with secrets that others can read."""
    return say_how("Close it to them", "chmod", "600", as_operand(path))


def refuse_ignored(secrets: Secrets, name: str) -> None:
    """Raise UsageError if a secret that is required is in `config.toml`, and others can read it."""
    if name in secrets.ignored and secrets.config_file is not None:
        error = UsageError(
            f"{secrets.config_file} holds {name}, which is not used, because others can read it",
            how_to_close(secrets.config_file),
        )
        error.ends_with_command = True
        raise error


def parse_key(text: str, origin: str) -> Secret | None:
    """Read a key that was typed, None for an empty line.

    Raise NotAuthorized if a header cannot carry it.
    """
    return _check_for_header(_read_secret(text, origin))


def _check_for_header(secret: Secret | None) -> Secret | None:
    """Return the secret. Raise NotAuthorized if a header cannot carry it."""
    if secret is not None and (
        not (secret.value.isascii() and secret.value.isprintable()) or " " in secret.value
    ):
        raise NotAuthorized(
            f"{secret.origin} contains characters that a key cannot have",
            "Copy it again from your account page.",
        )
    return secret


def _read_secret(value: str | None, origin: str) -> Secret | None:
    """Read a secret without the quotes around it, which cmd keeps and people copy."""
    text = (value or "").strip()
    if len(text) > 1 and text[0] + text[-1] in _QUOTES:
        text = text[1:-1].strip()
    return Secret(value=text, origin=origin) if text else None


def _read_from_file(config: ConfigFile, name: str) -> Secret | None:
    value = config.written.get(name)
    if value is None or config.is_open:
        return None
    place = f"{config.place(name)}: {name}"
    if not isinstance(value, str):
        raise UsageError(f"{place} is not text", 'Put it between quotes: name = "..."')
    return _read_secret(value, place)
