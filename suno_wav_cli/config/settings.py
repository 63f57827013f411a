"""The settings in force: flag, else environment, else config.toml, else default."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from suno_wav_cli.api.providers import PROVIDERS, SANDBOX, get_provider
from suno_wav_cli.config import parsers
from suno_wav_cli.config.file import read_config_file, refuse_name
from suno_wav_cli.errors import UsageError
from suno_wav_cli.models import SubmissionWindow, TunnelMode
from suno_wav_cli.system.loopback import is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from decimal import Decimal
    from pathlib import Path

    from suno_wav_cli.config.file import ConfigFile

SECRETS = ("ngrok_authtoken", "hmac_key")
"""What config.toml may hold besides the settings.

`credentials` reads them, and no output shows them.
"""

LISTEN_PORT = 3000
"""The port of `listen`, unless another is named."""

LEAST_INTERVAL = 5.0
"""Seconds between lookups of one task: more would only make the service refuse them."""
_SANDBOX_INTERVAL = 2.0
"""The same where the run has a sandbox of its own, whose conversions take some seconds."""

_OTHER_VARIABLES = ("home", "hmac_key")
_RETRIES = 5
_WINDOW = SubmissionWindow()


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Durations are in seconds, sizes in bytes, speeds in bytes a second, `max_credits` in credits.

    Each field can be set as SUNO_WAV_NAME and in config.toml.
    """

    provider: str = "sunoapi"
    base_url: str | None = None
    out: str | None = None
    tunnel: TunnelMode = TunnelMode.AUTO
    tunnel_command: str | None = None
    public_url: str | None = None
    callback_url: str | None = None
    port: int | None = None
    domain: str | None = None
    path: str = "/suno-wav-callback"
    no_secret: bool = False
    forward_to: str | None = None
    keep_forwarded_headers: bool = False
    save: Path | None = None
    max_events: int | None = None
    poll_interval: float = 30.0
    timeout: float = 1800.0
    retries: int | None = None
    jobs: int = 4
    window: SubmissionWindow = _WINDOW
    force: bool = False
    skip_existing: bool = False
    tag: bool = False
    exec: str | None = None
    info_json: bool = False
    checksums: Path | None = None
    connections: int = 4
    limit_rate: int | None = None
    min_speed: int = 1000
    stall_timeout: float = 20.0
    max_size: int = 1 << 32
    allow_private_hosts: bool = False
    max_credits: Decimal | None = None
    json: bool = False
    quiet: bool = False
    verbose: bool = False
    no_color: bool = False
    log_file: Path | None = None

    @property
    def lookup_retries(self) -> int:
        """How often a lookup is retried.

        A download is retried until its timeout unless `retries` is set.
        """
        return _RETRIES if self.retries is None else self.retries


def is_own_sandbox(settings: Settings) -> bool:
    """Tell whether the service is a sandbox that starts and ends with this run. Its tasks are kept."""
    return settings.provider == SANDBOX and settings.base_url is None


def service_of(settings: Settings) -> str:
    """Return the name by which the journal knows the service.

    It is the base URL, or "sandbox" for the sandbox of this run, which is at another address each time.
    """
    return SANDBOX if is_own_sandbox(settings) else base_url_of(settings)


def base_url_of(settings: Settings) -> str:
    """Return the service's address.

    It is `--base-url`, else the provider's own. Raise UsageError.
    """
    return settings.base_url or get_provider(settings.provider).base_url


