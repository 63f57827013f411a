"""What an earlier conversion means for a song: whether it can be continued, and if not, why."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from suno_wav_cli.api.error_messages import LOOK_AT_LOG, submission_unknown
from suno_wav_cli.api.providers import PROVIDERS
from suno_wav_cli.conversion.adoption import adopt_candidate
from suno_wav_cli.conversion.ids import typed_name
from suno_wav_cli.conversion.resume_hint import command_for
from suno_wav_cli.errors import (
    GenerationFailed,
    RecordExists,
    ServiceUnavailable,
    StillRunning,
    SubmissionUnknown,
    TaskUnknown,
    UsageError,
)
from suno_wav_cli.events.payments import OtherRunAwaited, Resumed
from suno_wav_cli.journal.entry import GIVEN_UP, NOT_ACCEPTED, UNDECIDED, State
from suno_wav_cli.models import WavState

if TYPE_CHECKING:
    from suno_wav_cli.conversion.context import ConversionContext
    from suno_wav_cli.journal.entry import JournalEntry
    from suno_wav_cli.models import WavRecord

_BETWEEN_LOOKS = 0.2
"""Seconds between two looks into the journal, while another program submits the song."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Accepted:
    """A conversion that the service has accepted.

    `new` if this run has just submitted it, with `callback_url` if callbacks may come. `record` is
    what a lookup has said a moment ago.
    """

    entry: JournalEntry
    new: bool = False
    callback_url: str | None = None
    record: WavRecord | None = None


async def continue_earlier(context: ConversionContext, entry: JournalEntry) -> Accepted | None:
    """Return an earlier conversion if its task goes on. This never pays.

    A failed or forgotten task is looked up once more: it may have succeeded since. Return None if
    nothing was accepted. Raise GenerationFailed, TaskUnknown or SubmissionUnknown if only
    another payment brings the file, and UsageError if another contract has submitted it.
    """
    entry = await _wait_for_other_run(context, entry)
    if entry.state in NOT_ACCEPTED:
        return None
    check_provider(context, entry)
    record, reason = None, "paid for before"
    if entry.state in UNDECIDED:
        found = await adopt_candidate(context, entry)
        if found is None:
            raise explain_unknown(entry)
        (entry, record), reason = found, "the service's answer named it"
    elif entry.state in GIVEN_UP:
        record = await _look_up_once(context, entry)
        if record is None:
            raise _explain_given_up(entry)
        entry = await context.journal.when_unlocked(partial(context.journal.move, entry, State.SUBMITTED))
        reason = "it goes on after all"
    context.report(
        Resumed(audio_id=entry.name, title=entry.title, task_id=entry.wav_task_id or "", reason=reason)
    )
    return Accepted(entry=context.journal.follow(entry), record=record)


async def _wait_for_other_run(context: ConversionContext, entry: JournalEntry) -> JournalEntry:
    """Wait until no other program is submitting the song. Return the conversion as it is then."""
    entry = context.journal.refresh(entry)
    if not context.journal.is_being_submitted(entry):
        return entry
    context.report(OtherRunAwaited(audio_id=entry.name))
    deadline = time.monotonic() + context.settings.timeout
    while context.journal.is_being_submitted(entry):
        if time.monotonic() > deadline:
            raise StillRunning(
                "another program is still submitting this song",
                "Nothing was paid by this one. Run the same command again to continue with its task.",
            )
        await asyncio.sleep(_BETWEEN_LOOKS)
        entry = context.journal.refresh(entry)
    return entry


async def _look_up_once(context: ConversionContext, entry: JournalEntry) -> WavRecord | None:
    """Return the record of a task that was given up, if it goes on."""
    try:
        record = await context.client.fetch_record(entry.wav_task_id or "", retries=1)
    except (GenerationFailed, TaskUnknown, ServiceUnavailable):
        return None
    return None if record.state is WavState.FAILED else record


def explain_unknown(entry: JournalEntry) -> SubmissionUnknown:
    """Return the error for a paid request without an answer."""
    lost = submission_unknown("a run ended between sending the request and its answer")
    return SubmissionUnknown(f"{entry.message or lost.message} (on {_date(entry.created)})", LOOK_AT_LOG)


def _explain_given_up(entry: JournalEntry) -> GenerationFailed | TaskUnknown:
    said = entry.message or "the service could not convert the song"
    error = TaskUnknown if entry.state is State.FORGOTTEN else GenerationFailed
    return error(f"{said} (on {_date(entry.updated)})", "Nothing is paid twice by itself.")


def check_provider(context: ConversionContext, entry: JournalEntry) -> None:
    """Raise UsageError if another contract, which may share the address, has submitted it."""
    if PROVIDERS.get(entry.provider) is context.client.provider:
        return
    ids = [name for name in (typed_name(entry),) if name]
    raise UsageError(
        f"{entry.name} was submitted as {entry.provider}",
        "",
        continue_argv=command_for(context.run.options_to(entry.provider, entry.service), "resume", ids),
    )


def explain_existing(context: ConversionContext, audio_id: str, exists: RecordExists) -> RecordExists:
    """Return the error for a 409 without a task, with what this machine knows of the conversion."""
    lost = context.journal.current_entry(audio_id)
    if lost is not None:
        said = f"{exists.message}; so the request whose answer was lost here was accepted"
        return RecordExists(said, exists.remedy, None)
    other = context.journal.history.elsewhere(audio_id, context.service)
    if other is not None:
        error = RecordExists(
            exists.message,
            f"This machine converted it at {other.service}. To fetch it from there:",
            None,
        )
        error.continue_argv = command_for(
            context.run.options_to(other.provider, other.service), "resume", [typed_name(other) or audio_id]
        )
        return error
    return exists


def _date(moment: float) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(moment))
