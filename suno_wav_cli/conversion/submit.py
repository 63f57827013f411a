"""The paid request: made at most once, unless the song was paid for before.

SUBMITTING stands in the journal exactly while a request may be on its way. If the program dies
then, the outcome is unknown, and nothing here pays again without being told to.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from suno_wav_cli.conversion.adoption import adopt_candidate, look_up_existing
from suno_wav_cli.conversion.gate import TurnMissed
from suno_wav_cli.conversion.outcome import report_failure
from suno_wav_cli.conversion.paid_request import Payment, end_early, paid_request
from suno_wav_cli.conversion.plan import Action
from suno_wav_cli.conversion.prior import (
    Accepted,
    continue_earlier,
    explain_existing,
    explain_unknown,
)
from suno_wav_cli.errors import (
    GenerationFailed,
    RecordExists,
    ServiceUnavailable,
    SubmissionUnknown,
    SunoWavError,
    TaskUnknown,
    UsageError,
)
from suno_wav_cli.events.payments import AnswerAwaited, AnswerKept, Resumed, Submitted, Submitting
from suno_wav_cli.journal.entry import State

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from decimal import Decimal

    from suno_wav_cli.conversion.context import ConversionContext
    from suno_wav_cli.conversion.gate import SubmissionGate
    from suno_wav_cli.conversion.gate_pass import Pass
    from suno_wav_cli.conversion.plan import Job
    from suno_wav_cli.journal.entry import JournalEntry
    from suno_wav_cli.models import WavRecord

_ON_RECORD = "the service had it already"


class SongTaken(Exception):
    """Another program was quicker. `entry` is the conversion that it has claimed."""

    def __init__(self, entry: JournalEntry) -> None:
        super().__init__(entry.name)
        self.entry = entry


@dataclass(frozen=True, kw_only=True)
class Submitter:
    """Submits the songs of a run.

    `callback_url` waits until the tunnel is open, and returns the address of this moment. `balance`
    is what was left before, if that was looked up.
    """

    context: ConversionContext
    gate: SubmissionGate
    callback_url: Callable[[], Awaitable[str | None]]
    balance: Decimal | None = None

    async def accept(self, job: Job) -> Accepted:
        """Return the song's conversion that the service has accepted, now or before.

        Raise SubmissionUnknown if a paid request may have been accepted, GenerationFailed or
        TaskUnknown if an earlier conversion was given up and the plan does not pay again, NotBegun if
        submissions have stopped, and otherwise what `Client.submit` raises.
        """
        with self.gate.admit(job.song.audio_id, planned=job.action is Action.SUBMIT) as one:
            if job.entry is not None and not job.is_forced:
                try:
                    accepted = await continue_earlier(self.context, job.entry)
                except (GenerationFailed, TaskUnknown, SubmissionUnknown, UsageError):
                    if job.action is not Action.SUBMIT:
                        raise
                else:
                    if accepted is not None:
                        return accepted
            while True:
                accepted = await self._submit(job, one)
                if accepted is not None:
                    return accepted

    async def _submit(self, job: Job, one: Pass) -> Accepted | None:
        """Make one paid request when the turn comes, unless another program was quicker.

        Return None if the song has to wait for another turn: certainly nothing was accepted.
        """
        # Only what is submitted has to wait for the tunnel.
        await self.callback_url()
        await self.gate.approach(one)
        try:
            return await self._pay(job, one, await self.callback_url())
        except SongTaken as taken:
            return await continue_earlier(self.context, taken.entry)
        except SubmissionUnknown:
            raise
        except ServiceUnavailable:
            if one.is_given_up:
                raise
            return None
        except TurnMissed:
            return None

    async def _pay(self, job: Job, one: Pass, callback_url: str | None) -> Accepted:
        """Send the request. An interruption waits until the journal says what is known of it."""
        payment = Payment()

        async def send() -> Accepted:
            try:
                accepted = await self._send(job, one, payment, callback_url)
            except SunoWavError as error:
                self.gate.record(one, error)
                raise
            except SongTaken:
                self.gate.record(one, None)
                raise
            self.gate.record(one, None)
            return accepted

        request = asyncio.ensure_future(send())
        try:
            return await asyncio.shield(request)
        except asyncio.CancelledError:
            try:
                await end_early(request, payment)
            finally:
                # The end of the run tells what the journal knows. A task that it cannot take would be lost.
                error = request.exception() if request.done() and not request.cancelled() else None
                if isinstance(error, UsageError):
                    report_failure(self.context, job.song.audio_id, None, error)
            raise

    async def _send(self, job: Job, one: Pass, payment: Payment, callback_url: str | None) -> Accepted:
        """Claim the song when its slot is free, pay for it, and record the answer."""
        context, song = self.context, job.song

        async def turn(is_closed: Callable[[], bool]) -> None:
            claim = await self.gate.claim(
                one,
                lambda authorize: context.journal.claim(
                    song,
                    job.target,
                    replacing=job.entry,
                    credits_before=self.balance,
                    authorize=authorize,
                ),
                is_closed=is_closed,
            )
            if not claim.new:
                raise SongTaken(claim.entry)
            payment.entry = claim.entry
            context.report(Submitting(audio_id=song.audio_id, title=song.title or claim.entry.title))

        def on_slow() -> None:
            context.report(AnswerAwaited(audio_id=song.audio_id))
            self.gate.note_slow(one)

        try:
            async with paid_request(context.journal, payment):
                task_id = await context.client.submit(song, callback_url, turn, on_slow=on_slow)
        except RecordExists as exists:
            return await self._continue_existing(payment.recorded, exists)
        except SubmissionUnknown as error:
            return await self._find_task(payment.recorded, error)
        return await self._record_task(payment.recorded, task_id, callback_url)

    async def _record_task(self, entry: JournalEntry, task_id: str, callback_url: str | None) -> Accepted:
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
        return Accepted(entry=accepted, new=accepted.id == entry.id, callback_url=callback_url)

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
