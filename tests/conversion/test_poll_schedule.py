"""Which task is looked up next, and how many lookups there are. The clock is a number here."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suno_wav_cli.conversion.lookup_retry import AskAgain
from suno_wav_cli.conversion.poll_schedule import Pace, PolledTask, Schedule
from tests.support.quick import examples

HERE, THERE = "https://here.example/callback", "https://there.example/callback"
GAP = 0.25
INTERVAL = 30.0
NORMAL = AskAgain(seconds=INTERVAL, at_least=1.0)


def a_schedule(gap: float = GAP) -> Schedule:
    return Schedule(longest=300.0, pace=Pace(gap=gap))


def a_task(name: str, *, callback_url: str | None = HERE, began: float = 0.0) -> PolledTask:
    return PolledTask(task_id=name, callback_url=callback_url, waiter=Waits(), began=began, since=began)


class Waits:
    """These tasks are only scheduled."""

    async def look_up(self) -> None: ...

    def give_up(self) -> None: ...


def play(schedule: Schedule, until: float, *, ends_at: float = float("inf")) -> list[tuple[float, str]]:
    """Look up whatever is next, and let it wait again, until a time. Return when each was looked up."""
    now, done = 0.0, list[tuple[float, str]]()
    while True:
        task = schedule.next_task(now)
        if task is not None:
            done.append((now, task.task_id))
            task.since, task.called = now, False
            if now - task.began < ends_at:
                schedule.add(task, NORMAL)
            continue
        at = schedule.next_time()
        if at is None or at > until:
            return done
        # The hint may be early, but it must lead somewhere.
        now = max(now + 1e-6, at)


def busiest(done: list[tuple[float, str]], seconds: float) -> int:
    """Count the lookups of the busiest time of so many seconds."""
    return max((sum(0 <= other - at < seconds for other, _ in done) for at, _ in done), default=0)


def test_tasks_of_an_earlier_address_keep_the_normal_pace() -> None:
    schedule = a_schedule()
    schedule.set_pauses(2.0, HERE)
    schedule.add(a_task("early"), NORMAL)
    schedule.set_pauses(2.0, THERE)
    schedule.add(a_task("late", callback_url=THERE), NORMAL)
    assert Counter(name for _, name in play(schedule, 125)) == {"early": 4, "late": 2}


def test_one_task_is_looked_up_at_its_interval() -> None:
    schedule = a_schedule()
    schedule.add(a_task("a"), NORMAL)
    assert [round(at) for at, _ in play(schedule, 100)] == [30, 60, 90]


def test_the_pauses_are_longer_while_callbacks_are_expected() -> None:
    schedule = a_schedule()
    schedule.set_pauses(2.0, HERE)
    schedule.add(a_task("a"), NORMAL)
    schedule.add(a_task("resumed", callback_url=None), NORMAL)
    done = [(round(at), name) for at, name in play(schedule, 70)]
    assert sorted(done) == [(30, "resumed"), (60, "a"), (60, "resumed")]


@pytest.mark.parametrize(
    ("seconds", "factor", "pause"), [(30, 1, 30), (30, 2, 60), (30, 4, 120), (200, 4, 300), (600, 4, 600)]
)
def test_a_longer_pause_has_a_bound(seconds: float, factor: float, pause: float) -> None:
    """A callback may be lost. What the user asks for is kept."""
    schedule = a_schedule()
    schedule.set_pauses(factor, HERE)
    task = a_task("a")
    schedule.add(task, AskAgain(seconds=seconds, at_least=0.0))
    assert task.due == pause


def test_when_callbacks_are_missing_the_pauses_that_run_are_shortened() -> None:
    schedule = a_schedule()
    schedule.set_pauses(2.0, HERE)
    schedule.add(a_task("a"), NORMAL)
    assert schedule.next_task(30.0) is None
    schedule.set_pauses(1.0, HERE)
    assert schedule.next_task(30.0) is not None


def test_a_callback_is_followed_at_once_and_then_once_a_second() -> None:
    schedule, task = a_schedule(), a_task("a")
    schedule.add(task, AskAgain(seconds=INTERVAL, at_least=0.0))
    schedule.call(task)
    assert schedule.next_task(0.1) is task
    task.since, task.called = 0.1, False
    schedule.add(task, NORMAL)
    for _ in range(100):
        schedule.call(task)
    assert schedule.next_task(1.0) is None
    assert schedule.next_time() == pytest.approx(1.1)
    assert schedule.next_task(1.1) is task
    assert schedule.next_task(1.1) is None


def test_a_callback_during_the_lookup_is_followed_after_it() -> None:
    schedule, task = a_schedule(), a_task("a")
    schedule.call(task)
    assert schedule.next_task(9.0) is None
    schedule.add(task, NORMAL)
    assert schedule.next_task(1.0) is task


def test_callbacks_do_not_wait_for_the_pace_and_do_not_stop_the_others() -> None:
    schedule = a_schedule()
    late = [a_task(f"late{number}") for number in range(50)]
    for task in late:
        schedule.add(task, NORMAL)
    assert sum(schedule.next_task(100.0) is not None for _ in range(50)) == 4
    called = [a_task(f"called{number}", began=100.0) for number in range(500)]
    for task in called:
        schedule.add(task, AskAgain(seconds=INTERVAL, at_least=0.0))
        schedule.call(task)
    assert [schedule.next_task(100.0) for _ in called] == called
    assert schedule.next_task(100.0) is None
    assert schedule.next_task(101.0) in late


def test_a_lost_tunnel_makes_only_tasks_with_callbacks_due() -> None:
    schedule = a_schedule(gap=0.0)
    schedule.add(a_task("a"), NORMAL)
    schedule.add(a_task("resumed", callback_url=None), NORMAL)
    schedule.hurry(5.0)
    found = schedule.next_task(5.0)
    assert found is not None
    assert found.task_id == "a"
    assert schedule.next_task(5.0) is None


def test_a_task_that_is_removed_has_no_turn() -> None:
    schedule, task = a_schedule(), a_task("a")
    schedule.add(task, NORMAL)
    schedule.call(task)
    schedule.remove(task)
    assert schedule.next_task(99.0) is None
    assert schedule.next_time() is None


@given(st.lists(st.floats(0, 300), min_size=1, max_size=400))
@settings(deadline=None, max_examples=examples(40))
def test_however_many_wait_the_service_gets_a_few_lookups_a_second(began: list[float]) -> None:
    schedule = a_schedule()
    for number, at in enumerate(began):
        schedule.add(a_task(str(number), began=at), NORMAL)
    done = play(schedule, 900)
    assert busiest(done, 1.0) <= 8
    assert len(done) <= 900 / GAP + 4


@given(st.lists(st.floats(0, 60), min_size=1, max_size=300))
@settings(deadline=None, max_examples=examples(40))
def test_each_task_has_its_turn_and_the_longest_overdue_comes_first(began: list[float]) -> None:
    """With more tasks than the pace allows, all of them are asked equally often."""
    schedule = a_schedule()
    for number, at in enumerate(began):
        schedule.add(a_task(str(number), began=at), NORMAL)
    done = play(schedule, 600)
    counts = Counter(name for _, name in done)
    assert len(counts) == len(began)
    assert max(counts.values()) - min(counts.values()) <= 4
    # Nothing waits while there is room: each interval is kept, or else the pace is used up.
    if len(began) * GAP < INTERVAL:
        assert min(counts.values()) >= (600 - 60) // (INTERVAL + 4)


@given(
    st.lists(
        st.tuples(st.sampled_from(["add", "call", "remove", "hurry", "factor", "next"]), st.integers(0, 5)),
        max_size=200,
    )
)
@settings(deadline=None, max_examples=examples(100))
def test_no_task_is_lost_whatever_happens(steps: list[tuple[str, int]]) -> None:
    """A waiting task has exactly one turn, and none before its least pause."""
    schedule, now = a_schedule(), 0.0
    tasks = [a_task(str(number)) for number in range(6)]
    waiting: set[PolledTask] = set()
    for step, number in steps:
        now += 0.7
        task = tasks[number]
        if step == "add" and task not in waiting:
            task.since = now
            schedule.add(task, NORMAL)
            waiting.add(task)
        elif step == "call":
            schedule.call(task)
        elif step == "remove":
            schedule.remove(task)
            waiting.discard(task)
        elif step == "hurry":
            schedule.hurry(now)
        elif step == "factor":
            schedule.set_pauses(float(1 + number % 3), HERE)
        elif step == "next" and (found := schedule.next_task(now)) is not None:
            assert found in waiting
            assert now >= found.earliest
            found.called = False
            waiting.discard(found)
        assert len(schedule) == len(waiting)
        assert (schedule.next_time() is None) == (not waiting)
    for _ in range(1000):
        if (found := schedule.next_task(now)) is not None:
            waiting.remove(found)
        now += 1.0
    assert not waiting
