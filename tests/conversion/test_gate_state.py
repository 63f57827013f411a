"""When songs are submitted while the service has trouble, with the clock as a value."""

from __future__ import annotations

from dataclasses import replace

import pytest

from suno_wav_cli.config.wait_limits import WaitLimits
from suno_wav_cli.conversion.gate_state import (
    GateRules,
    GateState,
    Move,
    after_answer,
    after_lookup,
    after_refusal,
    after_trouble,
    decide,
)
from suno_wav_cli.errors import NoCredits, ServiceUnavailable, SubmissionUnknown, TooManyRequests

RULES = GateRules(retries=2, timeout=1800.0, limits=WaitLimits())
OPEN = GateState()
BUSY = TooManyRequests("too many requests", "")
AWAY = ServiceUnavailable("away", "")
LOST = SubmissionUnknown("lost", "")


def close(
    state: GateState,
    error: ServiceUnavailable,
    now: float,
    *,
    answered: bool = True,
    left: bool = True,
    epoch: int | None = None,
) -> GateState:
    return after_trouble(
        state,
        error,
        state.epoch if epoch is None else epoch,
        now,
        RULES,
        answered=answered,
        left=left,
        jitter=1.0,
    )


def test_an_open_gate_submits() -> None:
    assert decide(OPEN, 0.0, RULES) == (Move.SUBMIT, 0.0)


def test_too_many_requests_is_tried_by_one_submission_after_growing_pauses() -> None:
    state, now, pauses = OPEN, 0.0, []
    for _ in range(8):
        state = close(state, BUSY, now)
        move, seconds = decide(state, now, RULES)
        assert move is Move.WAIT
        pauses.append(seconds)
        now += seconds
        assert decide(state, now, RULES)[0] is Move.TRY
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]


def test_all_others_wait_for_the_outcome_of_the_trial() -> None:
    trial = replace(close(OPEN, BUSY, 0.0), on_trial=True)
    assert decide(trial, 1.0, RULES)[0] is Move.WAIT
    assert after_answer(trial, trial.epoch) == GateState(epoch=1)


def test_a_pause_that_is_asked_for_is_obeyed_within_bounds() -> None:
    asked = TooManyRequests("too many requests", "", retry_after=30.0)
    assert decide(close(OPEN, asked, 0.0), 0.0, RULES) == (Move.WAIT, 30.0)
    absurd = TooManyRequests("too many requests", "", retry_after=3600.0)
    assert decide(close(OPEN, absurd, 0.0), 0.0, RULES) == (Move.WAIT, 900.0)


@pytest.mark.parametrize("error", [AWAY, LOST])
def test_other_trouble_is_tried_by_the_free_lookup_at_once_and_then_after_pauses(
    error: ServiceUnavailable,
) -> None:
    state = close(OPEN, error, 0.0)
    assert decide(state, 0.0, RULES)[0] is Move.LOOK_UP
    state = after_lookup(state, AWAY, 0.0, RULES, answered=True, jitter=1.0)
    assert decide(state, 0.0, RULES) == (Move.WAIT, 1.0)
    state = after_lookup(state, BUSY, 1.0, RULES, answered=True, jitter=1.0)
    assert decide(state, 1.0, RULES) == (Move.WAIT, 2.0)
    # "Too many requests" in answer to a lookup is no reason to pay.
    assert decide(state, 3.0, RULES)[0] is Move.LOOK_UP
    state = after_lookup(state, None, 3.0, RULES, answered=True, jitter=1.0)
    assert decide(state, 3.0, RULES)[0] is Move.TRY


def test_what_left_before_the_gate_was_closed_makes_no_pause_longer() -> None:
    first = close(OPEN, BUSY, 0.0)
    assert close(first, BUSY, 0.5, epoch=0) == first


def test_what_was_accepted_before_too_many_requests_does_not_open_the_gate() -> None:
    closed = close(OPEN, BUSY, 0.0)
    assert after_answer(closed, 0) == closed
    assert after_answer(closed, closed.epoch) == GateState(epoch=1)
    # Of a service that was away, every answer is news.
    assert after_answer(close(OPEN, AWAY, 0.0), 0).trouble is None


def test_three_unknown_outcomes_in_a_row_are_the_end() -> None:
    state = OPEN
    for moment in range(3):
        assert not state.is_final
        state = close(state, LOST, float(moment))
    assert decide(state, 9.0, RULES) == (Move.STOP, 0.0)


@pytest.mark.parametrize("left", [False, True])
def test_only_an_outcome_ends_the_row_of_unknown_ones(left: bool) -> None:
    """A connection that could not be opened is none."""
    state = close(close(OPEN, LOST, 0.0), LOST, 1.0)
    assert after_answer(state, state.epoch).unknown == 0
    assert close(close(state, AWAY, 2.0, left=left), LOST, 3.0).is_final is not left


def test_the_gate_waits_until_the_timeout() -> None:
    state = close(OPEN, BUSY, 100.0)
    for moment in (200.0, 900.0, 1890.0):
        state = close(state, BUSY, moment)
    assert decide(state, 1890.0, RULES) == (Move.WAIT, 8.0)
    assert decide(state, 1899.9, RULES)[0] is not Move.STOP
    assert decide(state, 1900.0, RULES)[0] is Move.STOP


@pytest.mark.parametrize("error", [AWAY, BUSY])
def test_until_the_service_has_answered_the_retries_decide(error: ServiceUnavailable) -> None:
    """So a mistyped address fails in seconds."""
    state, now = OPEN, 0.0
    for _ in range(RULES.retries):
        state = close(state, error, now, answered=False, left=False)
        move, seconds = decide(state, now, RULES)
        assert move is Move.WAIT
        now += seconds
        assert decide(state, now, RULES)[0] is Move.TRY
    assert now < 5
    state = close(state, error, now, answered=False, left=False)
    assert decide(state, now, RULES)[0] is Move.STOP


def test_after_a_refused_account_nothing_more_is_submitted() -> None:
    state = after_refusal(OPEN, NoCredits("no credits", ""))
    assert decide(state, 0.0, RULES)[0] is Move.STOP
    assert after_answer(state, 0) == state
    assert close(state, BUSY, 0.0) == state
