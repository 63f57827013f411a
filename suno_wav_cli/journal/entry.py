"""A conversion as the journal knows it: where it stands, and where it may go from there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decimal import Decimal
    from pathlib import Path


class State(StrEnum):
    """Where a conversion stands. The first three are about the paid request, the others about an accepted task."""

    SUBMITTING = "submitting"
    """The paid request may be on its way. Found after a crash, this means: outcome unknown."""
    UNKNOWN = "unknown"
    """The paid request left and its answer was lost."""
    REFUSED = "refused"
    """Certainly not accepted, and so not paid for."""
    SUBMITTED = "submitted"
    READY = "ready"
    """The service has made the file."""
    SAVED = "saved"
    FAILED = "failed"
    """Accepted, and the service could not make the file."""


UNDECIDED = frozenset({State.SUBMITTING, State.UNKNOWN})
UNSAVED = frozenset({State.SUBMITTED, State.READY})
NOTHING_TO_FETCH = frozenset({State.REFUSED, State.FAILED})

_OF_A_TASK = frozenset({State.READY, State.SAVED, State.FAILED})
NEXT_STATES: dict[State, frozenset[State]] = {
    State.SUBMITTING: frozenset({State.SUBMITTED, State.REFUSED, State.UNKNOWN}),
    State.UNKNOWN: frozenset(),
    State.REFUSED: frozenset(),
    State.SUBMITTED: _OF_A_TASK,
    State.READY: _OF_A_TASK,
    State.SAVED: _OF_A_TASK,
    State.FAILED: _OF_A_TASK,
}
"""An accepted task goes where the service's last word puts it, for two programs may follow the same one."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """Whom a conversion is paid to: the API's base URL, the provider's name, and how long it keeps a file."""

    base_url: str
    provider: str
    kept_days: int


@dataclass(frozen=True, kw_only=True)
class SavedFile:
    """A file that was saved from a conversion, as it was then; an earlier version of the journal had no digests."""

    path: Path
    bytes: int
    sha256: str | None


@dataclass(frozen=True, kw_only=True)
class JournalEntry:
    """One conversion. Times are seconds since 1970, UTC.

    `service` is the API's base URL, `provider` the name of its contract. `target` is where the file shall go, or went
    last; `bytes` the size of the file that was saved last. The service deletes the file at `expires`, or before:
    it had accepted the task by the time that this is counted from. `credits_before` is the account's balance before
    the paid request, where it was asked for. `title` is the song's, where `tracks` has seen it.
    """

    id: int
    service: str
    provider: str
    audio_id: str | None
    music_task_id: str | None
    wav_task_id: str | None
    state: State
    target: Path | None
    wav_url: str | None
    bytes: int | None
    message: str | None
    created: float
    updated: float
    expires: float | None
    credits_before: Decimal | None
    title: str | None

    @property
    def name(self) -> str:
        """What a person knows it by: the song, else the task."""
        return self.audio_id or self.wav_task_id or ""
