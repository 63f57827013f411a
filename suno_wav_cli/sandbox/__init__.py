"""The Suno WAV API on this machine, to try the tool, to write a receiver, and for tests."""

from __future__ import annotations

from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING

from suno_wav_cli.callbacks.sender import ServiceTiming
from suno_wav_cli.callbacks.server import serve_in_thread
from suno_wav_cli.models import SubmissionWindow
from suno_wav_cli.sandbox.cdn.connection import CdnProtocol
from suno_wav_cli.sandbox.routes import make_app
from suno_wav_cli.sandbox.service import Service
from suno_wav_cli.sandbox.task_file import TaskFile
from suno_wav_cli.system.loopback import address_of

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator
    from pathlib import Path

    from suno_wav_cli.events import Event, Report
    from suno_wav_cli.models import Secret


def _discard(_event: Event) -> None:
    """Report nothing: a sandbox inside another command must not write to its terminal."""


@contextmanager
def run_sandbox(
    bound: socket.socket,
    *,
    speed: float = 1.0,
    seed: int | None = None,
    credits_left: Decimal | int = 100,
    window: SubmissionWindow = SubmissionWindow(),
    hmac_key: Secret | None = None,
    tasks: Path | None = None,
    answer_timeout: float = 15.0,
    report: Report = _discard,
) -> Iterator[Service]:
    """Serve on `bound` from a thread until the block is left. `report` is called from that thread.

    The account has `credits_left`, and takes as many submissions as `window` says, in the sandbox's
    own time: `speed` divides it, but not `answer_timeout`, the seconds that a receiver of callbacks
    has. They are signed if `hmac_key` is given. `tasks` is the file that keeps the tasks for the next
    sandbox.
    """
    service = Service(
        speed=speed,
        seed=seed,
        credits_left=Decimal(credits_left),
        window=window,
        hmac_key=hmac_key,
        kept=None if tasks is None else TaskFile(tasks),
        timing=ServiceTiming(answer=answer_timeout).at_speed(speed),
    )
    service.restore_tasks(f"{address_of(bound)}/")
    with serve_in_thread(make_app(service, report), bound, CdnProtocol):
        yield service
