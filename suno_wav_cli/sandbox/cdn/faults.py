"""The faults of the CDN: which exist, which go together, and in which order requests meet them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from suno_wav_cli.sandbox.step_syntax import check_order, check_step, in_turn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Takes(StrEnum):
    """What the number behind a fault's name means."""

    NOTHING = "nothing"
    BYTES = "bytes"
    BYTES_OR_MIDDLE = "bytes, or nothing for the middle of the body"
    SECONDS = "seconds"
    STATUS = "a status"
    REFUSAL = "a status with which an address is refused"


class Group(StrEnum):
    """The part of a response that a fault spoils.

    A response has at most one fault of each group.
    """

    ANSWER = "what is answered"
    RETRY_AFTER = "Retry-After"
    FILE = "the file"
    RANGE = "the range"
    CODING = "Content-Encoding"
    LENGTH = "Content-Length"
    PACE = "the pace"
    END = "the end of the body"
    ADDRESS = "the address from then on"


class Kind(StrEnum):
    """A kind of fault, by its name in an audio id. A status is written as its number alone."""

    STATUS = ""
    AFTER = "after"
    CHALLENGE = "challenge"
    LOST = "lost"
    ASTRAY = "astray"
    FTP = "ftp"
    PAGE = "page"
    MPEG = "mpeg"
    EMPTY = "empty"
    CHANGED = "changed"
    IGNORE = "ignore"
    SHIFT = "shift"
    TOTAL = "total"
    BARE = "bare"
    PARTIAL = "partial"
    GZIP = "gzip"
    X_GZIP = "xgzip"
    MEMBERS = "members"
    TWICE = "twice"
    ZLIB = "zlib"
    DEFLATE = "deflate"
    LIE = "lie"
    AWS = "aws"
    UTF = "utf"
    NONE = "none"
    BOMB = "bomb"
    CHUNKED = "chunked"
    LONGER = "longer"
    SHORTER = "shorter"
    TRICKLE = "trickle"
    CUT = "cut"
    RESET = "reset"
    STALL = "stall"
    THEN = "then"

    @property
    def group(self) -> Group:
        return _RULES[self][0]

    @property
    def takes(self) -> Takes:
        return _RULES[self][1]


_RULES: Mapping[Kind, tuple[Group, Takes]] = MappingProxyType(
    {
        Kind.STATUS: (Group.ANSWER, Takes.STATUS),
        Kind.CHALLENGE: (Group.ANSWER, Takes.STATUS),
        Kind.LOST: (Group.ANSWER, Takes.NOTHING),
        Kind.ASTRAY: (Group.ANSWER, Takes.NOTHING),
        Kind.FTP: (Group.ANSWER, Takes.NOTHING),
        Kind.PAGE: (Group.ANSWER, Takes.NOTHING),
        Kind.MPEG: (Group.ANSWER, Takes.NOTHING),
        Kind.EMPTY: (Group.ANSWER, Takes.NOTHING),
        Kind.AFTER: (Group.RETRY_AFTER, Takes.SECONDS),
        Kind.CHANGED: (Group.FILE, Takes.NOTHING),
        Kind.IGNORE: (Group.RANGE, Takes.NOTHING),
        Kind.SHIFT: (Group.RANGE, Takes.BYTES),
        Kind.TOTAL: (Group.RANGE, Takes.BYTES),
        Kind.BARE: (Group.RANGE, Takes.NOTHING),
        Kind.PARTIAL: (Group.RANGE, Takes.NOTHING),
        Kind.GZIP: (Group.CODING, Takes.NOTHING),
        Kind.X_GZIP: (Group.CODING, Takes.NOTHING),
        Kind.MEMBERS: (Group.CODING, Takes.NOTHING),
        Kind.TWICE: (Group.CODING, Takes.NOTHING),
        Kind.ZLIB: (Group.CODING, Takes.NOTHING),
        Kind.DEFLATE: (Group.CODING, Takes.NOTHING),
        Kind.LIE: (Group.CODING, Takes.NOTHING),
        Kind.AWS: (Group.CODING, Takes.NOTHING),
        Kind.UTF: (Group.CODING, Takes.NOTHING),
        Kind.NONE: (Group.CODING, Takes.NOTHING),
        Kind.BOMB: (Group.CODING, Takes.BYTES),
        Kind.CHUNKED: (Group.LENGTH, Takes.NOTHING),
        Kind.LONGER: (Group.LENGTH, Takes.BYTES),
        Kind.SHORTER: (Group.LENGTH, Takes.BYTES),
        Kind.TRICKLE: (Group.PACE, Takes.BYTES),
        Kind.CUT: (Group.END, Takes.BYTES_OR_MIDDLE),
        Kind.RESET: (Group.END, Takes.BYTES_OR_MIDDLE),
        Kind.STALL: (Group.END, Takes.BYTES_OR_MIDDLE),
        Kind.THEN: (Group.ADDRESS, Takes.REFUSAL),
    }
)

