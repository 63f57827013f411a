"""When to try again, and how fast to submit: as the server counts, and not as the client wishes."""

from __future__ import annotations

import asyncio
import random
import time
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from suno_wav_cli.system.pacing import Backoff, RateWindow

SECONDS = 0.2


@example(retries=1100, first=0.5, cap=10.0, seed=0)
@given(
    retries=st.integers(0, 100),
    first=st.floats(0.001, 100),
    cap=st.floats(0.001, 1000),
    seed=st.integers(0, 2**32),
)
def test_delays_double_up_to_the_cap_between_half_and_the_whole(
    retries: int, first: float, cap: float, seed: int
) -> None:
    delays = list(Backoff(retries=retries, first=first, cap=cap).delays(random.Random(seed)))
    assert len(delays) == retries
    for attempt, delay in enumerate(delays):
        nominal = min(cap, first * 2.0 ** min(attempt, 60))
        assert nominal / 2 <= delay <= nominal


@given(retries=st.integers(0, 30))
def test_all_delays_together_are_bounded(retries: int) -> None:
    backoff = Backoff(retries=retries)
    assert sum(backoff.delays()) <= retries * backoff.cap


def test_clients_spread_out() -> None:
    delays = [next(Backoff(retries=1).delays()) for _ in range(50)]
    assert max(delays) - min(delays) > 0.05


def test_the_same_seed_gives_the_same_delays() -> None:
    backoff = Backoff(retries=10)
    assert list(backoff.delays(random.Random(7))) == list(backoff.delays(random.Random(7)))


async def counted_by_a_server(size: int, songs: int, seed: int) -> list[float]:
    """Submit through a network with random delays. Return when the server counted each."""
    jitter = random.Random(seed)
    window = RateWindow(size, SECONDS)
    counted = []

    async def submit(there: float, back: float) -> None:
        async with window.slot():
            await asyncio.sleep(there)
            counted.append(time.monotonic())
            await asyncio.sleep(back)

    async with asyncio.TaskGroup() as group:
        for _ in range(songs):
            group.create_task(submit(jitter.uniform(0, SECONDS / 2), jitter.uniform(0, SECONDS / 2)))
    return sorted(counted)


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(("size", "seed"), [(1, 1), (3, 2), (5, 3)])
def test_no_server_counts_more_than_the_window_allows(size: int, seed: int) -> None:
    """Of any `size` + 1 in a row, the last comes a whole window after the first."""
    counted = asyncio.run(counted_by_a_server(size, songs=3 * size, seed=seed))
    assert len(counted) == 3 * size
    # A timer may be a hair early; a clock tick is nothing to the service, whose window is a little shorter than ours.
    assert all(
        later - earlier > SECONDS - 0.001 for earlier, later in zip(counted, counted[size:], strict=False)
    )


def test_the_first_submissions_do_not_wait_and_the_next_waits_once() -> None:
    async def story() -> list[float]:
        window = RateWindow(3, SECONDS)
        start = time.monotonic()
        passed = []
        for _ in range(4):
            async with window.slot():
                passed.append(time.monotonic() - start)
        return passed

    first, second, third, fourth = asyncio.run(story())
    assert max(first, second, third) < SECONDS
    assert SECONDS - 0.001 < fourth < 20 * SECONDS


def test_waiting_submissions_get_slots_in_order() -> None:
    async def story() -> list[int]:
        window = RateWindow(1, 0.01)
        order: list[int] = []

        async def one(number: int) -> None:
            async with window.slot():
                order.append(number)

        async with asyncio.TaskGroup() as group:
            for number in range(8):
                group.create_task(one(number))
        return order

    numbers = asyncio.run(story())
    assert all(earlier < later for earlier, later in pairwise(numbers))


def test_a_failed_submission_frees_its_slot_after_the_window_too() -> None:
    """The server may have counted it."""

    async def fail(window: RateWindow) -> None:
        async with window.slot():
            raise ConnectionError

    async def story() -> float:
        window = RateWindow(1, SECONDS)
        start = time.monotonic()
        with pytest.raises(ConnectionError):
            await fail(window)
        async with window.slot():
            return time.monotonic() - start

    assert SECONDS - 0.001 < asyncio.run(story()) < 20 * SECONDS


def test_a_cancelled_wait_takes_no_slot() -> None:
    async def story() -> bool:
        window = RateWindow(1, SECONDS)
        async with window.slot():
            pass

        async def wait() -> None:
            async with window.slot():
                raise AssertionError("the window was not over")

        waiting = asyncio.create_task(wait())
        await asyncio.wait([waiting], timeout=SECONDS / 10)
        waiting.cancel()
        await asyncio.wait([waiting])
        async with asyncio.timeout(5), window.slot():
            return waiting.cancelled()

    assert asyncio.run(story()) is True
