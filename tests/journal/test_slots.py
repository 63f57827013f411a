"""The window of submissions: never more than the service allows, as the service counts."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suno_wav_cli.journal import Journal, open_journal
from suno_wav_cli.journal.entry import Account, JournalEntry, State
from suno_wav_cli.journal.slots import Slot, WindowFull, find_turn
from suno_wav_cli.models import Song, SubmissionWindow

WINDOW = SubmissionWindow()
NOW = 1_000_000.0
ACCOUNT = Account(base_url="https://api.example", provider="sunoapi", kept_days=15)
FILE = Path("journal.sqlite3")


def test_the_first_submission_does_not_wait() -> None:
    assert find_turn([], WINDOW, NOW) <= NOW


def test_submissions_are_a_part_of_the_window_apart() -> None:
    last = Slot(due=NOW - 0.1, counted=NOW)
    assert find_turn([last], WINDOW, NOW) == pytest.approx(NOW + 0.4)


def test_a_late_submission_does_not_delay_the_next_one() -> None:
    """But it does not bring about a burst either."""
    last = Slot(due=NOW - 0.6, counted=NOW)
    assert find_turn([last], WINDOW, NOW) == pytest.approx(NOW - 0.1)
    long_ago = Slot(due=NOW - 60, counted=NOW)
    assert find_turn([long_ago], WINDOW, NOW) == pytest.approx(NOW - 0.25)


def test_a_full_window_waits_for_the_first_answer_and_ten_seconds() -> None:
    slots = [Slot(due=NOW - 10 + n / 2, counted=NOW - 9 + n / 2) for n in range(20)]
    assert NOW + 1 < find_turn(slots, WINDOW, NOW) < NOW + 1.01


def test_without_an_answer_a_slot_is_held_until_ten_seconds_after_its_deadline() -> None:
    slots = [Slot(due=NOW - 20, counted=NOW + 300) for _ in range(20)]
    assert NOW + 310 < find_turn(slots, WINDOW, NOW) < NOW + 310.01


def test_a_clock_that_was_set_back_holds_nothing_up() -> None:
    slots = [Slot(due=NOW + 3600, counted=NOW + 3600) for _ in range(20)]
    assert find_turn(slots, WINDOW, NOW) <= NOW


@given(
    submissions=st.integers(1, 30),
    seconds=st.floats(0.1, 100),
    seed=st.integers(0, 2**32),
    slowest=st.floats(0, 5),
)
def test_no_server_counts_more_than_the_window(
    submissions: int, seconds: float, seed: int, slowest: float
) -> None:
    """However long requests and answers take, each counted one is a window after the one N before it."""
    window, chance = SubmissionWindow(submissions=submissions, seconds=seconds), random.Random(seed)
    now, slots, counted = NOW, list[Slot](), list[float]()
    for _ in range(3 * submissions + 2):
        # A program may be late, and its clock is that of the machine.
        now = max(now, find_turn(slots, window, now)) + chance.uniform(0, seconds / 50)
        arrives = now + chance.uniform(0, slowest)
        slots.append(Slot(due=find_turn(slots, window, now), counted=arrives + chance.uniform(0, slowest)))
        counted.append(arrives)
    counted.sort()
    # Numbers as large as the time of day have no more digits.
    assert all(
        later - earlier > seconds - 1e-6
        for earlier, later in zip(counted, counted[submissions:], strict=False)
    )


def claim(journal: Journal, name: str, window: SubmissionWindow = WINDOW) -> JournalEntry:
    return journal.claim(
        Song(audio_id=name),
        Path("song.wav"),
        authorize=lambda row: journal.slots.take(row, window, answer_within=300.0),
    ).entry


def test_the_second_submission_waits_and_leaves_no_row() -> None:
    with open_journal(None, ACCOUNT) as journal:
        assert journal.slots.delay(WINDOW) == 0
        claim(journal, "audio-1")
        assert 0 < journal.slots.delay(WINDOW) <= 0.5
        with pytest.raises(WindowFull) as full:
            claim(journal, "audio-2")
        assert 0 < full.value.seconds <= 0.5
        assert journal.songs_named("audio-2") == []


@pytest.mark.parametrize(
    ("state", "answer", "is_held"),
    [
        pytest.param(State.SUBMITTED, None, False, id="accepted"),
        pytest.param(State.REFUSED, None, False, id="refused"),
        pytest.param(State.UNKNOWN, "half an answer", False, id="not understood"),
        pytest.param(State.UNKNOWN, None, True, id="lost"),
        pytest.param(None, None, True, id="killed"),
    ],
)
def test_the_answer_gives_the_slot_back(state: State | None, answer: str | None, is_held: bool) -> None:
    """A window of one: it is free again a hundred seconds after the answer, or after the deadline."""
    window = SubmissionWindow(submissions=1, seconds=100.0)
    with open_journal(FILE, ACCOUNT) as journal:
        entry = claim(journal, "audio-1", window)
        if state is State.SUBMITTED:
            journal.accept(entry, "task-1")
        elif state is not None:
            journal.move(entry, state, answer=answer)
    with open_journal(FILE, ACCOUNT) as later:
        assert (later.slots.delay(window) > 200) is is_held
        other = Account(base_url="https://other.example", provider="kie", kept_days=15)
    with open_journal(FILE, other) as elsewhere:
        assert elsewhere.slots.delay(window) == 0
