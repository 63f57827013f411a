"""`sandbox`: the service on this machine, in the foreground until Ctrl-C."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from suno_wav_cli.errors import ExitCode
from suno_wav_cli.events import commands
from suno_wav_cli.sandbox import run_sandbox
from suno_wav_cli.sandbox.behaviours import BEHAVIOURS
from suno_wav_cli.sandbox.demo_ids import PATTERNS
from suno_wav_cli.system.loopback import address_of, open_port

if TYPE_CHECKING:
    from decimal import Decimal

    from suno_wav_cli.config.run import Run
    from suno_wav_cli.models import SubmissionWindow


def list_ids(run: Run) -> ExitCode:
    listed = {name: behaviour.about for name, behaviour in BEHAVIOURS.items()} | dict(PATTERNS)
    for name, about in listed.items():
        run.report(commands.SandboxId(audio_id=name, description=about))
    return ExitCode.OK


def serve(
    run: Run,
    *,
    port: int,
    speed: float,
    seed: int | None,
    credits_left: Decimal,
    window: SubmissionWindow,
    answer_timeout: float,
) -> ExitCode:
    """Serve until interrupted, and sign callbacks if there is a webhook key.

    Raise TunnelFailed if the port cannot be opened.
    """
    hmac_key = run.secrets.hmac_key
    with (
        open_port(port) as bound,
        run_sandbox(
            bound,
            speed=speed,
            seed=seed,
            credits_left=credits_left,
            window=window,
            answer_timeout=answer_timeout,
            hmac_key=hmac_key,
            report=run.report,
        ),
    ):
        run.report(commands.SandboxServing(base_url=address_of(bound), signed=hmac_key is not None))
        # With a timeout, because Windows does not interrupt an endless wait on Ctrl-C.
        stop = threading.Event()
        while not stop.wait(timeout=60.0):
            pass
    return ExitCode.OK
