"""The classic mistakes of receivers, found in how one took a row of callbacks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from suno_wav_cli.events import trigger

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from suno_wav_cli.commands.trigger.verdict import AnswerVerdict
    from suno_wav_cli.events import Report
    from suno_wav_cli.sandbox.offer import Fetch

_SUCCESS = "success"
_NO_DATA = ("null", "no-id")
_FAILURES = ("failure", "failure-400", "failure-451", "failure-500")
_OTHER_SPELLINGS = ("camel", "camel-id", "response", "top-level", "jobs")
_STRANGERS = ("unsigned", "wrong-signature")


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """`name` is for programs, `text` and `remedy` are for people."""

    name: str
    text: str
    remedy: str


def find_mistakes(verdicts: Mapping[str, AnswerVerdict], fetched: Mapping[str, Fetch]) -> tuple[Mistake, ...]:
    """Find them in the verdicts on the answers, and in what was fetched, by the samples' names."""
    return tuple(_find_mistakes(verdicts, fetched))


def report_mistakes(mistakes: Sequence[Mistake], report: Report) -> None:
    for mistake in mistakes:
        report(trigger.MistakeFound(mistake=mistake.name, text=mistake.text, remedy=mistake.remedy))


def _find_mistakes(verdicts: Mapping[str, AnswerVerdict], fetched: Mapping[str, Fetch]) -> Iterator[Mistake]:
    if any(fetch.is_early for fetch in fetched.values()):
        yield Mistake(
            name="downloads-first",
            text="the receiver downloads before it answers: a file of 30 to 140 MB takes longer than it has",
            remedy="Let it answer first, and download afterwards: in a thread, a queue or another program.",
        )
    if _SUCCESS in verdicts and verdicts[_SUCCESS].received:
        yield from _find_unread(verdicts)
        unread = [name for name in _OTHER_SPELLINGS if _is_passed_over(name, verdicts, fetched)]
        if unread:
            yield Mistake(
                name="one-spelling",
                text=f"the receiver reads only some spellings of a callback (not {_list(unread)})",
                remedy="Let it look for the task and the address at each place that "
                "`suno-wav trigger --list` names: services and their versions differ.",
            )
    if "twice" in fetched and fetched["twice"].times > 1:
        yield Mistake(
            name="not-idempotent",
            text="the receiver downloads the same file again when its callback is repeated",
            remedy="Let it remember the task ids that it has had: the service repeats callbacks.",
        )
    taken = [name for name in _STRANGERS if name in verdicts and _is_believed(name, verdicts, fetched)]
    if taken:
        yield Mistake(
            name="no-sender-check",
            text=f"the receiver does not check who sends: it takes callbacks of strangers ({_list(taken)})",
            remedy="Let it compare X-Webhook-Signature with base64(HMAC-SHA256(key, task id + '.' + "
            "X-Webhook-Timestamp)), and refuse what differs with 401.",
        )


def _find_unread(verdicts: Mapping[str, AnswerVerdict]) -> Iterator[Mistake]:
    failed = _failed(_NO_DATA, verdicts)
    if failed:
        yield Mistake(
            name="fails-without-data",
            text=f"the receiver fails if `data` is null ({_list(failed)}), and gets the callback again",
            remedy="Let it answer 200 to callbacks in which it finds no task, and pass over them.",
        )
    failed = _failed(_FAILURES, verdicts)
    if failed:
        yield Mistake(
            name="fails-on-failure",
            text=f"the receiver fails on conversions that failed ({_list(failed)}), and gets them again",
            remedy="Let it answer 200 to every code, and note that there is no file.",
        )


def _failed(names: Sequence[str], verdicts: Mapping[str, AnswerVerdict]) -> list[str]:
    return [name for name in names if name in verdicts and verdicts[name].is_at_fault]


def _is_passed_over(name: str, verdicts: Mapping[str, AnswerVerdict], fetched: Mapping[str, Fetch]) -> bool:
    """Tell whether a callback fails, or has no effect where the documented one has its file fetched."""
    if name not in verdicts or verdicts[name].is_at_fault:
        return name in verdicts
    fetches_others = _SUCCESS in fetched and fetched[_SUCCESS].requests > 0
    return verdicts[name].received and fetches_others and name in fetched and not fetched[name].requests


def _is_believed(name: str, verdicts: Mapping[str, AnswerVerdict], fetched: Mapping[str, Fetch]) -> bool:
    """Tell whether a stranger's callback has an effect, as far as that can be told.

    A receiver may answer 200 and pass over it: then it fetches no file, which it does for others.
    """
    if name in fetched and fetched[name].requests:
        return True
    fetches_others = _SUCCESS in fetched and fetched[_SUCCESS].requests > 0
    return verdicts[name].received and not fetches_others


def _list(names: Sequence[str]) -> str:
    return ", ".join(names)
