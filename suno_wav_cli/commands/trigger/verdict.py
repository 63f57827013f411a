"""What the service would make of an answer to its callback, in its documentation's terms (api/README.md, section 5)."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from suno_wav_cli.callbacks.sender import ANSWER_SECONDS, Problem, answer_seconds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from suno_wav_cli.callbacks.sender import Answer

_OK = 200
_REFUSALS = (*range(400, 500), 501)
"""501 is how some say that they know no such method."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """`received` as the service counts; `refused_rightly` where a careful receiver takes no such delivery."""

    received: bool
    refused_rightly: bool
    text: str
    remedy: str = ""

    @property
    def as_it_must(self) -> bool:
        return self.received or self.refused_rightly


def judge(answer: Answer, fault: str | None, speed: float) -> Verdict:
    """`fault` is why a careful receiver refuses the delivery, None where it must not."""
    if answer.status == _OK and answer.seconds <= answer_seconds(speed):
        text = "received" if fault is None else f"received, though a careful receiver refuses it: {fault}"
        return Verdict(received=True, refused_rightly=False, text=text)
    # To close the connection is a way of refusing too: of a megabyte, the only one that takes no time.
    if fault is not None and (answer.status in _REFUSALS or answer.problem is Problem.BROKEN):
        return Verdict(received=False, refused_rightly=True, text=f"refused, and rightly: {fault}")
    reason, remedy = _failure(answer, speed)
    text = f"the service counts this as failed: {reason}"
    return Verdict(received=False, refused_rightly=False, text=text, remedy=remedy)


def _failure(answer: Answer, speed: float) -> tuple[str, str]:
    """Say why, and what to do."""
    if answer.problem is not None:
        reason, remedy = _PROBLEMS[answer.problem]
        return _late(reason, speed) if answer.problem is Problem.SILENT else _with(
            reason, answer.detail
        ), remedy
    status = answer.status or 0
    if status == _OK:
        return _late("", speed), _ANSWER_FIRST
    return _STATUSES.get(status) or _CLASSES.get(status // 100, _NOT_200)


def _late(reason: str, speed: float) -> str:
    here = "" if speed == 1 else f", at this speed {answer_seconds(speed):g} s"
    return f"{reason}it waits {ANSWER_SECONDS:g} s{here}"


def _with(reason: str, detail: str) -> str:
    return f"{reason} ({detail})" if detail else reason


_ANSWER_FIRST = "Let the receiver answer first, and work afterwards."
_NOT_200 = "only HTTP 200 counts", "Let the receiver answer HTTP 200."
_PATH = (
    "the receiver knows no such path",
    "Compare the address with the path that the receiver serves, to the last slash.",
)
_METHOD = "the receiver takes no POST at this path", "Let the receiver take POST, and check the path."
_BODY = (
    "the receiver does not understand the body",
    "Let it read JSON and pass over what it does not know: `suno-wav trigger --list` has every spelling.",
)
_STRANGER = (
    "the receiver lets only somebody else in",
    "The service sends no credentials. Where the receiver checks signatures: --sign, with the same key.",
)
_PROXY = (
    "nothing behind the proxy or tunnel answers",
    "Start the receiver, on the port that it is forwarded to.",
)

_STATUSES: Mapping[int, tuple[str, str]] = MappingProxyType(
    {
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
        429: ("the receiver is asked too often", "Take the limit off for this path: every callback counts."),
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
        5: ("the receiver broke", "Look at the receiver's log."),
    }
)
_PROBLEMS: Mapping[Problem, tuple[str, str]] = MappingProxyType(
    {
        Problem.NO_NAME: (
            Problem.NO_NAME.value,
            "Correct the host name, or wait until its DNS entry is known.",
        ),
        Problem.REFUSED: (Problem.REFUSED.value, "Start the receiver, or correct the port."),
        Problem.UNREACHABLE: (
            Problem.UNREACHABLE.value,
            "Check the host, and that no firewall stops inbound requests.",
        ),
        Problem.TLS: (
            Problem.TLS.value,
            "Use a certificate that is valid for this name, with its whole chain; or http:// for a plain receiver.",
        ),
        Problem.SILENT: ("", _ANSWER_FIRST),
        Problem.BROKEN: (
            Problem.BROKEN.value,
            "Look at the receiver's log, and check that it speaks HTTP at this address: https:// where it does TLS.",
        ),
    }
)
