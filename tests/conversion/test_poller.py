"""The poller of a run: turns for the songs that wait, and callbacks that may come too early."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from suno_wav_cli.config.settings import Settings
from suno_wav_cli.config.wait_limits import WaitLimits
from suno_wav_cli.conversion.lookup_retry import AskAgain
from suno_wav_cli.conversion.poller import Poller

if TYPE_CHECKING:
    from suno_wav_cli.events import Event

HERE, THERE = "https://here.example/callback", "https://there.example/callback"
AT_ONCE = AskAgain(seconds=0.0, at_least=0.0)
LATER = AskAgain(seconds=600.0, at_least=0.0)


def a_poller() -> Poller:
    events: list[Event] = []
    return Poller(Settings(), WaitLimits(), events.append)


def test_early_callbacks_are_remembered_up_to_a_limit() -> None:
    """The oldest is forgotten: a flood costs a song a delay, and the program no memory."""

    async def story() -> list[bool]:
        poller = a_poller()
        for number in range(257):
            poller.wake(str(number))
        return [poller.follow(name, callback_url=HERE).called for name in ("0", "1", "256")]

    assert asyncio.run(story()) == [False, True, True]


def test_an_early_callback_is_remembered_for_one_wait_only() -> None:
    async def story() -> list[bool]:
        poller = a_poller()
        poller.wake("a")
        return [poller.follow("a", callback_url=HERE).called for _ in range(2)]

    assert asyncio.run(story()) == [True, False]


def test_a_callback_gives_its_song_the_turn() -> None:
    async def story() -> None:
        poller = a_poller()
        tasks = [poller.follow(name, callback_url=HERE) for name in "abc"]
        async with asyncio.timeout(5), asyncio.TaskGroup() as group:
            turns = [group.create_task(poller.turn(task, LATER)) for task in tasks]
            await asyncio.sleep(0)
            poller.wake("b")
            await turns[1]
            assert [turn.done() for turn in turns] == [False, True, False]
            for turn in turns:
                turn.cancel()

    asyncio.run(story())


def test_two_songs_that_wait_for_one_task_both_have_their_turns() -> None:
    async def story() -> None:
        poller = a_poller()
        async with asyncio.timeout(5):
            await asyncio.gather(
                *(poller.turn(poller.follow("a", callback_url=None), AT_ONCE) for _ in range(2))
            )

    asyncio.run(story())


def test_songs_that_are_cancelled_in_their_turn_leave_it_to_others() -> None:
    """More of them than lookups at once: otherwise the last one would never be asked for."""

    async def story() -> None:
        poller = a_poller()
        turns = [
            asyncio.create_task(poller.turn(poller.follow(str(number), callback_url=HERE), LATER))
            for number in range(100)
        ]
        await asyncio.sleep(0)
        for number, turn in enumerate(turns):
            poller.wake(str(number))
            turn.cancel()
        await asyncio.gather(*turns, return_exceptions=True)
        async with asyncio.timeout(5):
            await poller.turn(poller.follow("last", callback_url=None), AT_ONCE)

    asyncio.run(story())


def test_a_lost_tunnel_wakes_the_songs_that_expect_a_callback() -> None:
    async def story() -> None:
        poller = a_poller()
        poller.expect_callbacks(HERE)
        async with asyncio.timeout(5):
            turn = asyncio.create_task(poller.turn(poller.follow("a", callback_url=HERE), LATER))
            await asyncio.sleep(0)
            poller.expect_callbacks(None)
            await turn

    asyncio.run(story())
