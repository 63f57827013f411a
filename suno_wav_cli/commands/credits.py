"""`credits`: what is left in the account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from suno_wav_cli.api.pricing import WAV_PRICE, count_wavs
from suno_wav_cli.config.api_key import find_api_key, require_key
from suno_wav_cli.conversion.balance import fetch_balance
from suno_wav_cli.conversion.context import open_service
from suno_wav_cli.errors import ExitCode
from suno_wav_cli.events.account import Balance
from suno_wav_cli.system.event_loop import run_async

if TYPE_CHECKING:
    from suno_wav_cli.config.run import Run


def show_credits(run: Run) -> ExitCode:
    """Report the balance. Raise SunoWavError."""
    key = require_key(run, find_api_key(run))
    with open_service(run) as base_url:
        left = run_async(fetch_balance(run, base_url, key))
    run.report(Balance(credits=left, wavs=count_wavs(left), price_each=WAV_PRICE))
    return ExitCode.OK
