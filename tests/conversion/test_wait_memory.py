"""What a song costs that waits at the service: memory alone, and little of it."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from suno_wav_cli.conversion.pipeline import AcceptedSong
from suno_wav_cli.conversion.side_by_side import run_all
from suno_wav_cli.conversion.wait import Wait
from suno_wav_cli.models import WavRecord, WavState
from tests.support.account import open_account
from tests.support.context import a_customer

if TYPE_CHECKING:
    from suno_wav_cli.conversion.context import ConversionContext

_SONGS = 500
_BYTES = 2000


@pytest.mark.parametrize("state", [WavState.PENDING, WavState.READY])
def test_a_waiting_song_takes_little_memory(state: WavState) -> None:
    """Ten thousand may wait at once, for the service or for their downloads.

    A coroutine and a timer for each took more than twice as much, and one in the middle of its
    download four times as much.
    """

    async def story() -> float:
        async with customer.waiting() as context:
            return await _measure(context, state)

    with open_account() as account, a_customer(account) as customer:
        assert asyncio.run(story()) < _BYTES


async def _measure(context: ConversionContext, state: WavState) -> float:
    """Let songs wait, and the few that have a slot for their downloads. Return the bytes that each takes."""
    all_wait, begun = asyncio.Event(), list[int]()

    async def keep(*_: object) -> None:
        await asyncio.Event().wait()

    async def begin(number: int) -> AcceptedSong:
        begun.append(number)
        if len(begun) == _SONGS:
            all_wait.set()
        url = f"https://cdn.example/{number}.wav" if state is WavState.READY else None
        record = WavRecord(task_id=f"task-{number}", state=state, url=url)
        decided = Wait(context, record.task_id, None, record, new=True).decided
        return AcceptedSong(context=context, row=number, target=Path(), decided=decided)

    gc.collect()
    tracemalloc.start()
    try:
        run = asyncio.create_task(run_all(begin, keep, range(_SONGS), context.downloads))
        await all_wait.wait()
        for _ in range(5):
            await asyncio.sleep(0)
        gc.collect()
        taken = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)
    return taken / _SONGS
