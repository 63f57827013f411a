"""What record-info has to say of a callback's claim. The API is the truth; the callback was a hint."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from suno_wav_cli.models import WavState

if TYPE_CHECKING:
    from suno_wav_cli.callbacks.payload import Callback
    from suno_wav_cli.models import WavRecord

_SUCCESS = 200
"""Of a callback's `code` (api/README.md, section 5)."""


class Verdict(StrEnum):
    CONFIRMED = "confirmed"
    PENDING = "pending"
    """The service is still at work, whatever the callback says."""
    CONTRADICTED = "contradicted"
    UNCONFIRMED = "unconfirmed"
    """Nobody was asked, or nobody answered."""


def compare_with_record(callback: Callback, record: WavRecord) -> tuple[Verdict, str | None]:
    """Compare a claim with the record; the second is what they differ in."""
    if record.state is WavState.PENDING:
        return Verdict.PENDING, None
    claims_success = callback.code == _SUCCESS or (callback.code is None and callback.url is not None)
    claims_failure = callback.code not in (None, _SUCCESS)
    if record.state is WavState.FAILED:
        if claims_success:
            return Verdict.CONTRADICTED, "the service says that the conversion failed"
        return Verdict.CONFIRMED, None
    if claims_failure:
        return Verdict.CONTRADICTED, "the service says that the conversion succeeded"
    if callback.url is not None and _place(callback.url) != _place(record.url or ""):
        return Verdict.CONTRADICTED, "the service names another file"
    return Verdict.CONFIRMED, None


def _place(url: str) -> tuple[str, str]:
    """Leave out what is signed afresh for each answer."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", url
    return parts.netloc, parts.path
