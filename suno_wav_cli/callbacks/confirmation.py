"""A callback's claim beside the service's record. The record is the truth, the callback a hint."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from suno_wav_cli.models import WavState

if TYPE_CHECKING:
    from suno_wav_cli.callbacks.payload import Callback
    from suno_wav_cli.models import WavRecord

_SUCCESS = 200
"""A callback's `code` for success (api/README.md, section 5)."""


class Verdict(StrEnum):
    CONFIRMED = "confirmed"
    PENDING = "pending"
    """The service is still working, whatever the callback says."""
    CONTRADICTED = "contradicted"
    UNCONFIRMED = "unconfirmed"
    """The service was not asked, or did not answer."""


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """`reason` says how claim and answer differ. `final` says that asking again is useless."""

    verdict: Verdict
    reason: str | None = None
    final: bool


def compare_with_record(callback: Callback, record: WavRecord) -> Judgement:
    """Compare what a callback claims with the service's record of the task."""
    if record.state is WavState.PENDING:
        return Judgement(verdict=Verdict.PENDING, final=False)
    reason = _find_contradiction(callback, record)
    verdict = Verdict.CONFIRMED if reason is None else Verdict.CONTRADICTED
    return Judgement(verdict=verdict, reason=reason, final=True)


def _find_contradiction(callback: Callback, record: WavRecord) -> str | None:
    claims_success = callback.code == _SUCCESS or (callback.code is None and callback.url is not None)
    claims_failure = callback.code not in (None, _SUCCESS)
    if record.state is WavState.FAILED:
        return "the service says that the conversion failed" if claims_success else None
    if claims_failure:
        return "the service says that the conversion succeeded"
    if callback.url is not None and _host_and_path(callback.url) != _host_and_path(record.url or ""):
        return "the service names another file"
    return None


def _host_and_path(url: str) -> tuple[str, str]:
    """Leave the query out: it is signed afresh for each answer."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", url
    return parts.netloc, parts.path
