"""What an answer other than success means: one of our errors, by the provider's table (api/README.md, section 3)."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import httpx

from suno_wav_cli.api.parsing import find_task_id
from suno_wav_cli.api.providers import Meaning
from suno_wav_cli.errors import (
    ConversionFailed,
    GenerationFailed,
    NoCredits,
    NotAuthorized,
    RecordExists,
    ServiceUnavailable,
    SubmissionUnknown,
    SunoWavError,
    TaskUnknown,
)
from suno_wav_cli.system.http_errors import describe_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from suno_wav_cli.api.parsing import Envelope
    from suno_wav_cli.api.providers import Provider

PAY_AGAIN = (
    "Nothing is paid twice by itself. Look at your account's log; to pay for another try, add --resubmit."
)
_LATER = "Try again in a while."
_CHECK_TASK = (
    "Check the id: it must be that of a WAV task of this --provider. What the service has forgotten comes back only by a new "
    "conversion, which is charged: convert ID --resubmit"
)
_CHECK_KEY = (
    "Check SUNO_API_KEY, or the key that `suno-wav login` has kept, and that it belongs to this provider."
)

_REFUSALS: Mapping[Meaning, tuple[type[SunoWavError], str, str]] = MappingProxyType(
    {
        Meaning.UNAUTHORIZED: (NotAuthorized, "the service refused the API key", _CHECK_KEY),
        Meaning.NO_CREDITS: (
            NoCredits,
            "not enough credits",
            "Top up at your provider, then run the same command again.",
        ),
        Meaning.BUSY: (ServiceUnavailable, "too many requests", _LATER),
        Meaning.MAINTENANCE: (
            ServiceUnavailable,
            "the service is in maintenance",
            _LATER,
        ),
        Meaning.SOURCE_LOST: (
            GenerationFailed,
            "the service could not fetch the song's audio",
            "The song may be too old, or deleted at the service: generate it again, or try later.",
        ),
        Meaning.FAILED: (
            GenerationFailed,
            "the conversion failed",
            "Running `convert` again submits it anew, which may be charged again.",
        ),
        Meaning.UNKNOWN_TASK: (
            TaskUnknown,
            "the service does not know this task",
            _CHECK_TASK,
        ),
        Meaning.DISABLED: (
            ConversionFailed,
            "the service has switched this off",
            "Ask your provider, or choose another --provider.",
        ),
        Meaning.SERVER_ERROR: (ServiceUnavailable, "the service has trouble", _LATER),
    }
)


def refusal(answer: Envelope, provider: Provider, *, paid: bool) -> SunoWavError:
    """Read a `code` other than success, for a `paid` submission or for a free lookup."""
    meaning = provider.codes.get(answer.code)
    said = f"{answer.message or 'no reason given'} (code {answer.code})"
    if meaning is None and not is_refusal(answer.code):
        meaning = Meaning.SERVER_ERROR
    if paid and meaning is Meaning.SERVER_ERROR:
        task_id = find_task_id(answer)
        return submission_unknown(
            f"the service answered {said}" + (f" and named task {task_id}" if task_id else "")
        )
    if paid and meaning is Meaning.EXISTS:
        return RecordExists(
            f"the service already has a WAV of this song: {said}",
            "Its task id is not known here; your account's log may name it: suno-wav status TASK_ID --wait --download",
            find_task_id(answer),
        )
    if meaning is None or meaning not in _REFUSALS or (paid and meaning is Meaning.UNKNOWN_TASK):
        return ConversionFailed(
            f"the service refused the request: {said}",
            "Check the id. For a submission, give the song's music task too, where you know it: --task-id ID",
        )
    kind, what, remedy = _REFUSALS[meaning]
    if paid and meaning in (Meaning.BUSY, Meaning.MAINTENANCE):
        remedy = f"Nothing was charged for this. {remedy}"
    return kind(f"{what}: {said}", remedy)


def is_refusal(number: int) -> bool:
    """Tell whether a code or an HTTP status says by itself that a request was not accepted.

    408 and 499 are about time, not about the request.
    """
    return 400 <= number < 500 and number not in (408, 499)  # noqa: PLR2004 - as HTTP has them


def refusal_by_status(status: int, host: str) -> SunoWavError:
    """Judge by the HTTP status, which counts only where the body is not an envelope (section 1)."""
    said = no_envelope(status)
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return NotAuthorized(f"the service refused the API key: {said}", _CHECK_KEY)
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return ServiceUnavailable(f"too many requests: {said}", _LATER)
    if httpx.codes.MULTIPLE_CHOICES <= status < httpx.codes.INTERNAL_SERVER_ERROR:
        return ConversionFailed(
            f"{host} is not the API: {said}",
            "Check --base-url. (Redirects are not followed: the key would go along.)",
        )
    return ServiceUnavailable(f"{host} has trouble: {said}", _LATER)


def no_envelope(status: int) -> str:
    return f"HTTP {status} with something that is not an answer of the API"


def unreachable(error: httpx.HTTPError) -> ServiceUnavailable:
    return ServiceUnavailable(
        f"the service cannot be reached: {describe_error(error)}",
        "Check the network and --base-url, then try again.",
    )


def submission_unknown(what: str) -> SubmissionUnknown:
    return SubmissionUnknown(
        f"it is not known whether the song was submitted and charged: {what}",
        PAY_AGAIN,
    )
