"""What is left of a list of songs: written for the next run, with the command that continues."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from suno_wav_cli.conversion.outcome import outcomes_after, report_summary
from suno_wav_cli.conversion.resume_hint import with_list, without_resubmit
from suno_wav_cli.conversion.song_list import STANDARD_INPUT, write_failures
from suno_wav_cli.errors import SubmissionUnknown, UsageError
from suno_wav_cli.events import Failed, FailuresListed
from suno_wav_cli.system.private_files import make_folder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from suno_wav_cli.conversion.context import ConversionContext
    from suno_wav_cli.conversion.outcome import Outcome
    from suno_wav_cli.conversion.plan import Job

_MOST_RESUMED = 5
"""Tasks that a line for `resume` names."""


def list_failures(
    context: ConversionContext, path: Path, plan: Sequence[Job], outcomes: Sequence[Outcome]
) -> None:
    """Write `--errors` after a run that has worked through its songs. Raise UsageError."""
    failures = [
        (job.song, outcome.reason)
        for job, outcome in zip(plan, outcomes, strict=True)
        if outcome.error is not None or not outcome.is_begun
    ]
    if write_failures(path, failures):
        context.report(FailuresListed(path=path, songs=len(failures), ended_early=False))


def conclude(
    context: ConversionContext,
    plan: Sequence[Job],
    outcomes: Sequence[Outcome],
    *,
    errors: Path | None,
    from_file: str | None,
) -> tuple[str, ...] | None:
    """Report how far a run came that ends early, and list what is not saved.

    Return the command that continues all of it, or None if nothing can be continued.
    """
    outcomes = outcomes_after(context, plan, outcomes)
    report_summary(context, outcomes, ended_early=True)
    left = [(job.song, outcome) for job, outcome in zip(plan, outcomes, strict=True) if not outcome.is_saved]
    if errors is None and from_file == STANDARD_INPUT and left:
        errors = context.run.paths.lists / time.strftime(f"%Y%m%d-%H%M%S-{os.getpid()}.txt")
    listed = False
    if errors is not None:
        try:
            is_own = errors.parent == context.run.paths.lists
            if is_own:
                make_folder(errors.parent)
            failures = [(song, outcome.reason) for song, outcome in left]
            listed = write_failures(errors, failures, private=is_own)
            context.report(FailuresListed(path=errors, songs=len(left), ended_early=True))
        except (OSError, UsageError) as error:
            # Why the run ends is more important.
            context.report(
                Failed(exit_code=UsageError.exit_code, message=str(error), remedy="", continue_argv=None)
            )
    if not left:
        return None
    at_service = [outcome.task_id or "" for _, outcome in left if outcome.is_at_service]
    if len(at_service) == len(left) <= _MOST_RESUMED:
        return context.continue_argv(at_service)
    argv = context.run.argv
    unknown = any(isinstance(outcome.error, SubmissionUnknown) for _, outcome in left)
    if unknown or context.settings.force:
        # It would pay once more for what is not known, or is at the service.
        argv = without_resubmit(argv)
    if from_file == STANDARD_INPUT and listed and errors is not None:
        argv = with_list(argv, str(errors.absolute()), [job.song.audio_id for job in plan])
    return argv
