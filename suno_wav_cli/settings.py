"""Flag > environment > config.toml > default: one frozen record of what is in force."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from suno_wav_cli.errors import NotAuthorized, UsageError
from suno_wav_cli.models import Secret
from suno_wav_cli.providers import PROVIDERS, SANDBOX
from suno_wav_cli.tunnel import TunnelMode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_UNITS = {"ms": 0.001, "": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_LONGEST_SECONDS = 30 * 86400.0


@dataclass(frozen=True)
class Settings:
    """Durations in seconds. Each field can be set as SUNO_WAV_NAME and in config.toml."""

    provider: str = "sunoapi"
    base_url: str | None = None
    out: str | None = None
    tunnel: TunnelMode = TunnelMode.AUTO
    public_url: str | None = None
    callback_url: str | None = None
    port: int = 0
    poll_interval: float = 30.0
    timeout: float = 1800.0
    retries: int = 5
    jobs: int = 20
    force: bool = False
    skip_existing: bool = False
    json: bool = False
    quiet: bool = False
    verbose: bool = False
    no_color: bool = False
    log_file: Path | None = None


@dataclass(frozen=True)
class Secrets:
    """What never comes from a flag and is never shown."""

    api_key: Secret | None
    ngrok_token: Secret | None


def load_settings(flags: Mapping[str, object], environ: Mapping[str, str]) -> Settings:
    """`flags` holds the options given on the command line, by field name; None where one was not given.

    Raises UsageError that names the place of a wrong value.
    """
    file = config_folder(environ) / "config.toml"
    written = _read_config(file)
    chosen: dict[str, Any] = {}
    for name, parse in _PARSERS.items():
        variable = f"SUNO_WAV_{name.upper()}"
        sources = (
            ("--" + name.replace("_", "-"), flags.get(name)),
            (variable, environ.get(variable) or None),
            (f"{file}: {name}", written.get(name)),
        )
        for place, value in sources:
            if value is not None:
                chosen[name] = _parsed(parse, place, value)
                break
    return Settings(**chosen)


def load_secrets(environ: Mapping[str, str]) -> Secrets:
    """Raises NotAuthorized for a key that no header can carry."""
    return Secrets(_secret(environ, "SUNO_API_KEY"), _secret(environ, "NGROK_AUTHTOKEN"))


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


def config_folder(environ: Mapping[str, str]) -> Path:
    return _folder(environ, "config")


def state_folder(environ: Mapping[str, str]) -> Path:
    return _folder(environ, "state")


def _folder(environ: Mapping[str, str], kind: str) -> Path:
    home = environ.get("SUNO_WAV_HOME")
    if home:
        return Path(str(_parsed(_path, "SUNO_WAV_HOME", home)))
    import platformdirs

    if kind == "config":
        return platformdirs.user_config_path("suno-wav", appauthor=False)
    return platformdirs.user_state_path("suno-wav", appauthor=False)


def _read_config(file: Path) -> dict[str, Any]:
    try:
        written = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise UsageError(f"{file} cannot be read: {error}", "Mend the file, or move it away.") from None
    unknown = sorted(set(written) - set(_PARSERS))
    if unknown:
        raise UsageError(
            f"{file} has a setting that does not exist: {unknown[0]}", f"Settings: {', '.join(_PARSERS)}."
        )
    return written


def _parsed(parse: Callable[[str], object], place: str, value: object) -> object:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    try:
        return (_no_value if isinstance(value, list | dict) else parse)(text)
    except ValueError as error:
        # An address may hold a password.
        shown = re.sub(r"//[^/]*@", "//(hidden)@", text)
        raise UsageError(
            f"{place}: '{shown}' is not {error}", "Correct it and run the command again."
        ) from None


def _no_value(_text: str) -> object:
    raise ValueError("a single value")


def _secret(environ: Mapping[str, str], variable: str) -> Secret | None:
    value = environ.get(variable, "").strip()
    if not value:
        return None
    if not (value.isascii() and value.isprintable()) or " " in value:
        raise NotAuthorized(
            f"{variable} holds characters that no key has", "Copy it again from your account page."
        )
    return Secret(value)


def seconds(text: str) -> float:
    """Read `90`, `90s`, `15m`, `1h`. Raises ValueError that says what was expected."""
    match = _DURATION.fullmatch(text)
    length = float(match[1]) * _UNITS[match[2] or ""] if match else 0.0
    if not 0 < length <= _LONGEST_SECONDS:
        raise ValueError("a duration; write 90, 90s, 15m or 1h, up to 30d")
    return length


def _http_url(text: str) -> str:
    expected = ValueError("an address; write https://host or https://host/path")
    try:
        parts = urlsplit(text)
        usable = (
            parts.scheme in ("http", "https") and parts.hostname and text.isascii() and text.isprintable()
        )
        # A port that is no number shows itself only when it is asked for.
        if not usable or " " in text or parts.port == 0 or parts.username is not None:
            raise expected
        # Empty and overlong labels, which no resolver takes.
        (parts.hostname or "").encode("idna")
    except ValueError:
        raise expected from None
    return text


def _base_url(text: str) -> str:
    """Write an address that paths are put behind in one way only: the journal knows a service by it."""
    parts = urlsplit(_http_url(text))
    if parts.query or parts.fragment:
        raise ValueError("an address without ? and #")
    host = (parts.hostname or "").lower()
    host = f"[{host}]" if ":" in host else host
    port = "" if parts.port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}{parts.path.rstrip('/')}"


def _number(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not (re.fullmatch(r"[0-9]{1,9}", text) and least <= int(text) <= most):
            raise ValueError(f"a number from {least} to {most}")
        return int(text)

    return parse


def _flag(text: str) -> bool:
    if text.lower() in ("1", "true", "yes", "on"):
        return True
    if text.lower() in ("0", "false", "no", "off"):
        return False
    raise ValueError("true or false")


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"one of: {', '.join(choices)}")
        return text

    return parse


def _tunnel(text: str) -> TunnelMode:
    return TunnelMode(_one_of(*TunnelMode)(text))


def _path(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise ValueError("a path of an existing user") from None


_PARSERS: Mapping[str, Callable[[str], object]] = {
    "provider": _one_of(*PROVIDERS),
    "base_url": _base_url,
    "out": str,
    "tunnel": _tunnel,
    "public_url": _base_url,
    "callback_url": _http_url,
    "port": _number(0, 65535),
    "poll_interval": seconds,
    "timeout": seconds,
    "retries": _number(0, 100),
    "jobs": _number(1, 1000),
    "force": _flag,
    "skip_existing": _flag,
    "json": _flag,
    "quiet": _flag,
    "verbose": _flag,
    "no_color": _flag,
    "log_file": _path,
}
