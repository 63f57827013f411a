"""The API's client of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from suno_wav_cli.api.client import Client
from suno_wav_cli.api.providers import get_provider
from suno_wav_cli.system.pacing import Backoff

if TYPE_CHECKING:
    import ssl

    from suno_wav_cli.config.run import Run
    from suno_wav_cli.models import Secret


def make_client(
    run: Run, base_url: str, key: Secret, tls: ssl.SSLContext, *, retries: int | None = None
) -> Client:
    """Return a client for the run's provider. `retries` replaces the settings'. Raise UsageError as `open_http`."""
    return Client(
        get_provider(run.settings.provider),
        base_url,
        key,
        tls,
        Backoff(retries=run.settings.lookup_retries if retries is None else retries),
        timing=run.api_timing,
        address_from=run.address_from,
        service=run.service_options,
    )
