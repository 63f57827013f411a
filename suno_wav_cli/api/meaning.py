"""What a code means: by the provider's own table, its siblings', or the words beside it.

See api/README.md, section 3.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import httpx

from suno_wav_cli.api.providers import KIE, SUNOAPI, Meaning

if TYPE_CHECKING:
    from collections.abc import Mapping

    from suno_wav_cli.api.envelope import Envelope
    from suno_wav_cli.api.providers import Provider

_SIBLINGS: Mapping[int, Meaning] = MappingProxyType({**SUNOAPI.codes, **KIE.codes, 403: Meaning.UNAUTHORIZED})
"""How the others read a code that a provider's table lacks. No page lists 403."""

_PHRASES: Mapping[str, Meaning] = MappingProxyType(
    {
        "insufficient credit": Meaning.NO_CREDITS,
        "credits insufficient": Meaning.NO_CREDITS,
        "credits are insufficient": Meaning.NO_CREDITS,
        "not enough credit": Meaning.NO_CREDITS,
        "insufficient balance": Meaning.NO_CREDITS,
        "balance insufficient": Meaning.NO_CREDITS,
        "balance is insufficient": Meaning.NO_CREDITS,
        "out of credits": Meaning.NO_CREDITS,
        "too many requests": Meaning.BUSY,
        "rate limit": Meaning.BUSY,
        "call frequency": Meaning.BUSY,
        "maintenance": Meaning.MAINTENANCE,
        "credits refunded": Meaning.FAILED,
        "credits were refunded": Meaning.FAILED,
        "credits have been refunded": Meaning.FAILED,
    }
)
_NOT_THERE = ("record is null", "recordinfo is null", "does not exist", "task not found", "record not found")
_VAGUE = (Meaning.INVALID, Meaning.SERVER_ERROR)


def read_meaning(answer: Envelope, provider: Provider) -> Meaning:
    """Return what an answer means. Words only decide about a code that no table has."""
    meaning = provider.codes.get(answer.code) or _SIBLINGS.get(answer.code)
    if meaning is not None:
        return meaning
    worded = next((meaning for phrase, meaning in _PHRASES.items() if phrase in answer.words), None)
    return worded or (Meaning.INVALID if is_refusal(answer.code) else Meaning.SERVER_ERROR)


def read_lookup_meaning(answer: Envelope, provider: Provider) -> Meaning:
    """Return what an answer to a lookup means, which may say in words that nothing is there."""
    meaning = read_meaning(answer, provider)
    if meaning is Meaning.EXISTS:
        # Only a submission can find that its record exists.
        meaning = Meaning.INVALID
    says_not_there = any(phrase in answer.words for phrase in _NOT_THERE)
    return Meaning.UNKNOWN_TASK if says_not_there and meaning in _VAGUE else meaning


def read_payment_meaning(answer: Envelope, provider: Provider) -> Meaning:
    """Return what an answer to a paid request means.

    Unless the provider's own table knows its code, only a refusal proves that nothing was accepted.
    """
    if answer.code not in provider.codes and not is_refusal(answer.code):
        return Meaning.SERVER_ERROR
    return read_meaning(answer, provider)


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
