"""The service of a command that names none, and the options that lead one to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from suno_wav_cli.api.providers import PROVIDERS, SANDBOX, SUNOAPI
from suno_wav_cli.config.settings import Settings, choose_one
from suno_wav_cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from suno_wav_cli.config.file import ConfigFile

_UNUSABLE = ""
"""A value that cannot be read: without the option, there would be an error."""


@dataclass(frozen=True, kw_only=True)
class UsualService:
    """What the environment and config.toml say, else the default. None is the provider's own address."""

    provider: str = Settings.provider
    base_url: str | None = Settings.base_url

    def options_to(self, provider: str, base_url: str | None) -> tuple[str, ...]:
        """Return the options that lead a command to a service. None or SANDBOX is the provider's own address.

        Each is left out only if the command goes there without it, both as things are and without any
        settings: a variable may have been set for one command alone, and the next one be pasted.
        """
        own = _own_address(provider)
        address = base_url or own
        options = () if self.provider == provider == SUNOAPI.name else ("--provider", provider)
        is_own = address == own and self.base_url in (None, own)
        # The sandbox of a run has no address that could be named.
        return options if is_own or address in (None, SANDBOX) else (*options, "--base-url", address)


def find_usual_service(environ: Mapping[str, str], config: ConfigFile) -> UsualService:
    """Return the service of a command with the same environment and config.toml, and without options."""

    def find(name: str, default: str | None) -> Any:
        try:
            return choose_one(name, default, {}, environ, config).value
        except UsageError:
            return _UNUSABLE

    return UsualService(
        provider=find("provider", Settings.provider), base_url=find("base_url", Settings.base_url)
    )


def _own_address(provider: str) -> str | None:
    """Return None for a provider that is not known any more."""
    if provider == SANDBOX:
        return SANDBOX
    known = PROVIDERS.get(provider)
    return known.base_url if known else None
