"""What a check finds, and what a check is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from suno_wav_cli.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from suno_wav_cli.errors import SunoWavError

SECONDS = 20.0
"""For a check. What answers later is as good as dead."""


class Verdict(StrEnum):
    OK = "ok"
    WARNING = "warning"
    """`convert` goes on, with less, or something wants attention soon."""
    FAILED = "failed"
    """`convert` would end with the finding's exit code."""
    SKIPPED = "skipped"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A verdict, the fact it rests on, and what to do about it."""

    verdict: Verdict
    fact: str
    remedy: str | None = None
    exit_code: ExitCode = ExitCode.OK


@dataclass(frozen=True, kw_only=True)
class Check:
    """`run` returns a finding, or raises SunoWavError, which is one that failed.

    It is skipped unless each check that it `needs` has passed, and if it is `online` and the person
    wants none of these. A check that does not end within `seconds` has failed with `exit_code`.
    """

    name: str
    run: Callable[[], Awaitable[Finding]]
    online: bool = False
    needs: tuple[str, ...] = ()
    seconds: float = SECONDS
    exit_code: ExitCode = ExitCode.UNAVAILABLE


def passed(fact: str) -> Finding:
    return Finding(verdict=Verdict.OK, fact=fact)


def warned(fact: str, remedy: str) -> Finding:
    return Finding(verdict=Verdict.WARNING, fact=fact, remedy=remedy)


def failed(fact: str, remedy: str, exit_code: ExitCode) -> Finding:
    return Finding(verdict=Verdict.FAILED, fact=fact, remedy=remedy, exit_code=exit_code)


def skipped(fact: str, remedy: str | None = None) -> Finding:
    return Finding(verdict=Verdict.SKIPPED, fact=fact, remedy=remedy)


def from_error(error: SunoWavError) -> Finding:
    return failed(error.message, error.remedy, error.exit_code)
