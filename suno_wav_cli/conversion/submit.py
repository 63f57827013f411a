"""The paid request: made at most once, unless the song was paid for before.

SUBMITTING stands in the journal exactly while a request may be on its way. If the program dies
then, the outcome is unknown, and nothing here pays again without being told to.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from suno_wav_cli.api.pricing import count_wavs
from suno_wav_cli.conversion.adoption import adopt_candidate, look_up_existing
from suno_wav_cli.conversion.outcome import report_failure
from suno_wav_cli.conversion.paid_request import end_early, paid_request
from suno_wav_cli.conversion.plan import Action
from suno_wav_cli.conversion.prior import (
    Accepted,
    continue_earlier,
    explain_existing,
    explain_unknown,
)
from suno_wav_cli.errors import (
    GenerationFailed,
    NoCredits,
    NotAuthorized,
    RecordExists,
    ServiceUnavailable,
    SubmissionUnknown,
    SunoWavError,
    TaskUnknown,
    UsageError,
)
from suno_wav_cli.events import (
    AnswerAwaited,
    AnswerKept,
    Resumed,
    SubmissionDelayed,
    Submitted,
    Submitting,
)
from suno_wav_cli.journal.entry import State
from suno_wav_cli.system.pacing import Backoff, RateWindow

if TYPE_CHECKING:
    from decimal import Decimal

    from suno_wav_cli.config.settings import Settings
    from suno_wav_cli.conversion.context import ConversionContext
    from suno_wav_cli.conversion.plan import Job
    from suno_wav_cli.journal.entry import JournalEntry
    from suno_wav_cli.models import Song, WavRecord

_ON_RECORD = "the service had it already"
_BEFORE_PAYING = 5.0
"""Seconds that a payment waits for another program to let the journal go."""


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
class Submitter:
    """Submits the songs of a run.

    `callback_url` is known when the tunnel is open. `balance` is what was left before, if that was
    looked up.
    """

    context: ConversionContext
    gate: SubmissionGate
    callback_url: asyncio.Future[str | None]
    balance: Decimal | None = None

    async def accept(self, job: Job) -> Accepted:
        """Return the song's conversion that the service has accepted, now or before.

        Raise SubmissionUnknown if a paid request may have been accepted, GenerationFailed or
        TaskUnknown if an earlier conversion was given up and the plan does not pay again, and
        otherwise what `Client.submit` raises.
        """
        if job.entry is not None and not job.is_forced:
            try:
                accepted = await continue_earlier(self.context, job.entry)
            except (GenerationFailed, TaskUnknown, SubmissionUnknown, UsageError):
                if job.action is not Action.SUBMIT:
                    raise
            else:
                if accepted is not None:
                    return accepted
        # Only what is submitted has to wait for the tunnel. One song's end must not end it.
        callback_url = await asyncio.shield(self.callback_url)
        delays = Backoff(retries=self.context.settings.lookup_retries).delays()
        while True:
            try:
                return await self._submit(job, callback_url)
            except SubmissionUnknown:
                raise
            except ServiceUnavailable as error:
                # Certainly not accepted.
                self.gate.refund()
                delay = next(delays, None)
                if delay is None:
                    raise
                self.context.report(
                    SubmissionDelayed(audio_id=job.song.audio_id, reason=error.message, seconds=delay)
                )
            await asyncio.sleep(delay)

    async def _submit(self, job: Job, callback_url: str | None) -> Accepted:
        """Make one paid request when the window has room, unless another program was quicker."""
        journal = self.context.journal
        self.gate.check()
        async with self.gate.window.slot():
            self.gate.check()
            claim = await journal.when_unlocked(
                lambda: journal.claim(
                    job.song,
                    job.target,
                    replacing=job.entry,
                    credits_before=self.balance,
                    authorize=self.gate.authorize,
                ),
                seconds=_BEFORE_PAYING,
            )
            if claim.new:
                return await self._pay(claim.entry, job.song, callback_url)
        accepted = await continue_earlier(self.context, claim.entry)
        return accepted or await self._submit(job, callback_url)

    async def _pay(self, entry: JournalEntry, song: Song, callback_url: str | None) -> Accepted:
        """Send the request. An interruption waits until the journal says what is known of it."""
        context, sent = self.context, asyncio.Event()

        async def send() -> Accepted:
            try:
                async with paid_request(context.journal, entry, sent):
                    task_id = await context.client.submit(
                        song,
                        callback_url,
                        sent,
                        on_slow=lambda: context.report(AnswerAwaited(audio_id=song.audio_id)),
                    )
            except RecordExists as exists:
                return await self._continue_existing(entry, exists)
            except (NotAuthorized, NoCredits) as error:
                self.gate.refusal = error
                raise
            except SubmissionUnknown as error:
                return await self._find_task(entry, error)
            return await self._record_task(entry, task_id)

        context.report(Submitting(audio_id=song.audio_id, title=song.title or entry.title))
        request = asyncio.ensure_future(send())
        try:
            return await asyncio.shield(request)
        except asyncio.CancelledError:
            try:
                await end_early(request, sent)
            finally:
                # The end of the run tells what the journal knows. A task that it cannot take would be lost.
                error = request.exception() if request.done() and not request.cancelled() else None
                if isinstance(error, UsageError):
                    report_failure(context, entry.name, None, error)
            raise

    async def _record_task(self, entry: JournalEntry, task_id: str) -> Accepted:
        journal = self.context.journal
        try:
            try:
                accepted = await journal.when_unlocked(lambda: journal.accept(entry, task_id))
            except asyncio.CancelledError:
                accepted = journal.accept(entry, task_id)
        except UsageError as error:
            # The task's id would be lost with this program.
            raise UsageError(
                f"the song was accepted as task {task_id}, but {error.message}",
                "It is paid for.",
                continue_argv=self.context.continue_argv([task_id]),
            ) from error
        if accepted.wav_task_id is None:
            raise explain_unknown(accepted)
        self.context.report(Submitted(audio_id=entry.name, task_id=task_id))
        return Accepted(entry=accepted, new=accepted.id == entry.id)

    async def _find_task(self, entry: JournalEntry, lost: SubmissionUnknown) -> Accepted:
        """Find the task in an answer that was not understood. Raise `lost` if that fails."""
        if lost.answer is not None:
            self.context.report(AnswerKept(audio_id=entry.name, answer=lost.answer))
        found = await adopt_candidate(self.context, self.context.journal.refresh(entry))
        if found is None:
            raise lost
        return self._resume(*found, "the service's answer named it")

    async def _continue_existing(self, entry: JournalEntry, exists: RecordExists) -> Accepted:
        """Take the task that a 409 or the journal names (api/README.md, section 3)."""
        journal, candidates = self.context.journal, exists.candidates
        for task_id in (exists.task_id,) if exists.task_id else candidates:
            record, doubt = await look_up_existing(self.context, entry, task_id, candidates)
            if doubt is None:
                if record is None:
                    # Nothing has shown yet whose task it is: `check_identity` is strict then.
                    unproven = partial(journal.move, entry, State.EXISTS, candidates=(task_id,))
                    entry = await journal.when_unlocked(unproven)
                accepted = await journal.when_unlocked(partial(journal.accept, entry, task_id))
                if accepted.wav_task_id is None:
                    raise explain_unknown(accepted)
                return self._resume(accepted, record, _ON_RECORD)
            if not candidates:
                said = f"{exists.message}; it names task {task_id}, but {doubt}"
                exists = RecordExists(said, exists.remedy, None)
        known = journal.newest_task_of(entry.name)
        state = State.EXISTS if known is None else State.REFUSED
        await journal.when_unlocked(lambda: journal.move(entry, state, message=exists.message))
        if known is None:
            raise explain_existing(self.context, entry.name, exists)
        return self._resume(known, None, _ON_RECORD)

    def _resume(self, entry: JournalEntry, record: WavRecord | None, reason: str) -> Accepted:
        self.context.report(
            Resumed(audio_id=entry.name, title=entry.title, task_id=entry.wav_task_id or "", reason=reason)
        )
        return Accepted(entry=self.context.journal.follow(entry), record=record)
