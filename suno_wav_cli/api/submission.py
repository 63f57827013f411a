"""What the answer to a paid request says: the new task, or one of our errors."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import httpx

from suno_wav_cli.api.candidates import choose_new, find_candidates, make_excerpt
from suno_wav_cli.api.envelope import find_named_task, find_task_id
from suno_wav_cli.api.error_messages import (
    describe_answer,
    describe_page,
    quote_answer,
    remedy_for,
    submission_unknown,
)
from suno_wav_cli.api.lookup import make_status_error
from suno_wav_cli.api.meaning import is_refusal, read_payment_meaning
from suno_wav_cli.api.providers import Meaning
from suno_wav_cli.errors import (
    ConversionFailed,
    GenerationFailed,
    NoCredits,
    NotAuthorized,
    RecordExists,
    ServiceUnavailable,
    SubmissionUnknown,
    TooManyRequests,
)
from suno_wav_cli.system.http_errors import describe_error

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from suno_wav_cli.api.envelope import Envelope
    from suno_wav_cli.api.providers import Provider
    from suno_wav_cli.api.transport import Answer
    from suno_wav_cli.errors import SunoWavError
    from suno_wav_cli.models import Song

_REFUSALS: Mapping[Meaning, type[SunoWavError]] = MappingProxyType(
    {Meaning.NO_CREDITS: NoCredits, Meaning.KEY_CAP: NoCredits, Meaning.UNAUTHORIZED: NotAuthorized}
)
_WITHOUT_TASK = (Meaning.EXISTS, Meaning.NO_CREDITS, Meaning.KEY_CAP, Meaning.UNAUTHORIZED)
"""Refusals that cannot have started a task, even if the answer names one."""


def read_submission(
    answer: Answer, *, provider: Provider, host: str, song: Song, secrets: Sequence[str]
) -> str:
    """Return the id of the task that was started.

    Raise SubmissionUnknown if that is not certain, and what `Client.submit` raises if certainly none
    was. `secrets` are cut out of an answer that is kept.
    """
    envelope = answer.envelope
    if envelope is None:
        # A redirect that is not followed accepts nothing, but "see other" follows on what was done. A
        # body that could not be read may accept the request, whatever the status.
        is_sent_away = httpx.codes.is_redirect(answer.status) and answer.status != httpx.codes.SEE_OTHER
        if answer.readable and (is_refusal(answer.status) or is_sent_away):
            raise make_status_error(answer, provider, host)
        reason = describe_error(answer.error) if answer.error else describe_page(answer.status)
        raise _make_unknown(reason, answer, song, secrets)
    # Quoted from the request: the new task has an id of its own.
    quoted = (None, song.audio_id, song.music_task_id)
    meaning, task_id = read_payment_meaning(envelope, provider), find_task_id(envelope)
    if task_id in quoted:
        task_id = None
    if meaning is Meaning.SUCCESS:
        if task_id is None:
            raise _make_unknown("the service accepted the request but named no task", answer, song, secrets)
        return task_id
    # What has a task may be paid for, whatever the code is.
    has_task = find_named_task(envelope) not in quoted and meaning not in _WITHOUT_TASK
    if meaning is Meaning.SERVER_ERROR or has_task:
        named = f" and named task {task_id}" if task_id else ""
        raise _make_unknown(f"the service answered {quote_answer(envelope)}{named}", answer, song, secrets)
    if meaning is Meaning.EXISTS:
        raise RecordExists(
            describe_answer(meaning, envelope),
            remedy_for(meaning, provider),
            task_id,
            candidates=() if task_id else _find_new(answer, song, secrets),
        )
    raise _make_refusal(meaning, envelope, provider, answer.retry_after)


def _make_unknown(reason: str, answer: Answer, song: Song, secrets: Sequence[str]) -> SubmissionUnknown:
    return submission_unknown(
        reason,
        answer=make_excerpt(answer.body, secrets, answer.charset),
        candidates=_find_new(answer, song, secrets),
    )


def _find_new(answer: Answer, song: Song, secrets: Sequence[str]) -> tuple[str, ...]:
    candidates = [named for named in find_candidates(answer.body, answer.charset) if named not in secrets]
    return choose_new(candidates, (song.audio_id, song.music_task_id))


def _make_refusal(
    meaning: Meaning, envelope: Envelope, provider: Provider, retry_after: float | None
) -> SunoWavError:
    """Return the error for a request that was certainly not accepted."""
    if meaning is Meaning.UNKNOWN_TASK:
        # Nothing was looked up: something that the request names is not known.
        meaning = Meaning.INVALID
    message, remedy = describe_answer(meaning, envelope), remedy_for(meaning, provider)
    if meaning in (Meaning.BUSY, Meaning.MAINTENANCE):
        kind = TooManyRequests if meaning is Meaning.BUSY else ServiceUnavailable
        return kind(message, f"Nothing was charged for this. {remedy}", retry_after=retry_after)
    if meaning in (Meaning.FAILED, Meaning.SOURCE_LOST):
        return GenerationFailed(message, remedy, code=envelope.code)
    return _REFUSALS.get(meaning, ConversionFailed)(message, remedy)
