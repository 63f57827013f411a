"""The service that a command talks with: where it is, and its start where it is this program's own sandbox."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from suno_wav_cli.config.settings import base_url_of, is_own_sandbox
from suno_wav_cli.events import SandboxStarted
from suno_wav_cli.system.loopback import address_of, bind_socket

if TYPE_CHECKING:
    from collections.abc import Iterator

    from suno_wav_cli.config.settings import Settings
    from suno_wav_cli.events import Report


@contextmanager
def open_upstream(settings: Settings, report: Report) -> Iterator[str]:
    """Yield the service's address. Raises UsageError."""
    if not is_own_sandbox(settings):
        yield base_url_of(settings)
        return
    from suno_wav_cli.sandbox import run_sandbox

    with bind_socket(0) as bound, run_sandbox(bound):
        base_url = address_of(bound)
        report(SandboxStarted(base_url=base_url))
        yield base_url