class Source(StrEnum):
    FLAG = "flag"
    VARIABLE = "variable"
    FILE = "file"
    DEFAULT = "default"


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The value of one setting.

    `place` is the flag, the variable, or the line that it comes from.
    """

    name: str
    value: Any
    source: Source
    place: str | None = None


def choose(flags: Mapping[str, object], environ: Mapping[str, str], config: ConfigFile) -> tuple[Choice, ...]:
    """Choose the value of each setting, in the order of the fields.

    `flags` holds the options of the command line by field name, None for those not given. Raise
    UsageError that names the place of a wrong value.
    """
    choices = tuple(
        choose_one(field.name, field.default, flags, environ, config) for field in fields(Settings)
    )
    if not is_own_sandbox(make_settings(choices)):
        return choices
    default = ("poll_interval", Source.DEFAULT)
    return tuple(
        replace(choice, value=_SANDBOX_INTERVAL) if (choice.name, choice.source) == default else choice
        for choice in choices
    )


def check_flags(flags: Mapping[str, object]) -> None:
    """Raise UsageError for a wrong value of an option, where no settings are read."""
    for name, value in flags.items():
        if name in _PARSERS:
            _parse_field(name, "--" + name.replace("_", "-"), value)


def let_typed_win(flags: Mapping[str, object]) -> dict[str, object]:
    """Return the flags, with what excludes one of them switched off, wherever it is set."""
    opposites = {"force": "skip_existing", "quiet": "verbose"}
    pairs = [*opposites.items(), *((other, one) for one, other in opposites.items())]
    return {**{other: False for one, other in pairs if flags.get(one)}, **flags}


def raise_interval(settings: Settings) -> Settings:
    """Return the settings with a poll interval that a service can be asked at. This machine bears any."""
    here = is_own_sandbox(settings) or is_loopback(base_url_of(settings))
    return settings if here else replace(settings, poll_interval=max(settings.poll_interval, LEAST_INTERVAL))


def unknown_variables(environ: Mapping[str, str]) -> list[tuple[str, str | None]]:
    """Return each SUNO_WAV_* variable that means nothing, with the one that was probably meant."""
    known = [f"SUNO_WAV_{name.upper()}" for name in (*_PARSERS, *_OTHER_VARIABLES)]
    strange = [name for name in environ if name.startswith("SUNO_WAV_") and name not in known]
    return [(name, parsers.find_nearest(name, known)) for name in sorted(strange)]


def make_settings(choices: tuple[Choice, ...]) -> Settings:
    return Settings(**{choice.name: choice.value for choice in choices})


def choose_one(
    name: str,
    default: object,
    flags: Mapping[str, object],
    environ: Mapping[str, str],
    config: ConfigFile,
) -> Choice:
    """Choose the value of one setting. Raise UsageError that names the place of a wrong value."""
    flag, variable = "--" + name.replace("_", "-"), f"SUNO_WAV_{name.upper()}"
    if flags.get(name) is not None:
        return Choice(name=name, value=_parse_field(name, flag, flags[name]), source=Source.FLAG, place=flag)
    if environ.get(variable):
        return Choice(
            name=name,
            value=_parse_field(name, variable, environ[variable]),
            source=Source.VARIABLE,
            place=variable,
        )
    if name in config.written:
        place = config.place(name)
        return Choice(
            name=name,
            value=_parse_field(name, f"{place}: {name}", config.written[name]),
            source=Source.FILE,
            place=place,
        )
    return Choice(name=name, value=default, source=Source.DEFAULT)


def read_config(path: Path) -> ConfigFile:
    """Read config.toml. Raise UsageError, with the line if there is one."""
    return read_config_file(path, [*_PARSERS, *SECRETS])


def check_name(name: str) -> str:
    """Return a name as config.toml has it, also from an option. Raise UsageError for an unknown one."""
    plain = name.removeprefix("--").replace("-", "_")
    if plain not in _PARSERS and plain not in SECRETS:
        raise refuse_name("", name, [*_PARSERS, *SECRETS])
    return plain


def to_write(name: str, text: str) -> str | int | bool:
    """Return what config.toml gets for a setting that was typed. Raise UsageError for a wrong value."""
    value = _parse_field(name, name, text)
    if isinstance(value, bool):
        return value
    # A size has a unit, and is an int too.
    return value if isinstance(value, int) and text == str(value) else text


def _parse_field(name: str, place: str, value: object) -> object:
    return _parse(_PARSERS[name], place, value)


def _parse(parse: Callable[[str], object], place: str, value: object) -> object:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    try:
        if isinstance(value, list | dict):
            raise ValueError("a single value")  # noqa: TRY004, TRY301 - a wrong value, as any other
        if "\0" in text:
            raise ValueError("a text without null characters")  # noqa: TRY301
        return parse(text)
    except ValueError as error:
        raise UsageError(
            f"{place}: '{parsers.shown_value(text)}' is not {error}", "Correct it and run the command again."
        ) from None


def _parse_tunnel(text: str) -> TunnelMode:
    return TunnelMode(parsers.one_of(*TunnelMode)(text))


_PARSERS: Mapping[str, Callable[[str], object]] = {
    "provider": parsers.one_of(*PROVIDERS),
    "base_url": parsers.base_url,
    "out": str,
    "tunnel": _parse_tunnel,
    "tunnel_command": parsers.command,
    "public_url": parsers.base_url,
    "callback_url": parsers.http_url,
    "port": parsers.number(0, 65535),
    "domain": parsers.domain,
    "path": parsers.url_path,
    "no_secret": parsers.flag,
    "forward_to": parsers.receiver_url,
    "keep_forwarded_headers": parsers.flag,
    "save": parsers.path,
    "max_events": parsers.number(1, 999_999_999),
    "poll_interval": parsers.seconds,
    "timeout": parsers.seconds,
    "retries": parsers.number(0, 100),
    "jobs": parsers.number(1, 1000),
    "window": parsers.window,
    "force": parsers.flag,
    "skip_existing": parsers.flag,
    "tag": parsers.flag,
    "exec": parsers.command,
    "info_json": parsers.flag,
    "checksums": parsers.path,
    "connections": parsers.number(1, 4),
    "limit_rate": parsers.size,
    "min_speed": parsers.size,
    "stall_timeout": parsers.seconds,
    "max_size": parsers.size,
    "allow_private_hosts": parsers.flag,
    "max_credits": parsers.credits_amount,
    "json": parsers.flag,
    "quiet": parsers.flag,
    "verbose": parsers.flag,
    "no_color": parsers.flag,
    "log_file": parsers.path,
}
