"""The account's balance, for commands that need nothing else of the service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from suno_wav_cli.api.client import Client
from suno_wav_cli.api.providers import get_provider
from suno_wav_cli.system.pacing import Backoff
from suno_wav_cli.system.tls import make_tls_context

if TYPE_CHECKING:
    from decimal import Decimal

    from suno_wav_cli.config.settings import Settings
    from suno_wav_cli.models import Secret


async def fetch_balance(settings: Settings, base_url: str, key: Secret) -> Decimal:
    """Return the credits that are left. Raise SunoWavError."""
    provider, backoff = get_provider(settings.provider), Backoff(retries=settings.lookup_retries)
    async with Client(provider, base_url, key, make_tls_context(base_url), backoff) as client:
        return await client.fetch_credits()
