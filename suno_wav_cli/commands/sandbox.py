"""`sandbox` in the foreground: until somebody presses Ctrl-C."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from suno_wav_cli import events
from suno_wav_cli.errors import ExitCode
from suno_wav_cli.sandbox import run_sandbox
from suno_wav_cli.sandbox.behaviours import BEHAVIOURS, PATTERNS
from suno_wav_cli.system.loopback import address_of, open_port

if TYPE_CHECKING:
    from suno_wav_cli.events import Report
    from suno_wav_cli.models import Secret


def list_ids(report: Report) -> ExitCode:
    listed = {name: behaviour.about for name, behaviour in BEHAVIOURS.items()} | dict(PATTERNS)
    for name, about in listed.items():
        report(events.SandboxId(audio_id=name, about=about))
    return ExitCode.OK


def serve(port: int, *, speed: float, seed: int | None, hmac_key: Secret | None, report: Report) -> ExitCode:
    """Serve until interrupted; callbacks are signed where there is a key. Raises TunnelFailed where the port cannot be opened."""
    with (
        open_port(port) as bound,
        run_sandbox(bound, speed=speed, seed=seed, hmac_key=hmac_key, report=report),
    ):
        report(events.SandboxServing(base_url=address_of(bound), signed=hmac_key is not None))
        # With a bound, because Windows does not wake an unbounded wait for Ctrl-C.
        stop = threading.Event()
        while not stop.wait(timeout=60.0):
            pass
    return ExitCode.OK
