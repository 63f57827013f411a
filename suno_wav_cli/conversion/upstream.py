"""Which service a command talks with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from suno_wav_cli.api.providers import SANDBOX, provider_named

if TYPE_CHECKING:
    from suno_wav_cli.config.settings import Settings


def is_own_sandbox(settings: Settings) -> bool:
    """Tell whether the service is started for this run, and ends with it."""
    return settings.provider == SANDBOX and settings.base_url is None


def base_url_of(settings: Settings) -> str:
    """Return the address that `--base-url` names, or else the provider's own. Raise UsageError."""
    return settings.base_url or provider_named(settings.provider).base_url
