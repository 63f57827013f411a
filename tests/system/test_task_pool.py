"""Coroutines side by side: what their end means for those who wait."""

from __future__ import annotations

import asyncio

import pytest

from suno_wav_cli.system.task_pool import TaskPool


def test_one_that_is_cancelled_alone_ends_nothing_else() -> None:
    async def run() -> str:
        pool = TaskPool()
        pool.start(asyncio.sleep(60)).cancel()
        await pool.finish()
        return "finished"

    assert asyncio.run(run()) == "finished"


def test_cancelled_coroutines_clean_up_before_their_pool_is_left() -> None:
    """A download still writes to the journal, which is closed after that."""
    cleaned = []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            cleaned.append("up")

    async def run() -> None:
        pool = TaskPool()
        pool.start(work())
        await asyncio.sleep(0)
        await pool.cancel()
        assert cleaned == ["up"]

    asyncio.run(run())


def test_the_first_exception_is_raised_and_known() -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    async def run() -> None:
        pool = TaskPool()
        pool.start(fail())
        with pytest.raises(ZeroDivisionError):
            await pool.finish()
        assert isinstance(pool.over.exception(), ZeroDivisionError)

    asyncio.run(run())
