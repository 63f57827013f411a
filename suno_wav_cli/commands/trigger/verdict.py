"""What the service would make of an answer to its callback (api/README.md, section 5)."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from suno_wav_cli.system.http_problems import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from suno_wav_cli.callbacks.sender import Answer, ServiceTiming

_OK = 200
_REFUSALS = (*range(400, 500), 501)
"""501 is how some servers refuse a method."""


@dataclass(frozen=True, kw_only=True)
class AnswerVerdict:
    """`received`: the service accepts it. `correctly_refused`: a careful receiver refuses this."""

    received: bool
    correctly_refused: bool
    text: str
    remedy: str = ""
    is_unanswered: bool = False
    """Whether the receiver is not there, or gave no answer in time."""

    @property
    def is_good(self) -> bool:
        """Tell whether the receiver answered as it must."""
        return self.received or self.correctly_refused

    @property
    def is_at_fault(self) -> bool:
        """Tell whether the receiver was there, and gave a wrong answer."""
        return not self.is_good and not self.is_unanswered


def judge_answer(answer: Answer, fault: str | None, timing: ServiceTiming) -> AnswerVerdict:
    """Judge an answer by the service's `timing`. `fault` is why a receiver may refuse."""
    if answer.status == _OK and answer.seconds <= timing.answer:
        text = "received" if fault is None else f"received, though a careful receiver refuses it: {fault}"
        return AnswerVerdict(received=True, correctly_refused=False, text=text)
    # Closing the connection is a refusal too: for a megabyte, the only one that takes no time.
    if fault is not None and (answer.status in _REFUSALS or answer.problem is Problem.BROKEN):
        return AnswerVerdict(received=False, correctly_refused=True, text=f"correctly refused: {fault}")
    reason, remedy = _explain_failure(answer, f"it waits {timing.answer:g} s")
    text = f"the service counts this as failed: {reason}"
    is_unanswered = answer.seconds > timing.answer or answer.problem not in (None, Problem.BROKEN)
    return AnswerVerdict(
        received=False, correctly_refused=False, text=text, remedy=remedy, is_unanswered=is_unanswered
    )


def _explain_failure(answer: Answer, wait: str) -> tuple[str, str]:
    """Return the reason and the remedy. `wait` says how long the service waits."""
    if answer.problem is Problem.SILENT or answer.status == _OK:
        return wait, _ANSWER_FIRST
    if answer.problem is not None:
        detail = f" ({answer.detail})" if answer.detail else ""
        return answer.problem.value + detail, _REMEDIES[answer.problem]
    status = answer.status or 0
    return _STATUSES.get(status) or _CLASSES.get(status // 100, _NOT_200)


_ANSWER_FIRST = "Let the receiver answer first, and work afterwards."
_NOT_200 = "only HTTP 200 counts", "Let the receiver answer HTTP 200."
_PATH = (
    "the receiver knows no such path",
    "Compare the address with the path that the receiver serves, to the last slash.",
)
_METHOD = (
    "the receiver does not accept POST at this path",
    "Let the receiver accept POST, and check the path.",
)
_BODY = (
    "the receiver does not understand the body",
    "Let it read JSON and pass over what it does not know: `suno-wav trigger --list` has every spelling.",
)
_STRANGER = (
    "the receiver requires authorization",
    "The service sends no credentials. If the receiver checks signatures, add --sign, with the same key.",
)
_PROXY = (
    "nothing behind the proxy or tunnel answers",
    "Start the receiver, on the port that it is forwarded to.",
)

_STATUSES: Mapping[int, tuple[str, str]] = MappingProxyType(
    {
        # These two lead nowhere else.
        300: _NOT_200,
        304: _NOT_200,
        400: _BODY,
        401: _STRANGER,
        403: _STRANGER,
        404: _PATH,
        405: _METHOD,
        407: _STRANGER,
        410: _PATH,
        413: ("the body is too large for the receiver", "Let it take bodies of 64 KiB."),
        415: (
            "the receiver does not take this content type",
            "Let it take Content-Type: application/json, which is what the service sends.",
        ),
        422: _BODY,
        429: (
            "the receiver limits the rate of requests",
            "Lift the limit for this path: every callback counts.",
        ),
        501: _METHOD,
        502: _PROXY,
        503: _PROXY,
        504: _PROXY,
    }
)
_CLASSES: Mapping[int, tuple[str, str]] = MappingProxyType(
    {
        3: ("redirects are not followed", "Use the address that it redirects to."),
        4: ("the receiver refuses it", "Look at the receiver's log."),
        5: ("the receiver failed", "Look at the receiver's log."),
    }
)
_REMEDIES: Mapping[Problem, str] = MappingProxyType(
    {
        Problem.NO_NAME: "Correct the host name, or wait until its DNS entry is known.",
        Problem.REFUSED: "Start the receiver, or correct the port.",
        Problem.UNREACHABLE: "Check the host, and that no firewall stops inbound requests.",
        Problem.TLS: "Use a certificate that is valid for this name, with its whole chain; or http:// for a plain receiver.",
        Problem.BROKEN: "Look at the receiver's log, and check that it speaks HTTP at this address: https:// if it speaks TLS.",
    }
)
