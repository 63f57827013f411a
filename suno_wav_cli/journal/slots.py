"""The slots of the window: how many submissions an account may make, by all programs with one journal.

A slot is free again a whole window after the *answer*. The service counted the submission before its
answer came, so delays on the way cannot make it count more than the window allows.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from suno_wav_cli.journal.database import Database
    from suno_wav_cli.models import SubmissionWindow

_MARGIN = 1.0002
"""A little more than the window, because the service's clock may tick differently."""

_CLOCK_SET_BACK = 1.0
"""A slot that lies further in the future was taken before the clock was set back. It says nothing."""


class WindowFull(Exception):
    """The window takes no submission for `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


@dataclass(frozen=True, kw_only=True)
class Slot:
    """A submission, in seconds since 1970.

    It left at `due`, or a little later. `counted` is when the service has certainly counted it: when
    its answer came, or until then the moment at which the answer is waited for no longer.
    """

    due: float
    counted: float


def find_turn(slots: Sequence[Slot], window: SubmissionWindow, now: float) -> float:
    """Return when the next submission is due.

    That is a part of the window after the one before, and not before fewer than all slots are held.
    A submission that is late by less than half of such a part does not delay those after it.
    """
    spacing = window.seconds / window.submissions
    past = [slot for slot in slots if slot.due <= now + _CLOCK_SET_BACK]
    last = max((slot.due for slot in past), default=float("-inf"))
    due = max(last + spacing, now - spacing / 2)
    ends = sorted(slot.counted + window.seconds * _MARGIN for slot in past)
    free = ends[-window.submissions] if len(ends) >= window.submissions else due
    return max(due, free)


class Slots:
    """The slots of one service's account."""

    def __init__(self, database: Database, service: str) -> None:
        self._database = database
        self._service = service

    def delay(self, window: SubmissionWindow) -> float:
        """Return how many seconds the next submission has to wait."""
        now = time.time()
        return max(0.0, find_turn(self._read(), window, now) - now)

    def take(self, conversion: int, window: SubmissionWindow, *, answer_within: float) -> None:
        """Take a slot for a conversion's paid request, inside the transaction that records it.

        It is given back by the row's next step. Without one, it is held until the time for the answer
        and a window have passed. Raise WindowFull.
        """
        now = time.time()
        due = find_turn(self._read(), window, now)
        if due > now:
            raise WindowFull(due - now)
        self._database.execute(
            "DELETE FROM slot WHERE service = ? AND (counted < ? OR due > ?)",
            self._service,
            now - window.seconds * _MARGIN,
            now + _CLOCK_SET_BACK,
        )
        self._database.execute(
            "INSERT INTO slot VALUES (?, ?, ?, ?)", conversion, self._service, due, now + answer_within
        )

    def _read(self) -> list[Slot]:
        rows = self._database.rows("SELECT due, counted FROM slot WHERE service = ?", self._service)
        return [Slot(due=due, counted=counted) for due, counted in rows]
