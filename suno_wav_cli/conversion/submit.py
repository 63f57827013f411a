"""The paid request: made at most once, unless the song was paid for before.

SUBMITTING stands in the journal exactly while a request may be on its way. If the program dies
then, the outcome is unknown, and nothing here pays again without being told to.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from suno_wav_cli.api.error_messages import PAY_AGAIN
from suno_wav_cli.api.pricing import count_wavs
from suno_wav_cli.conversion.outcome import report_failure
from suno_wav_cli.conversion.paid_request import end_early, paid_request
from suno_wav_cli.conversion.prior import check_entry, explain_existing
from suno_wav_cli.errors import (
    NoCredits,
    NotAuthorized,
    RecordExists,
    ServiceUnavailable,
    SubmissionUnknown,
    SunoWavError,
    UsageError,
)
from suno_wav_cli.events import Resumed, SubmissionDelayed, Submitted, Submitting
from suno_wav_cli.journal.entry import NOTHING_TO_FETCH, State
from suno_wav_cli.system.pacing import Backoff, RateWindow

if TYPE_CHECKING:
    from decimal import Decimal

    from suno_wav_cli.config.settings import Settings
    from suno_wav_cli.conversion.context import ConversionContext
    from suno_wav_cli.conversion.plan import Job
    from suno_wav_cli.journal.entry import JournalEntry

_ON_RECORD = "the service had it already"


@dataclass(kw_only=True)
class SubmissionGate:
    """What every submission of a run passes. After the account is refused, nothing more is sent.

    `allowance` is how many songs may still be paid for; None is without limit.
    """

    window: RateWindow
    allowance: int | None = None
    refusal: SunoWavError | None = None

    def check(self) -> None:
        """Raise why the service has refused the account, if it has."""
        if self.refusal is not None:
            raise self.refusal

    def authorize(self) -> None:
        """Count one more song that is paid for. Raise NoCredits if `--max-credits` is used up."""
        if self.allowance is None:
            return
        if self.allowance == 0:
            raise NoCredits(
                "to pay for this song too would exceed --max-credits",
                "It became necessary only now, by what another program has done. Run the same command again.",
            )
        self.allowance -= 1

    def refund(self) -> None:
        """Take back what `authorize` has counted: the request was certainly not accepted."""
        if self.allowance is not None:
            self.allowance += 1


def new_gate(settings: Settings) -> SubmissionGate:
    """Return the gate of a run, with what `--max-credits` allows."""
    # The place for a window that all programs with one journal share.
    cap = settings.max_credits
    return SubmissionGate(window=RateWindow(), allowance=None if cap is None else count_wavs(cap))


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """A conversion that the service has accepted. `new` if this very call submitted it."""

    entry: JournalEntry
    new: bool


@dataclass(frozen=True, kw_only=True)
class Submitter:
    """Submits the songs of a run.

    `callback_url` is known when the tunnel is open. `balance` is what was left before, if that was
    looked up. With `resubmit`, no earlier conversion decides about a song.
    """

    context: ConversionContext
    gate: SubmissionGate
    callback_url: asyncio.Future[str | None]
    resubmit: bool
    balance: Decimal | None = None

    async def accept(self, job: Job) -> Accepted:
        """Return the song's conversion that the service has accepted, now or before.

        Raise SubmissionUnknown if a paid request may have been accepted, and otherwise what
        `Client.submit` raises.
        """
        if job.entry is not None:
            entry = self.context.journal.refresh(job.entry)
            # In another program's hands it may have failed since the plan was made.
            if entry.state not in NOTHING_TO_FETCH:
                return self._resume(entry)
        return await self._submit(job)

    async def _submit(self, job: Job) -> Accepted:
        """Submit the song, and try again while the service certainly does not accept anything."""
        # Only what is submitted has to wait for the tunnel. One song's end must not end it.
        callback_url = await asyncio.shield(self.callback_url)
        delays = Backoff(retries=self.context.settings.lookup_retries).delays()
        while True:
            try:
                return await self._submit_once(job, callback_url)
            except SubmissionUnknown:
                raise
            except ServiceUnavailable as error:
                self.gate.refund()
                delay = next(delays, None)
                if delay is None:
                    raise
                self.context.report(
                    SubmissionDelayed(audio_id=job.song.audio_id, reason=error.message, seconds=delay)
                )
            await asyncio.sleep(delay)

    async def _submit_once(self, job: Job, callback_url: str | None) -> Accepted:
        """Make one paid request when the window has room, unless another program was quicker."""
        self.gate.check()
        async with self.gate.window.slot():
            self.gate.check()
            claim = self.context.journal.claim(
                job.song,
                job.target,
                anyway=self.resubmit,
                credits_before=self.balance,
                authorize=self.gate.authorize,
            )
            if not claim.new:
                return self._resume(claim.entry)
            self.context.report(Submitting(audio_id=job.song.audio_id))
            sent = asyncio.Event()
            request = asyncio.ensure_future(self._request(claim.entry, job, callback_url, sent))
            try:
                return await asyncio.shield(request)
            except asyncio.CancelledError:
                try:
                    await end_early(request, sent)
                finally:
                    self._report_last_moment(claim.entry, request)
                raise

    async def _request(
        self, entry: JournalEntry, job: Job, callback_url: str | None, sent: asyncio.Event
    ) -> Accepted:
        """Send the request, and record its answer."""
        try:
            with paid_request(self.context.journal, entry, sent):
                task_id = await self.context.client.submit(job.song, callback_url, sent)
        except RecordExists as exists:
            return self._adopt(entry, exists)
        except (NotAuthorized, NoCredits) as error:
            self.gate.refusal = error
            raise
        try:
            accepted = self.context.journal.accept(entry, task_id)
        except UsageError as error:
            # The task's id would be lost with this program.
            raise UsageError(
                f"the song was accepted as task {task_id}, but {error.message}",
                "It is paid for.",
                continue_argv=self.context.continue_argv([task_id]),
            ) from error
        self.context.report(Submitted(audio_id=job.song.audio_id, task_id=task_id))
        return Accepted(entry=accepted, new=accepted.id == entry.id)

    def _adopt(self, entry: JournalEntry, exists: RecordExists) -> Accepted:
        """Take the task that a 409 or the journal names (api/README.md, section 3)."""
        journal, audio_id = self.context.journal, entry.audio_id or ""
        if exists.task_id is not None:
            return self._report_resumed(journal.accept(entry, exists.task_id), _ON_RECORD)
        known = journal.newest_task_of(audio_id)
        journal.move(entry, State.REFUSED, message=exists.message)
        if known is None:
            raise explain_existing(self.context, audio_id, exists)
        return self._report_resumed(known, _ON_RECORD)

    def _resume(self, entry: JournalEntry) -> Accepted:
        check_entry(entry, self.context.client.provider)
        return self._report_resumed(entry, "paid for before")

    def _report_resumed(self, entry: JournalEntry, reason: str) -> Accepted:
        entry = self.context.journal.follow(entry)
        self.context.report(Resumed(audio_id=entry.name, task_id=entry.wav_task_id or "", reason=reason))
        return Accepted(entry=entry, new=False)

    def _report_last_moment(self, entry: JournalEntry, request: asyncio.Task[Accepted]) -> None:
        """Report what would be lost with the program: a task that the journal cannot take, or doubt."""
        error = request.exception() if request.done() and not request.cancelled() else None
        if isinstance(error, UsageError):
            report_failure(self.context, entry.name, None, error)
            return
        entry = self.context.journal.follow(entry)
        if entry.state is State.UNKNOWN:
            lost = SubmissionUnknown(entry.message or "", PAY_AGAIN)
            report_failure(self.context, entry.name, None, lost)
