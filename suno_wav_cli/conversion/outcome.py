"""What became of each song, and of the command as a whole."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from suno_wav_cli.api.pricing import price_of
from suno_wav_cli.conversion.plan import Action
from suno_wav_cli.conversion.prior import explain_unknown
from suno_wav_cli.conversion.resume_hint import advise, describe_command
from suno_wav_cli.errors import (
    DiskFull,
    DownloadFailed,
    ExitCode,
    GenerationFailed,
    JournalLocked,
    JournalLost,
    NotAuthorized,
    NotBegun,
    ProgramBug,
    ServiceUnavailable,
    StillRunning,
    SubmissionUnknown,
    SunoWavError,
    TaskForgotten,
    UsageError,
)
from suno_wav_cli.events.ends import Summary
from suno_wav_cli.events.songs import SongFailed
from suno_wav_cli.journal.entry import GIVEN_UP, UNDECIDED, UNSAVED, State
from suno_wav_cli.models import is_id
from suno_wav_cli.remote.address import is_remote

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal
    from pathlib import Path

    from suno_wav_cli.conversion.context import ConversionContext
    from suno_wav_cli.conversion.plan import Job
    from suno_wav_cli.journal.entry import JournalEntry


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of one song: `path` if it was saved, `error` if it failed.

    `credits` is what a saved song has really cost, if the service tells.
    `skipped` if its file was there already. Otherwise its task goes on at the service, or, without
    a task, it was not begun. `stopped` is why the run's submissions have stopped before it.
    """

    task_id: str | None = None
    path: Path | None = None
    error: SunoWavError | None = None
    skipped: bool = False
    credits: Decimal | None = None
    stopped: SunoWavError | None = None

    @property
    def is_saved(self) -> bool:
        return self.path is not None or self.skipped

    @property
    def is_at_service(self) -> bool:
        waits = self.error is None or isinstance(self.error, StillRunning)
        return self.task_id is not None and not self.is_saved and waits

    @property
    def is_begun(self) -> bool:
        return self.is_saved or self.task_id is not None or self.error is not None

    @property
    def is_for_later(self) -> bool:
        """Tell whether the song was not submitted, and a later run may have more luck."""
        if self.stopped is not None:
            return True
        is_refused = isinstance(self.error, ServiceUnavailable | DiskFull | JournalLocked)
        return self.task_id is None and is_refused and not isinstance(self.error, SubmissionUnknown)

    @property
    def reason(self) -> str:
        """Why the song is not saved."""
        if isinstance(self.error, JournalLost) and is_id(self.task_id or ""):
            return f"{self.error.message}; it is paid for as task {self.task_id}"
        if self.error is not None:
            return self.error.message
        if not self.is_begun:
            return "not begun" if self.stopped is None else f"not begun: {self.stopped.message}"
        return f"at the service as task {self.task_id}" if is_id(self.task_id or "") else "at the service"


async def record_end(context: ConversionContext, entry: JournalEntry, error: SunoWavError) -> None:
    """Record that a conversion was given up, if that is what the error says."""
    if isinstance(error, GenerationFailed | TaskForgotten):
        journal, message = context.journal, error.message
        state = State.FORGOTTEN if isinstance(error, TaskForgotten) else State.FAILED
        cost = error.cost if isinstance(error, GenerationFailed) else None
        await journal.when_unlocked(lambda: journal.move(entry, state, message=message, credits=cost))


def outcomes_before(plan: Sequence[Job]) -> list[Outcome]:
    """Return what is known of each song before the work begins."""
    return [
        Outcome(
            skipped=job.action is Action.THERE,
            task_id=job.entry.wav_task_id if job.entry and job.action is Action.CONTINUE else None,
        )
        for job in plan
    ]


def outcomes_after(
    context: ConversionContext, plan: Sequence[Job], outcomes: Sequence[Outcome]
) -> list[Outcome]:
    """Return the outcomes of a run that ended early. The journal knows what was under way then."""
    return [
        find_saved(context, outcome) if outcome.is_begun else _find_outcome(context, job.song.audio_id)
        for job, outcome in zip(plan, outcomes, strict=True)
    ]


def find_saved(context: ConversionContext, outcome: Outcome) -> Outcome:
    """Return the outcome of a song whose file may be in place already, while a command runs for it."""
    if not outcome.is_at_service:
        return outcome
    # The journal itself may be what ended the run.
    with suppress(UsageError):
        entry = context.journal.of_task(outcome.task_id or "")
        if entry is not None and entry.state is State.SAVED and entry.target is not None:
            known = context.journal.uploads.find(entry, entry.target) if is_remote(entry.target) else None
            is_there = known.is_done if known else context.journal.recognises(entry, entry.target)
            return replace(outcome, path=entry.target, credits=entry.credits) if is_there else outcome
    return outcome


