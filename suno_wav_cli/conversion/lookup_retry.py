"""What follows an answer to a lookup: decisions only.

Only the record ends the wait for a task that is paid for. Every other answer means to ask again,
unless it is repeated as `WaitLimits` says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from suno_wav_cli.errors import (
    DownloadFailed,
    GenerationFailed,
    NotAuthorized,
    ServiceUnavailable,
    StillRunning,
    SunoWavError,
    TaskForgotten,
    TaskUnknown,
)
from suno_wav_cli.models import WavRecord, WavState

if TYPE_CHECKING:
    from suno_wav_cli.config.wait_limits import Repetition, WaitLimits

Answer: TypeAlias = WavRecord | SunoWavError

_GROWTH = 8
"""A task is looked up again after an eighth of its age, so that an old one is not asked for as often as a new one."""

_NOT_TWICE = "Nothing is paid twice by itself."


@dataclass(frozen=True, kw_only=True, slots=True)
class Answers:
    """What the lookups of one task have come to. Times are seconds on the monotonic clock.

    The `last` answer came at `at`. It is the last of `times` answers in a row that say the same, the
    first of which came at `since`. `refusals` counts those in a row without a record. `found` if any
    answer was not "not there".
    """

    last: Answer | None = None
    at: float = 0.0
    times: int = 0
    since: float = 0.0
    refusals: int = 0
    found: bool = False

    def after(self, answer: Answer, at: float) -> Answers:
        """Count one more answer."""
        is_repeated = self.last is not None and _meaning(self.last) == _meaning(answer)
        return Answers(
            last=answer,
            at=at,
            times=self.times + 1 if is_repeated else 1,
            since=self.since if is_repeated else at,
            refusals=0 if isinstance(answer, WavRecord) else self.refusals + 1,
            found=self.found or not isinstance(answer, TaskUnknown),
        )

    def repeat(self, limit: Repetition) -> bool:
        """Tell whether the last answer was repeated as often and as long as `limit` says."""
        return self.times >= limit.times and self.at - self.since >= limit.seconds


@dataclass(frozen=True, kw_only=True, slots=True)
class WaitTerms:
    """What the decisions of one wait depend on besides the answers.

    `paid` if the journal knows the task. `began` is when the wait did, and `deleted_at` when the
    service deletes the task's file, both on the monotonic clock. Before that date, it cannot have
    forgotten the task.
    """

    limits: WaitLimits
    poll_interval: float
    paid: bool
    deleted_at: float
    began: float


@dataclass(frozen=True, kw_only=True, slots=True)
class AskAgain:
    """Look the task up after `seconds`. A callback may shorten that to `at_least`."""

    seconds: float
    at_least: float


Step: TypeAlias = AskAgain | WavRecord | SunoWavError


def next_step(answers: Answers, terms: WaitTerms, *, key_worked: bool) -> Step:
    """Decide what follows the last answer: another lookup, the record of a file, or an error.

    `key_worked` if the service has accepted the key in this run.
    """
    if isinstance(answers.last, WavRecord) and answers.last.state is WavState.READY:
        return answers.last
    return _reason_to_end(answers, terms, key_worked=key_worked) or _pause(answers, terms)


def _reason_to_end(answers: Answers, terms: WaitTerms, *, key_worked: bool) -> SunoWavError | None:
    limits = terms.limits
    match answers.last:
        case WavRecord(state=WavState.FAILED) as record:
            return _failure_of(record)
        case WavRecord(unusable_url=str()) as record if answers.repeat(limits.unusable_url):
            return DownloadFailed(message_of(record) or "", "")
        case GenerationFailed() as failed if answers.repeat(limits.failure_code):
            return GenerationFailed(failed.message, _NOT_TWICE, code=failed.code)
        case NotAuthorized() as refused if not key_worked or answers.repeat(limits.key_refused):
            return refused
        case TaskUnknown() as unknown if _may_be_deleted(answers, terms) and answers.repeat(
            limits.task_unknown
        ):
            return _forgotten(unknown) if terms.paid else unknown
        case _:
            return None


def _may_be_deleted(answers: Answers, terms: WaitTerms) -> bool:
    return not terms.paid or answers.at >= terms.deleted_at


def time_is_up(answers: Answers, terms: WaitTerms, timeout: float) -> SunoWavError:
    """Return the error for a wait that has lasted `timeout` seconds."""
    last = answers.last
    if isinstance(last, TaskUnknown) and not answers.found:
        remedy = "It is paid for, and may be there later." if terms.paid else last.remedy
        return TaskUnknown(f"{last.message}, in {timeout:g} s", remedy)
    if isinstance(last, SunoWavError):
        return ServiceUnavailable(last.message, "")
    said = message_of(last) if last else None
    return StillRunning(f"not finished within {timeout:g} s{f': {said}' if said else ''}", "")


def message_of(record: WavRecord) -> str | None:
    """Return what is to be said of a task that is not finished, if anything is."""
    if record.unusable_url is not None:
        # Its query may be a signature.
        address = record.unusable_url.partition("?")[0]
        return f"the service names an address that cannot be used: {address}"
    said = " ".join(text for text in (record.error_code, record.error_message) if text)
    return f"the service says {said}" if said else None


def _forgotten(unknown: TaskUnknown) -> TaskForgotten:
    return TaskForgotten(
        f"the service has forgotten the task, which it keeps no longer: {unknown.message}",
        "Only a new conversion, which is charged, brings the file back.",
    )


def _failure_of(record: WavRecord) -> GenerationFailed:
    said = " ".join(text for text in (record.error_code, record.error_message) if text) or "no reason given"
    return GenerationFailed(
        f"the service could not convert the song: {record.flag} ({said})", _NOT_TWICE, cost=record.credits
    )


def _meaning(answer: Answer) -> object:
    """Return what two answers have in common that say the same."""
    if isinstance(answer, WavRecord):
        return answer.unusable_url is not None
    return type(answer), answer.code if isinstance(answer, GenerationFailed) else None


def _pause(answers: Answers, terms: WaitTerms) -> AskAgain:
    """Return when to ask again: after the poll interval, or slower and slower.

    Refusals double the pause, and a task's age lets it grow.
    """
    limits = terms.limits
    pause = max(terms.poll_interval, min((answers.at - terms.began) / _GROWTH, limits.longest_pause))
    if answers.refusals:
        first = min(limits.first_pause, terms.poll_interval)
        longest = max(limits.longest_pause, terms.poll_interval)
        # Bounded, because 2.0**1024 overflows.
        pause = min(longest, first * 2.0 ** min(answers.refusals - 1, 60))
    wanted = 0.0
    if isinstance(answers.last, ServiceUnavailable):
        wanted = min(answers.last.retry_after or 0.0, limits.longest_retry_after)
    at_least = max(wanted, min(limits.least_pause, terms.poll_interval))
    return AskAgain(seconds=max(pause, at_least), at_least=at_least)
