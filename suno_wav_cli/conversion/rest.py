"""What is left of a list of songs: written for the next run, with the command that continues."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, TypeAlias

from suno_wav_cli.conversion.outcome import outcomes_after, report_summary
from suno_wav_cli.conversion.resume_hint import describe_command, with_list, without_resubmit
from suno_wav_cli.conversion.song_list import STANDARD_INPUT, write_failures
from suno_wav_cli.errors import SubmissionUnknown, UsageError
from suno_wav_cli.events.ends import Failed, FailuresListed, SongsLeft
from suno_wav_cli.system.private_files import make_folder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from suno_wav_cli.conversion.context import ConversionContext
    from suno_wav_cli.conversion.outcome import Outcome
    from suno_wav_cli.conversion.plan import Job
    from suno_wav_cli.models import Song

    _Left: TypeAlias = tuple[Song, Outcome]

_MOST_RESUMED = 5
"""Tasks that a line for `resume` names."""


def list_failures(
    context: ConversionContext,
    plan: Sequence[Job],
    outcomes: Sequence[Outcome],
    *,
    errors: Path | None,
    from_file: str | None,
) -> None:
    """Write `--errors` after a run that has worked through its songs.

    If the service did not take all of a list, say how to go on. Of a song that was typed, its own error
    has said it. Raise UsageError.
    """
    left = [
        (job.song, outcome)
        for job, outcome in zip(plan, outcomes, strict=True)
        if outcome.error is not None or not outcome.is_begun
    ]
    if errors is not None and write_failures(errors, _with_reasons(left)):
        context.report(FailuresListed(path=errors, songs=len(left), ended_early=False))
    is_list = from_file is not None or len(plan) > 1
    if is_list and any(outcome.is_for_later for _, outcome in left):
        if errors is None:
            errors = _keep_input(context, left, from_file)
        argv = _command_for(context, plan, left, errors, from_file)
        hint = describe_command(argv, typed=context.run.argv)
        context.report(SongsLeft(songs=len(left), resume_hint=hint, continue_argv=argv))


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
    if errors is None:
        errors = _keep_input(context, left, from_file)
    elif not _write_list(context, errors, left):
        errors = None
    if not left:
        return None
    at_service = [outcome.task_id or "" for _, outcome in left if outcome.is_at_service]
    if len(at_service) == len(left) <= _MOST_RESUMED:
        return context.continue_argv(at_service)
    return _command_for(context, plan, left, errors, from_file)


def _keep_input(context: ConversionContext, left: Sequence[_Left], from_file: str | None) -> Path | None:
    """Write what is left of standard input, which cannot be read again. Return the file, if there is one."""
    if from_file != STANDARD_INPUT or not left:
        return None
    path = context.run.paths.lists / time.strftime(f"%Y%m%d-%H%M%S-{os.getpid()}.txt")
    return path if _write_list(context, path, left) else None


def _write_list(context: ConversionContext, path: Path, left: Sequence[_Left]) -> bool:
    """Tell whether there is a list now. Why the run ends is more important than a failure here."""
    is_own = path.parent == context.run.paths.lists
    try:
        if is_own:
            make_folder(path.parent)
        is_there = write_failures(path, _with_reasons(left), private=is_own)
    except (OSError, UsageError) as error:
        context.report(
            Failed(exit_code=UsageError.exit_code, message=str(error), remedy="", continue_argv=None)
        )
        return False
    context.report(FailuresListed(path=path, songs=len(left), ended_early=True))
    return is_there


def _with_reasons(left: Sequence[_Left]) -> list[tuple[Song, str]]:
    return [(song, outcome.reason) for song, outcome in left]


def _command_for(
    context: ConversionContext,
    plan: Sequence[Job],
    left: Sequence[_Left],
    kept: Path | None,
    from_file: str | None,
) -> tuple[str, ...]:
    """Return the command for these songs, which are `kept` in a list if they came by standard input."""
    argv = context.run.argv
    unknown = any(isinstance(outcome.error, SubmissionUnknown) for _, outcome in left)
    if unknown or context.settings.force:
        # It would pay once more for what is not known, or is at the service.
        argv = without_resubmit(argv)
    if from_file == STANDARD_INPUT and kept is not None:
        argv = with_list(argv, str(kept.absolute()), [job.song.audio_id for job in plan])
    return argv
