"""Our receiver. If given a URL, it also downloads to each target, one file after the other.

    python -m tests.bench.receivers.ours PORT PATH TASK_ID [URL TARGET ...]

It consists of what `convert` receives callbacks with and what it downloads with.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from suno_wav_cli.callbacks.endpoint import CallbackEndpoint, receive_callbacks
from suno_wav_cli.callbacks.handlers import Handlers
from suno_wav_cli.callbacks.notifications import make_notification_handler
from suno_wav_cli.callbacks.tunnel.tunnel import GivenAddress
from suno_wav_cli.download.fetch import DownloadPolicy, RateLimit, Transfer, fetch
from suno_wav_cli.download.part_file import open_part
from suno_wav_cli.system import event_loop
from suno_wav_cli.system.loopback import address_of, bind_socket
from suno_wav_cli.system.signals import Stopped
from suno_wav_cli.system.tls import make_tls_context

if TYPE_CHECKING:
    from suno_wav_cli.events import Event


async def received(port: int, path: str, task_id: str, url: str, targets: list[Path]) -> None:
    """Receive, wait for the task's callbacks and download, until the process is ended."""
    woken = asyncio.Event()

    def wake(named: str) -> None:
        if named == task_id:
            woken.set()

    with bind_socket(port) as bound:
        reception = CallbackEndpoint(
            bound=bound, path=path, tunnel=GivenAddress(public_url=address_of(bound)), required=False
        )
        async with (
            receive_callbacks(reception, Handlers(handle=make_notification_handler(wake, _unsaid))),
            asyncio.TaskGroup() as group,
        ):
            group.create_task(_waited(woken))
            terms = DownloadPolicy(
                tls=make_tls_context(),
                local=True,
                private_hosts=True,
                rate=RateLimit(None),
                max_size=10**9,
                min_speed=1000,
                stall_timeout=20.0,
            )
            for target in targets:
                group.create_task(_downloaded(url, target, terms))


async def _waited(woken: asyncio.Event) -> None:
    while True:
        await woken.wait()
        woken.clear()


async def _downloaded(url: str, target: Path, terms: DownloadPolicy) -> None:
    while True:
        with open_part(target) as part:
            await fetch(Transfer(url, part, terms), lambda _received, _total: None, lambda *_kept: None)


def _unsaid(event: Event) -> None:
    """Print no event, as the peers do not either."""


def main() -> None:
    port, path, task_id, *downloads = sys.argv[1:]
    url, *targets = downloads or [""]
    event_loop.run_async(received(int(port), path, task_id, url, [Path(target) for target in targets]))


if __name__ == "__main__":
    try:
        main()
    except Stopped:
        sys.exit(0)
