"""What an earlier conversion means for a song: whether it can be continued, and if not, why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from suno_wav_cli.api.error_messages import PAY_AGAIN, submission_unknown
from suno_wav_cli.api.providers import PROVIDERS
from suno_wav_cli.conversion.ids import typed_name
from suno_wav_cli.conversion.resume_hint import command_for
from suno_wav_cli.errors import RecordExists, SubmissionUnknown, UsageError
from suno_wav_cli.journal.entry import UNDECIDED

if TYPE_CHECKING:
    from suno_wav_cli.api.providers import Provider
    from suno_wav_cli.conversion.context import ConversionContext
    from suno_wav_cli.journal.entry import JournalEntry


def check_entry(entry: JournalEntry, provider: Provider) -> None:
    """Raise UsageError if another contract submitted it, SubmissionUnknown if that is not known."""
    check_provider(entry, provider)
    if entry.state not in UNDECIDED:
        return
    raise explain_unknown(entry)


def explain_unknown(entry: JournalEntry) -> SubmissionUnknown:
    """Return the error for a paid request without an answer."""
    if entry.message is not None:
        return SubmissionUnknown(entry.message, PAY_AGAIN)
    return submission_unknown(
        "a run ended, or another is still at work, between sending the request and its answer"
    )


def check_provider(entry: JournalEntry, provider: Provider) -> None:
    """Raise UsageError if another contract, which may share the address, has submitted it."""
    if PROVIDERS.get(entry.provider) is provider:
        return
    ids = [name for name in (typed_name(entry),) if name]
    raise UsageError(
        f"{entry.name} was submitted as {entry.provider}",
        "",
        continue_argv=command_for(entry.provider, entry.service, "resume", ids),
    )


def explain_existing(context: ConversionContext, audio_id: str, exists: RecordExists) -> RecordExists:
    """Return the error for a 409 without a task, with what this machine knows of the conversion."""
    lost = context.journal.current_entry(audio_id)
    if lost is not None:
        said = f"{exists.message}; so the request whose answer was lost here was accepted"
        return RecordExists(said, exists.remedy, None)
    other = context.journal.history.elsewhere(audio_id, context.base_url)
    if other is not None:
        error = RecordExists(
            exists.message,
            f"This machine converted it at {other.service}. To fetch it from there:",
            None,
        )
        error.continue_argv = command_for(
            other.provider, other.service, "resume", [typed_name(other) or audio_id]
        )
        return error
    return exists
