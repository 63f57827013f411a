"""A conversion as the journal knows it: where it stands, and where it may go from there."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from decimal import Decimal
    from pathlib import Path


class State(StrEnum):
    """Where a conversion stands.

    The first four are about the paid request, the others about a task that was accepted.
    """

    SUBMITTING = "submitting"
    """The paid request may be on its way. Found after a crash: the outcome is unknown."""
    UNKNOWN = "unknown"
    """The paid request left, and it is not known which task it made, if any."""
    REFUSED = "refused"
    """Certainly not accepted, so not paid for."""
    EXISTS = "exists"
    """Not accepted: the service has a WAV of the song already, but its task is not known."""
    SUBMITTED = "submitted"
    READY = "ready"
    """The service has made the file."""
    SAVED = "saved"
    FAILED = "failed"
    """Accepted, but the service could not make the file."""
    FORGOTTEN = "forgotten"
    """Accepted, but the service no longer knows the task."""


UNDECIDED = frozenset({State.SUBMITTING, State.UNKNOWN})
UNSAVED = frozenset({State.SUBMITTED, State.READY})
NOT_ACCEPTED = frozenset({State.REFUSED, State.EXISTS})
GIVEN_UP = frozenset({State.FAILED, State.FORGOTTEN})
RESUBMITTABLE = UNDECIDED | GIVEN_UP
"""What `--resubmit` pays for again: the file will not come by itself."""

_OF_A_TASK = frozenset({State.SUBMITTED, State.READY, State.SAVED, State.FAILED, State.FORGOTTEN})
NEXT_STATES: dict[State, frozenset[State]] = {
    State.SUBMITTING: frozenset({State.SUBMITTED, State.REFUSED, State.EXISTS, State.UNKNOWN}),
    State.UNKNOWN: frozenset({State.SUBMITTED, State.REFUSED}),
    State.REFUSED: frozenset(),
    State.EXISTS: frozenset({State.SUBMITTED, State.REFUSED}),
    State.SUBMITTED: _OF_A_TASK,
    State.READY: _OF_A_TASK,
    State.SAVED: _OF_A_TASK,
    State.FAILED: _OF_A_TASK,
    State.FORGOTTEN: _OF_A_TASK,
}
"""An accepted task goes where the service's last answer puts it: two programs may follow it.

Where the outcome was not known, the task may turn out to be another row's: this one is REFUSED then.
"""


@dataclass(frozen=True, kw_only=True)
class Account:
    """Who is paid for conversions: the API's base URL and the provider's name.

    The provider keeps a file for `kept_days`.
    """

    base_url: str
    provider: str
    kept_days: int


@dataclass(frozen=True, kw_only=True)
class SavedFile:
    """A file that was saved from a conversion, as it was then.

    `sha256` is None in rows of the journal's first version.
    """

    path: Path
    bytes: int
    sha256: str | None

    def is_unchanged(self) -> bool:
        """Tell whether the file is there, with these very bytes."""
        with suppress(OSError), self.path.open("rb") as file:
            return self.sha256 == hashlib.file_digest(file, "sha256").hexdigest()
        return False


@dataclass(frozen=True, kw_only=True, slots=True)
class JournalEntry:
    """One conversion. Times are seconds since 1970, UTC.

    `service` is the API's base URL, `provider` the name of its contract. `target` is the file that
    the song will become, or last became, and `bytes` the size of the file saved last. The service
    deletes its file at `expires` or before; that is counted from the moment at which the journal
    learned of the task. `credits_before` is the balance before the paid request, if it was looked
    up, and `credits` what the task has really cost, if the service tells. `answer` is the beginning
    of an answer to the paid request that was not understood, and `candidates` the ids in it that
    may be the task's. `run` has made the paid request. `title` is the song's, if `tracks` has seen
    it.
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
    credits: Decimal | None
    answer: str | None
    candidates: tuple[str, ...]
    run: str | None
    title: str | None

    @property
    def name(self) -> str:
        """The song's id, or else the task's."""
        return self.audio_id or self.wav_task_id or ""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """The conversion that decides about a song: a `new` one, to be paid for now, or an earlier one."""

    entry: JournalEntry
    new: bool


class Changes(TypedDict, total=False):
    """What a step of a conversion may record besides its state: fields of `JournalEntry`."""

    wav_task_id: str | None
    target: Path | None
    wav_url: str | None
    message: str | None
    answer: str | None
    candidates: tuple[str, ...] | None
    credits: Decimal | None
