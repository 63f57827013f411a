"""The account's balance, for commands that need nothing else of the service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from suno_wav_cli.api.client import Client
from suno_wav_cli.api.providers import get_provider
from suno_wav_cli.conversion.slow_answer import tell_if_slow
from suno_wav_cli.system.pacing import Backoff
from suno_wav_cli.system.tls import make_tls_context

if TYPE_CHECKING:
    from decimal import Decimal

    from suno_wav_cli.config.run import Run
    from suno_wav_cli.models import Secret


async def fetch_balance(run: Run, base_url: str, key: Secret) -> Decimal:
    """Return the credits that are left. Raise SunoWavError."""
    provider, backoff = get_provider(run.settings.provider), Backoff(retries=run.settings.lookup_retries)
    tls = make_tls_context(base_url)
    async with Client(
        provider,
        base_url,
        key,
        tls,
        backoff,
        timing=run.api_timing,
        address_from=run.address_from,
        service=run.service_options,
    ) as client:
        with tell_if_slow(run, base_url, "the balance"):
            return await client.fetch_credits()
