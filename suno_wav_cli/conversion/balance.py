"""The account's balance, for commands that need nothing else of the service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from suno_wav_cli.conversion.api_client import make_client
from suno_wav_cli.conversion.slow_answer import tell_if_slow
from suno_wav_cli.system.tls import make_tls_context

if TYPE_CHECKING:
    from decimal import Decimal

    from suno_wav_cli.config.run import Run
    from suno_wav_cli.models import Secret


async def fetch_balance(run: Run, base_url: str, key: Secret) -> Decimal:
    """Return the credits that are left. Raise SunoWavError."""
    async with make_client(run, base_url, key, make_tls_context(base_url)) as client:
        with tell_if_slow(run, base_url, "the balance"):
            return await client.fetch_credits()
