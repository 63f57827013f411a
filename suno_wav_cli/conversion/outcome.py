"""What became of each song, and of the command as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from suno_wav_cli.errors import ExitCode, JournalLost, NotAuthorized, ServiceUnavailable, StillRunning
from suno_wav_cli.events import SongFailed, Summary

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from suno_wav_cli.conversion.context import ConversionContext
    from suno_wav_cli.errors import SunoWavError


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one song: `path` if it was saved, `error` if it failed.

    `skipped` if its file was there already. Otherwise its task goes on at the service.
    """

    task_id: str | None = None
    path: Path | None = None
    error: SunoWavError | None = None
    skipped: bool = False


def report_failure(
    context: ConversionContext, name: str, task_id: str | None, error: SunoWavError
) -> Outcome:
    """Report that a song failed, and how to continue if its task is safe at the service."""
    resumable = isinstance(error, NotAuthorized | ServiceUnavailable | JournalLost)
    if task_id is not None and resumable and error.continue_with is None:
        error.continue_with = context.continue_with([task_id])
    context.report(
        SongFailed(
            audio_id=name,
            task_id=task_id,
            exit_code=error.exit_code,
            message=error.message,
            remedy=error.advice,
        )
    )
    return Outcome(task_id=task_id, error=error)


def summarize(context: ConversionContext, outcomes: Sequence[Outcome]) -> ExitCode:
    """Report how many songs were saved, skipped and so on. Return the exit code."""
    saved = sum(outcome.path is not None for outcome in outcomes)
    skipped = sum(outcome.skipped for outcome in outcomes)
    failed = sum(
        outcome.error is not None and not isinstance(outcome.error, StillRunning) for outcome in outcomes
    )
    context.report(
        Summary(
            requested=len(outcomes),
            saved=saved,
            skipped=skipped,
            failed=failed,
            unfinished=len(outcomes) - saved - skipped - failed,
        )
    )
    return exit_code_of(outcomes)


def exit_code_of(outcomes: Sequence[Outcome]) -> ExitCode:
    """Return OK, the first error's code if every song failed, and SOME_FAILED otherwise."""
    errors = [outcome.error for outcome in outcomes if outcome.error is not None]
    if not errors:
        return ExitCode.OK
    return errors[0].exit_code if len(errors) == len(outcomes) else ExitCode.SOME_FAILED
