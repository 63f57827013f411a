"""How long a run waits for the service, and how often an answer must come before it is believed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Repetition:
    """An answer counts when it has come `times` times in a row, over at least so many `seconds`."""

    times: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class WaitLimits:
    """What ends the wait for a task besides its record, and the pauses between lookups, in seconds.

    A task that is paid for must not be given up because of one odd answer: a proxy, a challenge page
    or a rate limit may answer in place of the service at any time (api/README.md, section 4).
    """

    key_refused: Repetition = Repetition(times=3, seconds=60.0)
    """Where the key has worked in this run. Otherwise the first refusal counts."""

    failure_code: Repetition = Repetition(times=3, seconds=60.0)
    """A code that speaks of the conversion itself."""

    task_unknown: Repetition = Repetition(times=3, seconds=120.0)
    """For a task that the journal does not know, or that the service has deleted by now."""

    unusable_url: Repetition = Repetition(times=5, seconds=120.0)

    least_pause: float = 1.0
    """Otherwise a stranger who finds the callback's path could make the program hurry."""

    first_pause: float = 2.0
    longest_pause: float = 300.0
    """After a refused lookup the pause is doubled, from the first to the longest."""

    lookup_gap: float = 0.25
    """Between two lookups of a run, in the long run, however many songs wait."""

    callback_grace: float = 15.0
    """How long a callback may come after a lookup that found its task decided."""

    unknown_task: float = 600.0
    """How long `listen` follows a task that the journal does not know."""

    longest_retry_after: float = 900.0
    """Half the default `--timeout`, so that one odd answer leaves time for another lookup."""

    submission_pause: float = 1.0
    longest_submission_pause: float = 60.0
    """While no song is submitted, the pauses before the service is tried again are doubled."""
