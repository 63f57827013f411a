"""What the journal says of the one paid request of a song, whatever becomes of it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from suno_wav_cli.api.error_messages import submission_unknown
from suno_wav_cli.errors import RecordExists, SubmissionUnknown, SunoWavError
from suno_wav_cli.journal.entry import State

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from suno_wav_cli.journal import Journal
    from suno_wav_cli.journal.entry import JournalEntry

_LAST_MOMENT = 0.5
"""Seconds that an interrupted program still waits for the answer to a paid request."""


@dataclass(kw_only=True)
class Payment:
    """The paid request of a song. It has an entry in the journal from the moment at which it leaves."""

    entry: JournalEntry | None = None

    @property
    def recorded(self) -> JournalEntry:
        """The entry of a request that was answered."""
        if self.entry is None:
            raise AssertionError("an answer to a request that has not left")
        return self.entry


@asynccontextmanager
async def paid_request(journal: Journal, payment: Payment) -> AsyncIterator[None]:
    """Record a request that fails as refused, or as unknown if it may have been accepted.

    An answer that names a task, a 409 included, is the caller's to record. After a bug the entry
    stays SUBMITTING, which means unknown.
    """
    try:
        yield
    except RecordExists:
        raise
    except (SunoWavError, asyncio.CancelledError) as error:
        if payment.entry is not None:
            await _record_failure(journal, payment.entry, error)
        raise


async def _record_failure(
    journal: Journal, entry: JournalEntry, error: SunoWavError | asyncio.CancelledError
) -> None:
    match error:
        case asyncio.CancelledError():
            # A second cancellation must not come in between.
            lost = submission_unknown("the program was stopped before the answer came")
            journal.move(entry, State.UNKNOWN, message=lost.message)
        case SubmissionUnknown():
            await journal.when_unlocked(
                lambda: journal.move(
                    entry,
                    State.UNKNOWN,
                    message=error.message,
                    answer=error.answer,
                    candidates=error.candidates or None,
                )
            )
        case _:
            await journal.when_unlocked(lambda: journal.move(entry, State.REFUSED, message=error.message))


async def end_early(request: asyncio.Task[object], payment: Payment) -> None:
    """End a request because the program is to stop, and wait until the journal says what is known.

    What has left is worth a last moment: its answer names what was paid for. A second cancellation
    ends that moment.
    """
    try:
        if payment.entry is not None:
            await asyncio.wait([request], timeout=_LAST_MOMENT)
    finally:
        request.cancel()
        await asyncio.gather(request, return_exceptions=True)
