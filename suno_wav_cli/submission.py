"""The paid request: adopted where it was made before, made at most once otherwise, and journalled around.

SUBMITTING stands in the journal exactly while a request may be on its way. A program that dies then leaves an outcome
that nobody knows, and nothing here pays again for it without being told to.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from suno_wav_cli.errors import (
    NoCredits,
    NotAuthorized,
    RecordExists,
    ServiceUnavailable,
    SubmissionUnknown,
    SunoWavError,
)
from suno_wav_cli.events import Adopted, SongFailed, SubmissionDelayed, Submitted
from suno_wav_cli.journal import UNDECIDED, UNFINISHED, State
from suno_wav_cli.refusals import PAY_AGAIN, submission_unknown

if TYPE_CHECKING:
    from suno_wav_cli.client import Client
    from suno_wav_cli.events import Report
    from suno_wav_cli.journal import Entry, Journal
    from suno_wav_cli.models import Order
    from suno_wav_cli.pacing import Backoff, SubmissionWindow

_LAST_MOMENT = 0.5
"""Seconds that an interrupted program still waits for the answer to a paid request."""


@dataclass
class Gate:
    """What every submission of a run passes through. Once the account is refused, nothing more is sent."""

    window: SubmissionWindow
    refusal: SunoWavError | None = None


@dataclass(frozen=True)
class Accepted:
    """A conversion that the service has taken; `new` where it was submitted by this very call."""

    entry: Entry
    new: bool


@dataclass(frozen=True)
class Submitter:
    client: Client
    journal: Journal
    gate: Gate
    backoff: Backoff
    callback_url: str
    resubmit: bool
    report: Report

    async def accepted(self, order: Order) -> Accepted:
        """See to it that the service has accepted the song's conversion, now or before.

        Raises SubmissionUnknown where a paid request may have been accepted, and else what `Client.submit` raises.
        """
        known = self.journal.newest(order.song.audio_id)
        if known is not None:
            if self.resubmit:
                if known.state in UNDECIDED | UNFINISHED:
                    self.journal.move(known, State.ABANDONED)
            elif known.state in UNFINISHED or known.state is State.SAVED:
                return self._adopted(known, "paid for before")
            elif known.state in UNDECIDED:
                raise _undecided(known)
        return await self._submitted(order)

    async def _submitted(self, order: Order) -> Accepted:
        delays = self.backoff.delays()
        while True:
            async with self.gate.window.slot():
                if self.gate.refusal is not None:
                    raise self.gate.refusal
                try:
                    return await self._paid_request_to_its_end(order)
                except SubmissionUnknown:
                    raise
                except ServiceUnavailable as error:
                    delay = next(delays, None)
                    if delay is None:
                        raise
                    self.report(SubmissionDelayed(order.song.audio_id, error.message, delay))
                except (NotAuthorized, NoCredits) as error:
                    self.gate.refusal = error
                    raise
            await asyncio.sleep(delay)

    async def _paid_request_to_its_end(self, order: Order) -> Accepted:
        request = asyncio.ensure_future(self._paid_request(order))
        try:
            return await asyncio.shield(request)
        except asyncio.CancelledError:
            await asyncio.wait([request], timeout=_LAST_MOMENT)
            if request.cancel():
                error = submission_unknown("the program was stopped before the answer came")
                self.report(
                    SongFailed(order.song.audio_id, None, error.exit_code, error.message, error.remedy)
                )
            await asyncio.gather(request, return_exceptions=True)
            raise

    async def _paid_request(self, order: Order) -> Accepted:
        entry = self.journal.intend(order.song, order.target)
        if entry is None:
            raise SubmissionUnknown(
                "another suno-wav is converting this song right now",
                "Let it finish, then run this command again.",
            )
        try:
            task_id = await self.client.submit(order.song, self.callback_url)
        except RecordExists as exists:
            return self._existing(entry, exists)
        except SubmissionUnknown as error:
            self.journal.move(entry, State.UNKNOWN, message=error.message)
            raise
        except SunoWavError as error:
            self.journal.move(entry, State.REFUSED, message=error.message)
            raise
        entry = self.journal.move(entry, State.SUBMITTED, wav_task_id=task_id)
        self.report(Submitted(order.song.audio_id, task_id))
        return Accepted(entry, new=True)

    def _existing(self, entry: Entry, exists: RecordExists) -> Accepted:
        """409 succeeds where the answer or the journal knows the task (contract/wav-api.md, section 3)."""
        if exists.task_id is not None:
            known = self.journal.of_task(exists.task_id)
        else:
            known = self.journal.newest_task_of(entry.audio_id or "")
        if known is None and exists.task_id is not None:
            entry = self.journal.move(entry, State.SUBMITTED, wav_task_id=exists.task_id)
            return self._adopted(entry, "the service had it already")
        self.journal.move(entry, State.REFUSED, message=exists.message)
        if known is None:
            raise exists
        return self._adopted(known, "the service had it already")

    def _adopted(self, entry: Entry, reason: str) -> Accepted:
        self.report(Adopted(entry.name, entry.wav_task_id or "", reason))
        return Accepted(entry, new=False)


def _undecided(entry: Entry) -> SubmissionUnknown:
    if entry.message is not None:
        return SubmissionUnknown(entry.message, PAY_AGAIN)
    return submission_unknown(
        "a run ended, or another is still at work, between sending the request and its answer"
    )
