"""One song's way through the gate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from suno_wav_cli.conversion.resume_hint import command_for
from suno_wav_cli.errors import ServiceUnavailable
from suno_wav_cli.system.shell_words import say_how

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(kw_only=True)
class Pass:
    """A song's way through the gate.

    If it `is_planned`, the plan pays for it. It has room for a connection, its turn is near, its
    request is in flight; then it is begun. `epoch` is the gate's when it came near; with `is_trial`,
    all others wait for its outcome. If the service was not ready for it, it is tried again until
    `refused_until`, and if the journal was locked, until `locked_until`. `was_closed` if the service
    has closed the connection that was opened for it.
    """

    audio_id: str
    number: int
    is_planned: bool
    is_begun: bool = False
    epoch: int = 0
    is_trial: bool = False
    refused_until: float | None = None
    is_given_up: bool = False
    locked_until: float | None = None
    was_closed: bool = False
    has_room: bool = False
    is_near: bool = False
    is_in_flight: bool = False

    def refuse(self, number: int, now: float, timeout: float) -> None:
        """Note that the service was not ready for the song, which goes on with another number."""
        self.number = number
        if self.refused_until is None:
            self.refused_until = now + timeout
        self.is_given_up = now >= self.refused_until

    def note_closed(self, service: Sequence[str]) -> None:
        """Note that the service has closed the connection before the turn.

        It may do so with one that waits. Raise ServiceUnavailable if it does so with the next, too.
        `service` are the options that lead a command to the service.
        """
        self.was_closed = not self.was_closed
        if not self.was_closed:
            raise ServiceUnavailable(
                "the service closes its connections before anything is sent",
                say_how("Try again in a while, or look closer", *command_for(service, "doctor")),
            )
