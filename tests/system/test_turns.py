"""Room for a few at a time, in the order of their numbers."""

from __future__ import annotations

import asyncio

from suno_wav_cli.system.turns import Turns


def test_the_lowest_number_comes_first() -> None:
    async def story() -> list[int]:
        turns, order = Turns(1), list[int]()

        async def take(number: int) -> None:
            await turns.enter(number)
            order.append(number)
            turns.leave()

        await turns.enter(0)
        waiting = [asyncio.create_task(take(number)) for number in (3, 1, 2)]
        await asyncio.sleep(0)
        turns.leave()
        await asyncio.gather(*waiting)
        return order

    assert asyncio.run(story()) == [1, 2, 3]


def test_who_is_cancelled_takes_no_room() -> None:
    """Not even in the moment at which the room was given."""

    async def story() -> None:
        turns = Turns(1)
        await turns.enter(0)
        first, second = (asyncio.create_task(turns.enter(number)) for number in (1, 2))
        await asyncio.sleep(0)
        turns.leave()
        first.cancel()
        async with asyncio.timeout(5):
            await second
        turns.leave()
        await turns.enter(3)

    asyncio.run(story())