def _find_outcome(context: ConversionContext, audio_id: str) -> Outcome:
    # The journal itself may be what ended the run.
    with suppress(UsageError):
        entry = context.journal.current_entry(audio_id)
        if entry is not None and entry.state in UNDECIDED:
            return Outcome(error=explain_unknown(entry))
        if entry is not None and entry.state in UNSAVED:
            return Outcome(task_id=entry.wav_task_id)
    return Outcome()


def report_failure(context: ConversionContext, name: str, task_id: str | None, error: Exception) -> Outcome:
    """Report that a song failed, and how to continue if its task is safe at the service.

    Whatever it was, it is the failure of this song alone. A song that was not begun has not failed.
    """
    if isinstance(error, NotBegun):
        return Outcome(stopped=error.reason)
    failure = _as_failure(error, accepted=task_id is not None)
    resumable = (
        isinstance(failure, NotAuthorized | ServiceUnavailable | JournalLost | ProgramBug)
        or failure is not error
    )
    if task_id is not None and resumable and failure.continue_argv is None:
        failure.continue_argv = context.continue_argv([task_id])
    context.report(
        SongFailed(
            audio_id=name,
            task_id=task_id,
            exit_code=failure.exit_code,
            message=failure.message,
            remedy=advise(failure, typed=context.run.argv)
            + _how_to_pay_again(context, name, task_id, failure),
            continue_argv=failure.continue_argv,
        )
    )
    return Outcome(task_id=task_id, error=failure)


def _how_to_pay_again(
    context: ConversionContext, name: str, task_id: str | None, failure: SunoWavError
) -> str:
    """Return a sentence about a song that only another payment brings, or nothing.

    It is text only: a program that runs `continue_argv` must not pay.
    """
    is_gone = (
        isinstance(failure, GenerationFailed | TaskForgotten) if task_id else _is_given_up(context, name)
    )
    is_decided = failure.continue_argv is None and (is_gone or isinstance(failure, SubmissionUnknown))
    if not is_decided or name == task_id:
        return ""
    return f" To pay for another try: {describe_command(context.continue_argv([name], '--resubmit'))}"


def _is_given_up(context: ConversionContext, name: str) -> bool:
    """Tell whether an earlier run has given up the song, so that none begins it by itself."""
    with suppress(UsageError):
        entry = context.journal.current_entry(name)
        return entry is not None and entry.state in GIVEN_UP
    return False


def _as_failure(error: Exception, *, accepted: bool) -> SunoWavError:
    """Return an error with an exit code for any exception."""
    if isinstance(error, SunoWavError):
        return error
    if not isinstance(error, OSError):
        return ProgramBug(error)
    path = f"{error.filename}: " if error.filename else ""
    said = f"{path}{error.strerror or error}"
    if accepted:
        return DownloadFailed(said, "It is paid for and stays at the service.")
    return UsageError(said, "Correct it and run the same command again. This song was not submitted.")


def summarize(context: ConversionContext, outcomes: Sequence[Outcome]) -> ExitCode:
    """Report how many songs were saved, skipped and so on. Return the exit code."""
    report_summary(context, outcomes)
    return exit_code_of(outcomes, incomplete=context.follow_up.has_failed)


def report_summary(
    context: ConversionContext, outcomes: Sequence[Outcome], *, ended_early: bool = False
) -> None:
    """Report how many songs were saved, skipped and so on."""
    saved = sum(outcome.path is not None for outcome in outcomes)
    skipped = sum(outcome.skipped for outcome in outcomes)
    unfinished = sum(outcome.is_at_service for outcome in outcomes)
    not_begun = sum(not outcome.is_begun for outcome in outcomes)
    costs = [outcome.credits for outcome in outcomes if outcome.credits is not None]
    unknown = sum(isinstance(outcome.error, SubmissionUnknown) for outcome in outcomes)
    context.report(
        Summary(
            requested=len(outcomes),
            saved=saved,
            skipped=skipped,
            failed=len(outcomes) - saved - skipped - unfinished - not_begun,
            unknown=unknown,
            unfinished=unfinished,
            not_begun=not_begun,
            ended_early=ended_early,
            credits=sum(costs, start=price_of(0)) if costs else None,
            price=price_of(len(costs)),
        )
    )


def exit_code_of(outcomes: Sequence[Outcome], *, incomplete: bool = False) -> ExitCode:
    """Return OK, the first error's code if every song failed, and SOME_FAILED otherwise.

    `incomplete` if a song is saved, but what was to follow has failed: its command, or its JSON file.
    If the run's submissions have stopped, the code is that of the reason. Raise ProgramBug if a song
    met one.
    """
    errors = [outcome.error for outcome in outcomes if outcome.error is not None]
    for error in errors:
        if isinstance(error, ProgramBug):
            raise error
    stopped = [outcome.stopped for outcome in outcomes if outcome.stopped is not None]
    if stopped:
        return stopped[0].exit_code
    if not errors:
        return ExitCode.SOME_FAILED if incomplete else ExitCode.OK
    return errors[0].exit_code if len(errors) == len(outcomes) else ExitCode.SOME_FAILED