REFUSALS = (202, 400, 401, 403, 404, 410, 416)
"""Statuses that refuse an address until `record-info` returns another."""

REDIRECTS = (301, 302, 303, 307, 308)
STATUSES = (202, *REDIRECTS, *range(400, 600))
_LARGEST = 10**12 - 1


@dataclass(frozen=True)
class Fault:
    """One fault, with the number that its kind takes.

    Raise ValueError if the number does not fit.
    """

    kind: Kind
    number: int | None = None

    def __post_init__(self) -> None:
        if not _can_have(self.kind.takes, self.number):
            raise ValueError(f"'{self.kind or self.number}' takes {self.kind.takes}")


def _can_have(takes: Takes, number: int | None) -> bool:
    match takes:
        case Takes.NOTHING:
            return number is None
        case Takes.BYTES:
            return number is not None and 1 <= number <= _LARGEST
        case Takes.BYTES_OR_MIDDLE:
            return number is None or 0 <= number <= _LARGEST
        case Takes.SECONDS:
            return number is not None and 0 <= number <= _LARGEST
        case Takes.STATUS:
            return number in STATUSES
        case Takes.REFUSAL:
            return number in REFUSALS


@dataclass(frozen=True, kw_only=True)
class Step:
    """The faults of `times` responses in a row, or of all that follow if None.

    No faults: a good response. Raise ValueError if the faults do not go together.
    """

    faults: tuple[Fault, ...] = ()
    times: int | None = 1

    def __post_init__(self) -> None:
        groups = [fault.kind.group for fault in self.faults]
        check_step(groups, self.times)
        alone = {Group.ANSWER, Group.RETRY_AFTER}
        if Group.ANSWER in groups and not set(groups) <= alone:
            raise ValueError("a replacement for the file has no other faults")
        if Group.RETRY_AFTER in groups and self.number_of(Kind.STATUS) is None:
            raise ValueError("'after' goes with a status")

    def of(self, group: Group) -> Fault | None:
        return next((fault for fault in self.faults if fault.kind.group is group), None)

    def has(self, kind: Kind) -> bool:
        return any(fault.kind is kind for fault in self.faults)

    def number_of(self, kind: Kind) -> int | None:
        return next((fault.number for fault in self.faults if fault.kind is kind), None)


GOOD = Step()


class Trait(StrEnum):
    """What holds for all requests of a file."""

    WEAK = "weak"
    UNTAGGED = "untagged"
    RANGELESS = "rangeless"
    STALE = "stale"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The steps that the requests for a file meet in turn, then good responses.

    Raise ValueError.
    """

    steps: tuple[Step, ...] = ()
    traits: frozenset[Trait] = frozenset()

    def __post_init__(self) -> None:
        if {Trait.WEAK, Trait.UNTAGGED} <= self.traits:
            raise ValueError("untagged and weak do not go together")
        check_order([step.times for step in self.steps])

    def in_turn(self) -> Iterator[Step]:
        """Return the step of each request, without end."""
        return in_turn(((step, step.times) for step in self.steps), GOOD)


FAULTLESS = Plan()


def always(*faults: Fault) -> Plan:
    return Plan(steps=(Step(faults=faults, times=None),))


def once(*faults: Fault) -> Plan:
    return Plan(steps=(Step(faults=faults),))
