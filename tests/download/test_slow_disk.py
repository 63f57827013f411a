"""Progress on a disk that is slow to store bytes for good: it is kept, and only when it is stored."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from suno_wav_cli.download.fetch import FetchTimes, Transfer, fetch
from suno_wav_cli.download.part_file import PartFile, open_part
from suno_wav_cli.errors import BrokenOff
from tests.support.context import TARGET, WISHES
from tests.support.program import REPOSITORY, named, read_until, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from suno_wav_cli.journal.parts import PartialFile
    from tests.support.context import Customer
    from tests.support.program import Sandbox

MEBIBYTE = 1024 * 1024
SLOW = "1"
"""Seconds for one fsync."""


@contextmanager
def started_on_a_slow_disk(sandbox: Sandbox, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    program = str(REPOSITORY / "tests" / "support" / "slow_disk.py")
    process = subprocess.Popen(
        [sys.executable, program, SLOW, *arguments, "--json"],
        env={**os.environ, **sandbox.settings, "SUNO_WAV_RETRIES": "0", "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def continued_from(sandbox: Sandbox, audio_id: str) -> int:
    """Finish the song in a second run. Return how many bytes that run found."""
    done = sandbox.run("convert", audio_id, "--out", "song.wav", "--json")
    assert done.code == 0, done.err
    return int(done.named("download_started")[0]["received"])


@pytest.mark.long
@pytest.mark.parametrize("steps", ["cut9m", "stall9m"])
def test_a_run_that_gives_up_keeps_its_progress(sandbox: Sandbox, steps: str) -> None:
    audio_id = f"demo-17mb-cdn-{steps}+slow-disk"
    arguments = ["convert", audio_id, "--out", "song.wav", "--connections", "1", "--stall-timeout", "2s"]
    with started_on_a_slow_disk(sandbox, *arguments) as process:
        process.communicate(timeout=60)
    assert process.returncode == 9
    assert continued_from(sandbox, audio_id) == 9 * MEBIBYTE


@pytest.mark.long
def test_a_run_that_is_interrupted_keeps_its_progress(sandbox: Sandbox) -> None:
    audio_id = "demo-17mb-cdn-trickle6m+slow-disk"
    arguments = ["convert", audio_id, "--out", "song.wav", "--connections", "1"]
    with started_on_a_slow_disk(sandbox, *arguments) as process:
        read_until(process, named("download_started"))
        wait_until(lambda: sandbox.counted("file_bytes", audio_id) > 4 * MEBIBYTE)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 130
    # What the server sent last may still have been on its way.
    assert continued_from(sandbox, audio_id) >= 3 * MEBIBYTE


class WatchedDisk(PartFile):
    """Remembers what had been written when the last sync began."""

    transfer: Transfer
    safe = 0

    def sync(self) -> None:
        written = self.transfer.segments.received
        super().sync()
        self.safe = written


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("steps", ["trickle20m", "trickle20m.cut9m", "trickle5m~4"])
def test_nothing_is_noted_before_it_is_safe(customer: Customer, steps: str) -> None:
    url = customer.order(f"demo-17mb-cdn-{steps}+noted").wav_url or ""
    noted: list[tuple[int, int]] = []
    with open_part(TARGET) as opened:
        part = WatchedDisk(opened.path, opened.file)
        part.transfer = Transfer(url, part, WISHES, connections=4 if "~4" in steps else 1)

        def keep(partial: PartialFile, _fingerprint: str) -> None:
            noted.append((partial.received, part.safe))

        with suppress(BrokenOff):
            asyncio.run(fetch(part.transfer, lambda *_: None, keep, FetchTimes(progress=0.01, note=0.01)))
        last = part.transfer.segments.received
    assert all(0 <= received <= safe for received, safe in noted)
    assert noted[-1][0] == last


class StuckDisk(PartFile):
    """Does not return from a sync until it is released."""

    released: threading.Event

    def sync(self) -> None:
        self.released.wait(60)


def test_a_disk_that_never_answers_does_not_hold_up_who_stops_the_program(customer: Customer) -> None:
    url = customer.order("demo-17mb-cdn-trickle6m+stuck").wav_url or ""
    times = FetchTimes(note=0.01, last_note=0.1)

    async def stop_once_begun(transfer: Transfer) -> None:
        begun = asyncio.Event()
        task = asyncio.create_task(
            fetch(transfer, lambda received, _: begun.set() if received else None, lambda *_: None, times)
        )
        await begun.wait()
        task.cancel()
        async with asyncio.timeout(5):
            with suppress(asyncio.CancelledError):
                await task

    with open_part(TARGET) as opened:
        part = StuckDisk(opened.path, opened.file)
        part.released = threading.Event()
        try:
            asyncio.run(stop_once_begun(Transfer(url, part, WISHES)))
        finally:
            part.released.set()
