"""What a song costs that waits at the service: memory alone, and little of it."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING

from suno_wav_cli.conversion.pipeline import AcceptedSong
from suno_wav_cli.conversion.side_by_side import run_all
from suno_wav_cli.conversion.wait import Wait
from suno_wav_cli.models import WavRecord, WavState
from tests.support.account import open_account
from tests.support.context import a_customer

if TYPE_CHECKING:
    from suno_wav_cli.conversion.context import ConversionContext

_SONGS = 500
_BYTES = 1750


def test_a_waiting_song_takes_little_memory() -> None:
    """Ten thousand may wait at once. A coroutine and a timer for each took more than twice as much."""

    async def story() -> float:
        async with customer.waiting() as context:
            return await _measure(context)

    with open_account() as account, a_customer(account) as customer:
        assert asyncio.run(story()) < _BYTES


async def _measure(context: ConversionContext) -> float:
    """Let songs wait. Return the bytes that each of them takes."""
    record, all_wait, begun = WavRecord(task_id="t", state=WavState.PENDING), asyncio.Event(), []

    async def keep(number: int, finish: object) -> None:
        """Nothing is saved here."""

    async def begin(number: int) -> AcceptedSong:
        begun.append(number)
        if len(begun) == _SONGS:
            all_wait.set()
        decided = Wait(context, f"task-{number}", None, record, new=True).decided
        return AcceptedSong(context=context, row=number, target=Path(), decided=decided)

    gc.collect()
    tracemalloc.start()
    try:
        run = asyncio.create_task(run_all(begin, keep, range(_SONGS)))
        await all_wait.wait()
        await asyncio.sleep(0)
        gc.collect()
        taken = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)
    return taken / _SONGS
