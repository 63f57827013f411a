"""The account, and the settings in force."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from suno_wav_cli.events.event import event

if TYPE_CHECKING:
    from decimal import Decimal
    from pathlib import Path


@event
class Balance:
    """`credits`: the credits of the account.

    wavs: how many conversions they pay for.
    price_each: price of a conversion, in credits.
    """

    credits: Decimal
    wavs: int
    price_each: Decimal


@event
class LookupAwaited:
    """The service has been asked, and has not answered for a while.

    service: its address.
    asked_for: what it was asked for.
    """

    service: str
    asked_for: str


@event
class KeyStored:
    """`login`: the API key is stored.

    location: the keyring, or a file.
    reason: why it is not the keyring.
    credits: of the account; null if the key was not verified.
    variable: environment variable with another key, which takes precedence.
    """

    base_url: str
    location: str
    reason: str | None
    credits: Decimal | None
    variable: str | None


@event
class KeyRemoved:
    """`logout`: the API key is removed.

    location: where it was; null if there was none.
    variable: environment variable that still holds a key.
    """

    base_url: str
    location: str | None
    variable: str | None


@event
class SettingShown:
    """`config`: a setting.

    value: null if it is not set; durations are in seconds.
    text: the value as one would type it; null if it is not set.
    source: `flag`, `variable`, `file` or `default`.
    origin: name of the flag or variable, or the file and line.
    """

    name: str
    value: object
    text: str | None
    source: str
    origin: str | None


@event
class SettingRead:
    """`config get`: one setting.

    value: null if it is not set; durations are in seconds.
    text: the value as one would type it; null if it is not set.
    """

    name: str
    value: object
    text: str | None


@event
class SecretShown:
    """`config`: whether a secret is set, never its value.

    origin: name of the variable, or the file.
    """

    name: str
    is_set: bool
    origin: str | None


@event
class SecretsIgnored:
    """Others can read `config.toml`, so the secrets in it are not used.

    names: of the secrets that are set in it.
    remedy: what to do about it.
    """

    path: Path
    names: tuple[str, ...]
    remedy: str


@event
class VariableUnknown:
    """A variable is named as the program's own, and means nothing to it.

    suggestion: the name that was probably meant.
    """

    name: str
    suggestion: str | None


@event
class OptionIgnored:
    """An option of the command line has no effect.

    option: as it was typed.
    """

    option: str
    reason: str


@event
class PollIntervalRaised:
    """A service is not asked as often as `--poll-interval` says; one on this machine is.

    asked: the interval of the settings, in seconds.
    poll_interval: the one that is used.
    """

    asked: float
    poll_interval: float


@event
class PathShown:
    """`config`: a file or folder that the program uses."""

    name: str
    path: Path
    exists: bool


@event
class ConfigChanged:
    """`config set` and `config unset`: config.toml is written.

    text: the value as it was typed; null if the setting was removed, or is a secret.
    removed: whether it was to be removed.
    changed: false if there was nothing to remove.
    variable: the environment variable that is set too, and takes precedence; null if there is none.
    current: what counts after a removal, as one would type it; null if nothing does, or if it is a secret.
    origin: where that comes from, such as `default`; null if nothing was to be removed, or for a secret.
    """

    path: Path
    name: str
    text: str | None
    removed: bool
    changed: bool
    variable: str | None
    current: str | None
    origin: str | None


@event
class ConfigLocated:
    """`config --path`: where config.toml is, or would be."""

    path: Path
    exists: bool


AccountEvent: TypeAlias = (
    Balance
    | LookupAwaited
    | KeyStored
    | KeyRemoved
    | SettingShown
    | SettingRead
    | SecretShown
    | SecretsIgnored
    | VariableUnknown
    | OptionIgnored
    | PollIntervalRaised
    | PathShown
    | ConfigLocated
    | ConfigChanged
)
