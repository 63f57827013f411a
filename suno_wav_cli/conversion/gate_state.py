"""Whether songs may be submitted, decided from the answers so far and the clock alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import TYPE_CHECKING

from suno_wav_cli.errors import ServiceUnavailable, SubmissionUnknown, TooManyRequests

if TYPE_CHECKING:
    from suno_wav_cli.config.wait_limits import WaitLimits
    from suno_wav_cli.errors import SunoWavError

_MOST_UNKNOWN = 3
"""Unknown outcomes in a row, after which nothing more is paid for."""
_FIRST_TRY, _LONGEST_TRY = 0.5, 10.0
"""Seconds between the first tries of a service that has not answered yet."""


class Move(Enum):
    SUBMIT = auto()
    TRY = auto()
    """Submit one song, and wait for its answer before the next."""
    LOOK_UP = auto()
    """Make the free lookup of the balance: the service may be away."""
    WAIT = auto()
    STOP = auto()


@dataclass(frozen=True, kw_only=True)
class GateRules:
    """`retries` count as long as the service has not answered in this run, then `timeout` does."""

    retries: int
    timeout: float
    limits: WaitLimits


@dataclass(frozen=True, kw_only=True)
class GateState:
    """What is known of the service. Times are monotonic seconds.

    `trouble` is why the gate is closed, `since` when it was closed, and `until` when the service is
    tried again. `failures` have come in a row. A balance must be looked up first if `needs_lookup`.
    With `on_trial`, one submission is under way. After `is_final` nothing is submitted any more.
    `unknown` counts unknown outcomes in a row. `epoch` counts how often the gate was closed: what was
    submitted before says nothing new.
    """

    trouble: SunoWavError | None = None
    since: float = 0.0
    until: float = 0.0
    failures: int = 0
    needs_lookup: bool = False
    on_trial: bool = False
    is_final: bool = False
    unknown: int = 0
    epoch: int = 0


def decide(state: GateState, now: float, rules: GateRules) -> tuple[Move, float]:
    """Return what to do next, and for WAIT the seconds until the state has to be looked at again."""
    if state.is_final:
        return Move.STOP, 0.0
    if state.trouble is None:
        return Move.SUBMIT, 0.0
    end = state.since + rules.timeout
    if now >= end:
        return Move.STOP, 0.0
    if state.on_trial:
        return Move.WAIT, end - now
    if now < state.until:
        return Move.WAIT, min(state.until, end) - now
    return (Move.LOOK_UP if state.needs_lookup else Move.TRY), 0.0


def after_answer(state: GateState, epoch: int) -> GateState:
    """Open the gate: the service has decided about a song that was submitted in this epoch.

    What was accepted before "too many requests" does not show that there is room again.
    """
    if state.is_final:
        return state
    is_old = epoch < state.epoch and isinstance(state.trouble, TooManyRequests)
    return replace(state, unknown=0) if is_old else GateState(epoch=state.epoch)


def after_refusal(state: GateState, error: SunoWavError) -> GateState:
    """Close the gate for good: the account has no credits, or its key was refused."""
    return replace(state, trouble=error, is_final=True, epoch=state.epoch + 1)


def after_trouble(
    state: GateState,
    error: ServiceUnavailable,
    epoch: int,
    now: float,
    rules: GateRules,
    *,
    answered: bool,
    left: bool,
    jitter: float,
) -> GateState:
    """Close the gate, or keep it closed for longer.

    The service has `answered` in this run before. `left` if the request has left, so that it has an
    outcome. `jitter`, from 0.5 to 1, spreads programs that wait for the same service.
    """
    if state.is_final:
        return state
    unknown = state.unknown
    if isinstance(error, SubmissionUnknown):
        unknown += 1
    elif left:
        unknown = 0
    # What never answered may be mistyped. Then another submission is as good as a lookup.
    needs_lookup = (
        state.needs_lookup
        or isinstance(error, SubmissionUnknown)
        or (answered and not isinstance(error, TooManyRequests))
    )
    if epoch < state.epoch and state.trouble is not None:
        # It left before the gate was closed.
        state = replace(state, needs_lookup=needs_lookup, unknown=unknown)
        return replace(state, trouble=error, is_final=True) if unknown >= _MOST_UNKNOWN else state
    failures = state.failures + 1
    return GateState(
        trouble=error,
        since=now if state.trouble is None else state.since,
        until=now
        + max(
            jitter * _pause(failures - needs_lookup, rules.limits if answered else None),
            min(error.retry_after or 0.0, rules.limits.longest_retry_after),
        ),
        failures=failures,
        needs_lookup=needs_lookup,
        is_final=unknown >= _MOST_UNKNOWN or (not answered and failures > rules.retries),
        unknown=unknown,
        epoch=state.epoch + 1,
    )


def after_lookup(
    state: GateState,
    error: ServiceUnavailable | None,
    now: float,
    rules: GateRules,
    *,
    answered: bool,
    jitter: float,
) -> GateState:
    """Note what the lookup of the balance has shown. `error` if the service is still away."""
    if error is None:
        return replace(state, needs_lookup=False, until=now)
    return after_trouble(state, error, state.epoch, now, rules, answered=answered, left=False, jitter=jitter)


def _pause(failures: int, limits: WaitLimits | None) -> float:
    """Return the seconds after so many failures. There are no limits for a service that never answered."""
    if failures == 0:
        return 0.0
    first = _FIRST_TRY if limits is None else limits.submission_pause
    longest = _LONGEST_TRY if limits is None else limits.longest_submission_pause
    # Bounded, because 2.0**1024 overflows.
    return min(longest, first * 2.0 ** min(failures - 1, 60))
