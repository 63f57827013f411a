"""One song's way through the gate."""

from __future__ import annotations

from dataclasses import dataclass

_MOST_REFUSALS = 3
"""Times that a song is refused alone, as if the service were in maintenance, before it has failed."""


@dataclass(kw_only=True)
class Pass:
    """A song's way through the gate.

    If it `is_planned`, the plan pays for it. It has room for a connection, its turn is near, its
    request is in flight; then it is begun. `epoch` is the gate's when it came near; with `is_trial`,
    all others wait for its outcome. The service was not ready for it `refusals` times, and had
    accepted `accepted_before` songs at the first. The journal is waited for until `locked_until`.
    """

    audio_id: str
    number: int
    is_planned: bool
    is_begun: bool = False
    epoch: int = 0
    is_trial: bool = False
    refusals: int = 0
    accepted_before: int = 0
    is_given_up: bool = False
    locked_until: float | None = None
    has_room: bool = False
    is_near: bool = False
    is_in_flight: bool = False

    def refuse(self, number: int, accepted: int) -> None:
        """Note that the service was not ready for the song, which goes on with another number.

        Several times, with others `accepted` in between, mean that it does not take this very song.
        """
        self.number = number
        if not self.refusals:
            self.accepted_before = accepted
        self.refusals += 1
        self.is_given_up = self.refusals >= _MOST_REFUSALS and accepted > self.accepted_before
