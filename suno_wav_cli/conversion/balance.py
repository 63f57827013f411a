"""`credits` from its arguments to its exit code, and the question that a batch asks before it pays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from suno_wav_cli.api.client import Client
from suno_wav_cli.api.pricing import WAV_PRICE, count_wavs
from suno_wav_cli.api.providers import get_provider
from suno_wav_cli.config.credentials import get_api_key
from suno_wav_cli.conversion.upstream import open_upstream
from suno_wav_cli.errors import ExitCode
from suno_wav_cli.events import Balance
from suno_wav_cli.system.event_loop import run_async
from suno_wav_cli.system.pacing import Backoff
from suno_wav_cli.system.tls import make_tls_context

if TYPE_CHECKING:
    from decimal import Decimal

    from suno_wav_cli.config.run import Run
    from suno_wav_cli.config.settings import Settings
    from suno_wav_cli.models import Secret


def show_credits(run: Run) -> ExitCode:
    """Raises SunoWavError."""
    settings = run.settings
    key = get_api_key(run.secrets, settings, run.environ)
    with open_upstream(settings, run.report) as base_url:
        left = run_async(ask_credits(settings, base_url, key, settings.lookup_retries))
    run.report(Balance(credits=left, wavs=count_wavs(left), price_each=WAV_PRICE))
    return ExitCode.OK


async def ask_credits(settings: Settings, base_url: str, key: Secret, retries: int) -> Decimal:
    """Ask for what is left, once and up to `retries` times more. Raises SunoWavError."""
    provider = get_provider(settings.provider)
    async with Client(
        provider, base_url, key, make_tls_context(base_url), Backoff(retries=retries)
    ) as client:
        return await client.fetch_credits()
