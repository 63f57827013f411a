"""The paid request: adopted where it was made before, made at most once otherwise, and journalled around.

SUBMITTING stands in the journal exactly while a request may be on its way. A program that dies then leaves an outcome
that nobody knows, and nothing here pays again for it without being told to.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from suno_wav_cli.api.error_messages import PAY_AGAIN, submission_unknown
from suno_wav_cli.api.providers import PROVIDERS
from suno_wav_cli.conversion.resume_hint import command_for
from suno_wav_cli.errors import (
    NoCredits,
    NotAuthorized,
    RecordExists,
    ServiceUnavailable,
    SubmissionUnknown,
    SunoWavError,
    UsageError,
)
from suno_wav_cli.events import Resumed, SongFailed, SubmissionDelayed, Submitted, Submitting
from suno_wav_cli.journal.entry import UNDECIDED, State

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from decimal import Decimal

    from suno_wav_cli.api.client import Client
    from suno_wav_cli.events import Report
    from suno_wav_cli.journal import Journal
    from suno_wav_cli.journal.entry import JournalEntry
    from suno_wav_cli.models import Order
    from suno_wav_cli.system.pacing import Backoff, RateWindow

_LAST_MOMENT = 0.5
"""Seconds that an interrupted program still waits for the answer to a paid request."""


@dataclass(kw_only=True)
class SubmissionGate:
    """What every submission of a run passes through. Once the account is refused, nothing more is sent.

    `allowance` is how many songs may still be paid for, None where nobody has limited it.
    """

    window: RateWindow
    allowance: int | None = None
    refusal: SunoWavError | None = None

    def let_pass(self) -> None:
        """Count one more song that is paid for. Raises NoCredits where none is allowed."""
        if self.allowance is None:
            return
        if self.allowance == 0:
            raise NoCredits(
                "to pay for this song too would exceed --max-credits",
                "It became necessary only now, by what another program has done. Run the same command again.",
            )
        self.allowance -= 1


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """A conversion that the service has taken; `new` where it was submitted by this very call."""

    entry: JournalEntry
    new: bool


@dataclass(frozen=True, kw_only=True)
class Submitter:
    client: Client
    journal: Journal
    gate: SubmissionGate
    backoff: Backoff
    callback_url: asyncio.Future[str | None]
    resubmit: bool
    balance: Decimal | None
    continue_with: Callable[[Sequence[str]], str]
    report: Report

    async def accepted(self, order: Order) -> Accepted:
        """See to it that the service has accepted the song's conversion, now or before.

        Raises SubmissionUnknown where a paid request may have been accepted, and else what `Client.submit` raises.
        """
        known = None if self.resubmit else self.journal.current_entry(order.song.audio_id)
        if known is not None:
            return self._known(known)
        self.gate.let_pass()
        # Only what is submitted now has to wait for the tunnel. Shielded: one song's end must not end it.
        callback_url = await asyncio.shield(self.callback_url)
        delays = self.backoff.delays()
        while True:
            try:
                return await self._submitted(order, callback_url)
            except SubmissionUnknown:
                raise
            except ServiceUnavailable as error:
                delay = next(delays, None)
                if delay is None:
                    raise
                self.report(
                    SubmissionDelayed(audio_id=order.song.audio_id, reason=error.message, seconds=delay)
                )
            except (NotAuthorized, NoCredits) as error:
                self.gate.refusal = error
                raise
            await asyncio.sleep(delay)

    async def _submitted(self, order: Order, callback_url: str | None) -> Accepted:
        """Make one paid request, once the window has room for it and if nobody has made it meanwhile."""
        if self.gate.refusal is not None:
            raise self.gate.refusal
        async with self.gate.window.slot():
            if self.gate.refusal is not None:
                raise self.gate.refusal
            claim = self.journal.claim(
                order.song, order.target, anyway=self.resubmit, credits_before=self.balance
            )
            if not claim.new:
                return self._known(claim.entry)
            self.report(Submitting(audio_id=order.song.audio_id))
            sent = asyncio.Event()
            request = asyncio.ensure_future(self._paid_request(claim.entry, order, callback_url, sent))
            try:
                return await asyncio.shield(request)
            except asyncio.CancelledError:
                # What has left is worth a last moment: its answer names what was paid for.
                if sent.is_set():
                    await asyncio.wait([request], timeout=_LAST_MOMENT)
                request.cancel()
                await asyncio.gather(request, return_exceptions=True)
                if not sent.is_set():
                    self.journal.move(claim.entry, State.REFUSED, message="stopped before it was sent")
                raise

    async def _paid_request(
        self, entry: JournalEntry, order: Order, callback_url: str | None, sent: asyncio.Event
    ) -> Accepted:
        song = order.song
        try:
            task_id = await self.client.submit(song, callback_url, sent)
        except RecordExists as exists:
            return self._existing(entry, exists)
        except SubmissionUnknown as error:
            self.journal.move(entry, State.UNKNOWN, message=error.message)
            raise
        except SunoWavError as error:
            self.journal.move(entry, State.REFUSED, message=error.message)
            raise
        except asyncio.CancelledError:
            if sent.is_set():
                lost = submission_unknown("the program was stopped before the answer came")
                self.journal.move(entry, State.UNKNOWN, message=lost.message)
                self.report(
                    SongFailed(
                        audio_id=song.audio_id,
                        task_id=None,
                        exit_code=lost.exit_code,
                        message=lost.message,
                        remedy=lost.remedy,
                    )
                )
            raise
        try:
            accepted = self.journal.accept(entry, task_id)
        except UsageError as error:
            # Nobody could find the task again.
            raise UsageError(
                f"the song was accepted as task {task_id}, but {error.message}",
                f"It is paid for. To continue: {self.continue_with([task_id])}",
            ) from error
        self.report(Submitted(audio_id=song.audio_id, task_id=task_id))
        return Accepted(entry=accepted, new=accepted.id == entry.id)

    def _existing(self, entry: JournalEntry, exists: RecordExists) -> Accepted:
        """409 succeeds where the answer or the journal knows the task (api/README.md, section 3)."""
        if exists.task_id is not None:
            return self._adopted(self.journal.accept(entry, exists.task_id), "the service had it already")
        audio_id = entry.audio_id or ""
        known = self.journal.newest_task_of(audio_id)
        self.journal.move(entry, State.REFUSED, message=exists.message)
        if known is None:
            raise self._explained(audio_id, exists)
        return self._adopted(known, "the service had it already")

    def _explained(self, audio_id: str, exists: RecordExists) -> RecordExists:
        """Say what this machine knows of a conversion whose task nobody names."""
        lost = self.journal.current_entry(audio_id)
        if lost is not None:
            said = f"{exists.message}; so the request whose answer was lost here was accepted"
            return RecordExists(said, exists.remedy, None)
        other = self.journal.history.elsewhere(audio_id, self.client.base_url)
        if other is not None:
            line = command_for(other.provider, other.service, "resume", [other.wav_task_id or audio_id])
            remedy = f"This machine converted it at {other.service}. To fetch it from there: {line}"
            return RecordExists(exists.message, remedy, None)
        return exists

    def _known(self, entry: JournalEntry) -> Accepted:
        if PROVIDERS.get(entry.provider) is not self.client.provider:
            raise other_contract(entry)
        if entry.state in UNDECIDED:
            raise _undecided(entry)
        return self._adopted(entry, "paid for before")

    def _adopted(self, entry: JournalEntry, reason: str) -> Accepted:
        self.report(Resumed(audio_id=entry.name, task_id=entry.wav_task_id or "", reason=reason))
        return Accepted(entry=entry, new=False)


def other_contract(entry: JournalEntry) -> UsageError:
    """Say that a conversion is asked for by the routes that it was submitted by: two contracts may share an address."""
    ids = [entry.wav_task_id or entry.name]
    return UsageError(
        f"{entry.name} was submitted as {entry.provider}",
        f"To continue: {command_for(entry.provider, entry.service, 'resume', ids)}",
    )


def _undecided(entry: JournalEntry) -> SubmissionUnknown:
    if entry.message is not None:
        return SubmissionUnknown(entry.message, PAY_AGAIN)
    return submission_unknown(
        "a run ended, or another is still at work, between sending the request and its answer"
    )
