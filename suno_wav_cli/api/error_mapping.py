"""From an answer that is not a success to one of our errors (api/README.md, sections 1 and 3)."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import httpx

from suno_wav_cli.api.error_messages import ERROR_TEXTS, describe_page, quote_answer, submission_unknown
from suno_wav_cli.api.parsing import find_task_id
from suno_wav_cli.api.providers import Meaning
from suno_wav_cli.errors import (
    ConversionFailed,
    GenerationFailed,
    NoCredits,
    NotAuthorized,
    RecordExists,
    ServiceUnavailable,
    SunoWavError,
    TaskUnknown,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from suno_wav_cli.api.parsing import Envelope
    from suno_wav_cli.api.providers import Provider

_ERRORS: Mapping[Meaning, type[SunoWavError]] = MappingProxyType(
    {
        Meaning.INVALID: ConversionFailed,
        Meaning.UNAUTHORIZED: NotAuthorized,
        Meaning.NO_CREDITS: NoCredits,
        Meaning.UNKNOWN_TASK: TaskUnknown,
        Meaning.BUSY: ServiceUnavailable,
        Meaning.MAINTENANCE: ServiceUnavailable,
        Meaning.SOURCE_LOST: GenerationFailed,
        Meaning.SERVER_ERROR: ServiceUnavailable,
        Meaning.FAILED: GenerationFailed,
        Meaning.DISABLED: ConversionFailed,
        Meaning.NOT_THE_API: ConversionFailed,
    }
)


def classify_code(code: int, provider: Provider) -> Meaning:
    """Return what a code means. One that the provider's table lacks is read like an HTTP status."""
    fallback = Meaning.INVALID if is_refusal(code) else Meaning.SERVER_ERROR
    return provider.codes.get(code, fallback)


def classify_status(status: int) -> Meaning:
    """Return what an HTTP status means. It counts only if the body is not an envelope."""
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return Meaning.UNAUTHORIZED
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return Meaning.BUSY
    if httpx.codes.MULTIPLE_CHOICES <= status < httpx.codes.INTERNAL_SERVER_ERROR:
        return Meaning.NOT_THE_API
    return Meaning.SERVER_ERROR


def is_refusal(number: int) -> bool:
    """Tell whether a code or an HTTP status alone proves that a request was not accepted.

    408 and 499 do not: they are about time.
    """
    return 400 <= number < 500 and number not in (408, 499)  # noqa: PLR2004 - as HTTP has them


def make_submission_error(answer: Envelope, provider: Provider) -> SunoWavError:
    """Return the error for a submission that was answered with a code other than success."""
    meaning, said = classify_code(answer.code, provider), quote_answer(answer)
    text, task_id = ERROR_TEXTS[meaning], find_task_id(answer)
    remedy = text.remedy
    match meaning:
        case Meaning.SERVER_ERROR:
            named = f" and named task {task_id}" if task_id else ""
            return submission_unknown(f"the service answered {said}{named}")
        case Meaning.EXISTS:
            return RecordExists(f"{text.summary}: {said}", remedy, task_id)
        case Meaning.UNKNOWN_TASK:
            return _refuse_request(said)
        case Meaning.BUSY | Meaning.MAINTENANCE:
            remedy = f"Nothing was charged for this. {remedy}"
        case _:
            pass
    return _ERRORS[meaning](f"{text.summary}: {said}", remedy)


def make_lookup_error(answer: Envelope, provider: Provider) -> SunoWavError:
    """Return the error for a lookup that was answered with a code other than success."""
    meaning, said = classify_code(answer.code, provider), quote_answer(answer)
    if meaning is Meaning.EXISTS:
        # Only a submission can find that its record exists.
        return _refuse_request(said)
    text = ERROR_TEXTS[meaning]
    return _ERRORS[meaning](f"{text.summary}: {said}", text.remedy)


def make_status_error(status: int, host: str) -> SunoWavError:
    """Return the error for an answer that is not an envelope."""
    meaning, said = classify_status(status), describe_page(status)
    summary = ERROR_TEXTS[meaning].summary
    if meaning is Meaning.NOT_THE_API:
        summary = f"{host} is not the API"
    elif meaning is Meaning.SERVER_ERROR:
        summary = f"{host} has trouble"
    return _ERRORS[meaning](f"{summary}: {said}", ERROR_TEXTS[meaning].remedy)


def _refuse_request(said: str) -> ConversionFailed:
    text = ERROR_TEXTS[Meaning.INVALID]
    return ConversionFailed(f"{text.summary}: {said}", text.remedy)
