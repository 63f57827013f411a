"""What the answer to a lookup says: its content, or one of our errors."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import httpx

from suno_wav_cli.api.error_messages import (
    ASK_AGAIN,
    ERROR_TEXTS,
    LOOK_AGAIN,
    describe_answer,
    describe_page,
    remedy_for,
)
from suno_wav_cli.api.meaning import classify_status, read_lookup_meaning
from suno_wav_cli.api.providers import Meaning
from suno_wav_cli.api.records import read_record
from suno_wav_cli.api.values import find_id, matches_id, read_fields
from suno_wav_cli.errors import (
    ConversionFailed,
    GenerationFailed,
    NoCredits,
    NotAuthorized,
    ServiceUnavailable,
    TaskUnknown,
    TooManyRequests,
)
from suno_wav_cli.system.http_errors import describe_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from suno_wav_cli.api.envelope import Envelope
    from suno_wav_cli.api.providers import Provider
    from suno_wav_cli.api.transport import Answer
    from suno_wav_cli.errors import SunoWavError
    from suno_wav_cli.models import WavRecord

_ERRORS: Mapping[Meaning, type[SunoWavError]] = MappingProxyType(
    {
        Meaning.UNAUTHORIZED: NotAuthorized,
        Meaning.NO_CREDITS: NoCredits,
        Meaning.KEY_CAP: NoCredits,
        Meaning.UNKNOWN_TASK: TaskUnknown,
        Meaning.BUSY: TooManyRequests,
        Meaning.MAINTENANCE: ServiceUnavailable,
        Meaning.SERVER_ERROR: ServiceUnavailable,
    }
)


def read_record_answer(
    answer: Answer, *, provider: Provider, host: str, base_url: str, task_id: str
) -> WavRecord:
    """Return the record of a task. It may be paid for, so few other answers count against it.

    Raise TaskUnknown, NotAuthorized, GenerationFailed, and for all the rest ServiceUnavailable.
    """
    envelope = answer.envelope
    if envelope is None:
        raise _make_page_error(answer, provider, host)
    meaning = read_lookup_meaning(envelope, provider)
    if meaning is not Meaning.SUCCESS:
        raise _make_record_error(meaning, envelope, provider, answer)
    record, fields = read_record(task_id, envelope.data, base_url), read_fields(envelope.data)
    if record.url is None and all(value is None for value in fields.values()):
        unknown = ERROR_TEXTS[Meaning.UNKNOWN_TASK]
        raise TaskUnknown(f"{unknown.summary}: an answer without a record", unknown.remedy)
    shown = find_id(fields.get("taskId"), fields.get("task_id"))
    if shown is not None and not matches_id(shown, task_id):
        raise ServiceUnavailable(
            "the service answered with the record of another task", ASK_AGAIN, retry_after=answer.retry_after
        )
    return record


def read_answer(answer: Answer, provider: Provider, host: str) -> Envelope:
    """Return the answer to any other lookup. Raise the error that it stands for."""
    envelope = answer.envelope
    if envelope is None:
        raise make_status_error(answer, provider, host)
    meaning = read_lookup_meaning(envelope, provider)
    if meaning is not Meaning.SUCCESS:
        raise _make_error(meaning, describe_answer(meaning, envelope), provider, answer.retry_after)
    return envelope


def make_status_error(answer: Answer, provider: Provider, host: str) -> SunoWavError:
    """Return the error for an answer that is not an envelope."""
    if answer.error is not None:
        return ServiceUnavailable(
            f"{host} has not answered in full: {describe_error(answer.error)}",
            "Check the network, then try again.",
        )
    meaning = classify_status(answer.status)
    summary = ERROR_TEXTS[meaning].summary
    if meaning is Meaning.NOT_THE_API:
        summary = f"{host} is not the API"
    elif meaning is Meaning.SERVER_ERROR:
        summary = f"{host} has trouble"
    return _make_error(meaning, f"{summary}: {describe_page(answer.status)}", provider, answer.retry_after)


def _make_error(
    meaning: Meaning, message: str, provider: Provider, retry_after: float | None
) -> SunoWavError:
    kind, remedy = _ERRORS.get(meaning, ConversionFailed), remedy_for(meaning, provider)
    if issubclass(kind, ServiceUnavailable):
        return kind(message, remedy, retry_after=retry_after)
    return kind(message, remedy)


def _make_record_error(
    meaning: Meaning, envelope: Envelope, provider: Provider, answer: Answer
) -> SunoWavError:
    """Return the error for a refused lookup. Most codes say nothing about the task, and may pass."""
    message = describe_answer(meaning, envelope)
    if meaning in (Meaning.UNKNOWN_TASK, Meaning.UNAUTHORIZED):
        return _make_error(meaning, message, provider, None)
    if meaning in (Meaning.SOURCE_LOST, Meaning.FAILED):
        return GenerationFailed(message, LOOK_AGAIN, code=envelope.code)
    return ServiceUnavailable(message, ASK_AGAIN, retry_after=answer.retry_after)


def _make_page_error(answer: Answer, provider: Provider, host: str) -> SunoWavError:
    """Return the error for a page. A proxy in front of the service may have sent it."""
    if answer.error is not None or answer.status == httpx.codes.UNAUTHORIZED:
        return make_status_error(answer, provider, host)
    return ServiceUnavailable(
        f"{host} has trouble: {describe_page(answer.status)}", ASK_AGAIN, retry_after=answer.retry_after
    )
