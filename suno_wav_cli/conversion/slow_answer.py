"""A word to the user while a command does nothing but wait for an answer of the service."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

from suno_wav_cli.events.account import LookupAwaited

if TYPE_CHECKING:
    from collections.abc import Iterator

    from suno_wav_cli.config.run import Run


@contextmanager
def tell_if_slow(run: Run, service: str, asked_for: str) -> Iterator[None]:
    """Report after two seconds what the service was asked for, unless it has answered."""
    awaited = LookupAwaited(service=service, asked_for=asked_for)
    timer = asyncio.get_running_loop().call_later(run.api_timing.notice, run.report, awaited)
    try:
        yield
    finally:
        timer.cancel()
