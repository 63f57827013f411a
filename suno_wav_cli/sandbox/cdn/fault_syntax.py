"""Fault plans as they are written in an audio id, behind `cdn-`.

A plan is traits and then steps (step_syntax.py), joined by `-`. The first request for the file
meets the first step. A fault is a status, or the name of its kind with the number that it takes.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from suno_wav_cli.sandbox.cdn.faults import Fault, Kind, Plan, Step, Takes, Trait
from suno_wav_cli.sandbox.step_syntax import ALWAYS, GOOD, split_step, split_word

if TYPE_CHECKING:
    from collections.abc import Mapping

_UNITS = {"": 1, "k": 1024, "m": 1024 * 1024}

FAULT_HELP: Mapping[str, str] = MappingProxyType(
    {
        "cutN": "the connection is closed after N bytes of the body, or in the middle without N",
        "resetN": "a TCP reset after N bytes of the body, or in its middle",
        "stallN": "silence after N bytes of the body, or in its middle",
        "trickleN": "N bytes a second",
        "NNN": "status NNN: 202, a redirect to the file, 4xx or 5xx; 202, 400, 401, 403, 404, 410 and 416 until `record-info` names a new address",
        "NNN.afterS": "the status with `Retry-After: S`",
        "cutN.thenNNN": "after this answer the address is refused with such a status, until `record-info` names a new one",
        "challengeNNN": "status NNN with a page for browsers, as a protection against robots sends it",
        "lost": "a redirect without a Location",
        "astray": "a redirect to something that is not an address",
        "ftp": "a redirect to ftp://",
        "changed": "from this request on another file of the same length, with another ETag",
        "ignore": "the whole file in place of the range that was asked for",
        "shiftN": "a range that begins N bytes too late, as its Content-Range says",
        "totalN": "a Content-Range with a total that is N too great",
        "bare": "206 without a Content-Range",
        "partial": "206 with a Content-Range, asked for or not",
        "longerN": "a Content-Length that is N too great",
        "shorterN": "a Content-Length that is N too small, though all bytes are sent",
        "chunked": "no Content-Length",
        "gzip": "packed on top, asked for or not",
        "xgzip": "the same, named x-gzip",
        "members": "packed in several members of gzip",
        "twice": "packed twice",
        "zlib": "packed as `deflate`, which is the format of zlib",
        "deflate": "packed as raw deflate, as some servers read the same name",
        "lie": "said to be packed with gzip, and not packed",
        "aws": "not packed, with the Content-Encoding aws-chunked",
        "utf": "not packed, with the Content-Encoding UTF-8",
        "none": "not packed, with the Content-Encoding none",
        "bombN": "N zero bytes in place of the file, packed to a thousandth",
        "page": "an HTML page in place of the file",
        "mpeg": "an MP3 in place of the file",
        "empty": "no bytes in place of the file",
        "ok": "a good answer, before a step that is not",
        "weak": "every ETag is a weak one; as the next three, it stands before the steps",
        "untagged": "there is no ETag",
        "rangeless": "there are no ranges",
        "stale": "`record-info` goes on to name the first address; only `common/download-url` of kie names a new one",
    }
)
"""What can be written, and what it does."""

SYNTAX = (
    "steps for the 1st, 2nd, ... request for the file with `-` between them, faults of one step with `.` between "
    f"them, and `~3` or `~{ALWAYS}` after a step to repeat it; N is 1000, 64k or 2m"
)


def parse_plan(text: str) -> Plan:
    """Read a plan. Raise ValueError that says what is wrong."""
    items = text.split("-")
    traits: list[Trait] = []
    while items and items[0] in [*Trait]:
        traits.append(Trait(items.pop(0)))
    if len(set(traits)) < len(traits):
        raise ValueError("a trait is named once")
    return Plan(steps=tuple(_parse_step(item) for item in items), traits=frozenset(traits))


def format_step(step: Step) -> str:
    """Write a step so that `parse_plan` reads the same."""
    text = ".".join(map(_format_fault, step.faults)) or GOOD
    if step.times == 1:
        return text
    return f"{text}~{ALWAYS if step.times is None else step.times}"


def _parse_step(text: str) -> Step:
    split = split_step(text)
    return Step(faults=tuple(map(_parse_fault, split.words)), times=split.times)


def _parse_fault(text: str) -> Fault:
    word = split_word(text)
    if word is None or word.name not in [*Kind]:
        raise ValueError(f"'{text}' is not a fault")
    kind, number = Kind(word.name), word.number
    if word.unit and kind.takes not in (Takes.BYTES, Takes.BYTES_OR_MIDDLE):
        raise ValueError(f"'{kind or number}' takes {kind.takes}")
    return Fault(kind, None if number is None else number * _UNITS[word.unit])


def _format_fault(fault: Fault) -> str:
    if fault.number is None:
        return fault.kind
    unit = ""
    if fault.kind.takes in (Takes.BYTES, Takes.BYTES_OR_MIDDLE) and fault.number:
        unit = next(unit for unit in ("m", "k", "") if fault.number % _UNITS[unit] == 0)
    return f"{fault.kind}{fault.number // _UNITS[unit]}{unit}"
