"""What the journal says of the one paid request of a song, whatever becomes of it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
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


@asynccontextmanager
async def paid_request(journal: Journal, entry: JournalEntry, sent: asyncio.Event) -> AsyncIterator[None]:
    """Record a request that fails as refused, or as unknown if it may have been accepted.

    `sent` is set when the request begins to leave. An answer that names a task, a 409 included, is
    the caller's to record. After a bug the entry stays SUBMITTING, which means unknown.
    """
    try:
        yield
    except RecordExists:
        raise
    except SubmissionUnknown as error:
        message, answer, candidates = error.message, error.answer, error.candidates
        await journal.when_unlocked(
            lambda: journal.move(
                entry, State.UNKNOWN, message=message, answer=answer, candidates=candidates or None
            )
        )
        raise
    except SunoWavError as error:
        message = error.message
        await journal.when_unlocked(lambda: journal.move(entry, State.REFUSED, message=message))
        raise
    except asyncio.CancelledError:
        if sent.is_set():
            lost = submission_unknown("the program was stopped before the answer came")
            journal.move(entry, State.UNKNOWN, message=lost.message)
        else:
            journal.move(entry, State.REFUSED, message="stopped before it was sent")
        raise


async def end_early(request: asyncio.Task[object], sent: asyncio.Event) -> None:
    """End a request because the program is to stop, and wait until the journal says what is known.

    What has left is worth a last moment: its answer names what was paid for. A second cancellation
    ends that moment.
    """
    try:
        if sent.is_set():
            await asyncio.wait([request], timeout=_LAST_MOMENT)
    finally:
        request.cancel()
        await asyncio.gather(request, return_exceptions=True)
