"""The poller of a run: turns for the tasks that are waited for, and callbacks that may come too early."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from suno_wav_cli.config.settings import Settings
from suno_wav_cli.config.wait_limits import WaitLimits
from suno_wav_cli.conversion.lookup_retry import AskAgain
from suno_wav_cli.conversion.poller import Poller

if TYPE_CHECKING:
    from suno_wav_cli.conversion.poll_schedule import PolledTask
    from suno_wav_cli.events import Event

HERE = "https://here.example/callback"
AT_ONCE = AskAgain(seconds=0.0, at_least=0.0)
LATER = AskAgain(seconds=600.0, at_least=0.0)


def a_poller() -> Poller:
    events: list[Event] = []
    return Poller(Settings(), WaitLimits(), events.append)


@dataclass
class Turns:
    """A poller, and the tasks that had their turns. A lookup of `slow` ones never ends."""

    poller: Poller = field(default_factory=a_poller)
    names: list[str] = field(default_factory=list)
    slow: frozenset[str] = frozenset()
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def follow(self, name: str, step: AskAgain, *, callback_url: str | None = HERE) -> PolledTask:
        task = self.poller.follow(name, Turn(turns=self, name=name), callback_url=callback_url)
        self.poller.schedule(task, step)
        return task

    def take(self, name: str) -> None:
        self.names.append(name)
        self.changed.set()

    async def have(self, count: int) -> list[str]:
        async with asyncio.timeout(60):
            while len(self.names) < count:
                self.changed.clear()
                await self.changed.wait()
        return self.names


@dataclass
class Turn:
    """What waits for one of the tasks."""

    turns: Turns
    name: str

    async def look_up(self) -> None:
        self.turns.take(self.name)
        if self.name in self.turns.slow:
            await asyncio.Event().wait()

    def give_up(self) -> None:
        self.turns.take(f"{self.name} given up")


def test_early_callbacks_are_remembered_up_to_a_limit() -> None:
    """The oldest is forgotten: a flood costs a song a delay, and the program no memory."""

    async def story() -> list[bool]:
        turns = Turns()
        for number in range(257):
            turns.poller.wake(str(number))
        return [turns.follow(name, LATER).called for name in ("0", "1", "256")]

    assert asyncio.run(story()) == [False, True, True]


def test_an_early_callback_is_remembered_for_one_wait_only() -> None:
    async def story() -> list[bool]:
        turns = Turns()
        turns.poller.wake("a")
        return [turns.follow("a", LATER).called for _ in range(2)]

    assert asyncio.run(story()) == [True, False]


def test_a_callback_gives_its_song_the_turn() -> None:
    async def story() -> list[str]:
        turns = Turns()
        for name in "abc":
            turns.follow(name, LATER)
        turns.poller.wake("b")
        return await turns.have(1)

    assert asyncio.run(story()) == ["b"]


def test_two_songs_that_wait_for_one_task_both_have_their_turns() -> None:
    async def story() -> list[str]:
        turns = Turns()
        for _ in range(2):
            turns.follow("a", AT_ONCE, callback_url=None)
        return await turns.have(2)

    assert asyncio.run(story()) == ["a", "a"]


def test_waits_that_end_in_their_turn_leave_it_to_others() -> None:
    """More of them than lookups at once: otherwise the last one would never be asked for."""

    async def story() -> list[str]:
        songs = [str(number) for number in range(100)]
        turns = Turns(slow=frozenset(songs))
        for name in songs:
            task = turns.follow(name, LATER)
            turns.poller.wake(name)
            turns.poller.forget(task)
        for name in songs[:50]:
            task = turns.follow(name, LATER)
            turns.poller.wake(name)
            await asyncio.sleep(0)
            turns.poller.forget(task)
        turns.follow("last", AT_ONCE, callback_url=None)
        while "last" not in turns.names:
            await turns.have(len(turns.names) + 1)
        return turns.names

    assert asyncio.run(story())[-1] == "last"


def test_a_lost_tunnel_wakes_the_songs_that_expect_a_callback() -> None:
    async def story() -> list[str]:
        turns = Turns()
        turns.poller.expect_callbacks(HERE)
        turns.follow("a", LATER)
        turns.poller.expect_callbacks(None)
        return await turns.have(1)

    assert asyncio.run(story()) == ["a"]


def test_a_wait_is_given_up_at_its_end_however_long_its_lookup_takes() -> None:
    """The ends need not come in the order in which the waits began."""

    async def story() -> list[str]:
        turns = Turns(slow=frozenset("a"))
        now = time.monotonic()
        for name, step, seconds in (
            ("a", AT_ONCE, 0.4),
            ("b", LATER, 0.2),
            ("c", LATER, 0.3),
            ("d", LATER, 60),
        ):
            turns.poller.limit(turns.follow(name, step), now + seconds)
        return await turns.have(4)

    assert asyncio.run(story()) == ["a", "b given up", "c given up", "a given up"]


def test_a_wait_whose_time_was_up_before_is_given_up_at_once() -> None:
    async def story() -> list[str]:
        turns = Turns()
        turns.poller.limit(turns.follow("a", LATER), time.monotonic() - 1.0)
        return turns.names

    assert asyncio.run(story()) == ["a given up"]


def test_a_wait_that_has_ended_is_not_given_up() -> None:
    async def story() -> list[str]:
        turns = Turns()
        now = time.monotonic()
        for name, seconds in (("a", 0.1), ("b", 0.2)):
            task = turns.follow(name, LATER)
            turns.poller.limit(task, now + seconds)
            if name == "a":
                turns.poller.forget(task)
        return await turns.have(1)

    assert asyncio.run(story()) == ["b given up"]
