"""What can be odd about an answer of the API, and which oddities go together."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from suno_wav_cli.sandbox.step_syntax import check_order, check_step, in_turn

if TYPE_CHECKING:
    from collections.abc import Iterator


class Route(StrEnum):
    SUBMIT = "submit"
    LOOKUP = "lookup"


class Takes(StrEnum):
    """What the number behind a fault's name means."""

    NOTHING = "nothing"
    CODE = "a code of three digits"
    STATUS = "an HTTP status from 200 to 599"
    SECONDS = "seconds"
    BYTES_OR_MIDDLE = "bytes, or nothing for the middle of the body"


class Group(StrEnum):
    """The part of an answer that a fault changes. An answer has at most one fault of each group."""

    CODE = "the code"
    STATUS = "the HTTP status"
    RETRY_AFTER = "Retry-After"
    WORDS = "the message"
    PAYMENT = "whether it is accepted"
    PLACE = "the place of the id or the record"
    ID = "the id"
    ENVELOPE = "the envelope"
    CODING = "the encoding"
    PACE = "the pace"
    END = "the end of the answer"
    VERDICT = "the verdict"
    FLAG = "the flag"
    ADDRESS = "the file's address"
    SONG = "the song in the record"
    TASK = "the task in the record"
    TIME = "the time in the record"


class Kind(StrEnum):
    """A kind of fault, by its name in an audio id. A code is written as its number alone."""

    CODE = ""
    UNAUTHORIZED = "unauthorized"
    NO_CREDITS = "nocredits"
    BUSY = "busy"
    MAINTENANCE = "maintenance"
    EXISTS = "exists"
    UNKNOWN = "unknown"
    PAGE = "page"
    HTTP = "http"
    AFTER = "after"
    DATE = "date"
    RECORD_NULL = "recordnull"
    ABSENT = "absent"
    POOR = "poor"
    HURRY = "hurry"
    REFUNDED = "refunded"
    PAID = "paid"
    UNPAID = "unpaid"
    NULL = "null"
    EMPTY = "empty"
    PLAIN = "plain"
    SNAKE = "snake"
    BARE = "bare"
    TOP = "top"
    RECORD_ID = "recordid"
    ID = "id"
    NESTED = "nested"
    LIST = "list"
    TEXT = "text"
    NUMBER = "number"
    FALSE = "false"
    SAME = "same"
    NO_CODE = "nocode"
    WORD_CODE = "wordcode"
    JUNK = "junk"
    WIDE = "wide"
    LATIN = "latin"
    SLOW = "slow"
    LATE = "late"
    CUT = "cut"
    RESET = "reset"
    LOSE = "lose"
    HANG = "hang"
    PENDING = "pending"
    SAID = "said"
    FAILED = "failed"
    EXCEPTION = "exception"
    ODD = "odd"
    NO_URL = "nourl"
    NUMERIC = "numeric"
    DIGITS = "digits"
    URL_LIST = "urllist"
    URL_OBJECT = "urlobject"
    URL_TEXT = "urltext"
    RELATIVE = "relative"
    UNUSABLE = "unusable"
    OTHER_SONG = "othersong"
    MASKED = "masked"
    NO_SONG = "nosong"
    OTHER_TASK = "othertask"
    STALE = "stale"

    @property
    def group(self) -> Group:
        return next(group for group, kinds in _GROUPS.items() if self in kinds)

    @property
    def takes(self) -> Takes:
        return _TAKES.get(self, Takes.NOTHING)

    @property
    def routes(self) -> tuple[Route, ...]:
        """The requests whose answers can be odd in this way."""
        if self.group in _OF_A_SUBMISSION or self in _SUBMISSION_PLACES:
            return (Route.SUBMIT,)
        if self.group in _OF_A_RECORD or self is Kind.UNKNOWN:
            return (Route.LOOKUP,)
        return (Route.SUBMIT, Route.LOOKUP)


_TAKES = {
    Kind.CODE: Takes.CODE,
    Kind.HTTP: Takes.STATUS,
    Kind.AFTER: Takes.SECONDS,
    Kind.DATE: Takes.SECONDS,
    Kind.SLOW: Takes.SECONDS,
    Kind.LATE: Takes.SECONDS,
    Kind.CUT: Takes.BYTES_OR_MIDDLE,
}
REASONS = (Kind.UNAUTHORIZED, Kind.NO_CREDITS, Kind.BUSY, Kind.MAINTENANCE, Kind.EXISTS, Kind.UNKNOWN)
"""Refusals for which each contract has a code of its own."""

_SUBMISSION_PLACES = (Kind.PLAIN, Kind.SNAKE, Kind.BARE, Kind.TOP, Kind.RECORD_ID, Kind.ID, Kind.EXISTS)
_GROUPS = {
    Group.CODE: (Kind.CODE, Kind.PAGE, *REASONS),
    Group.STATUS: (Kind.HTTP,),
    Group.RETRY_AFTER: (Kind.AFTER, Kind.DATE),
    Group.WORDS: (Kind.RECORD_NULL, Kind.ABSENT, Kind.POOR, Kind.HURRY, Kind.REFUNDED),
    Group.PAYMENT: (Kind.PAID, Kind.UNPAID),
    Group.PLACE: (
        *(Kind.NULL, Kind.EMPTY, Kind.PLAIN, Kind.SNAKE, Kind.BARE, Kind.TOP),
        *(Kind.RECORD_ID, Kind.ID, Kind.NESTED, Kind.LIST, Kind.TEXT),
    ),
    Group.ID: (Kind.NUMBER, Kind.FALSE, Kind.SAME),
    Group.ENVELOPE: (Kind.NO_CODE, Kind.WORD_CODE),
    Group.CODING: (Kind.JUNK, Kind.WIDE, Kind.LATIN),
    Group.PACE: (Kind.SLOW, Kind.LATE),
    Group.END: (Kind.CUT, Kind.RESET, Kind.LOSE, Kind.HANG),
    Group.VERDICT: (Kind.PENDING, Kind.SAID, Kind.FAILED, Kind.EXCEPTION, Kind.ODD, Kind.NO_URL),
    Group.FLAG: (Kind.NUMERIC, Kind.DIGITS),
    Group.ADDRESS: (Kind.URL_LIST, Kind.URL_OBJECT, Kind.URL_TEXT, Kind.RELATIVE, Kind.UNUSABLE),
    Group.SONG: (Kind.OTHER_SONG, Kind.MASKED, Kind.NO_SONG),
    Group.TASK: (Kind.OTHER_TASK,),
    Group.TIME: (Kind.STALE,),
}
_OF_A_SUBMISSION = (Group.PAYMENT, Group.ID)
_OF_A_RECORD = (Group.VERDICT, Group.FLAG, Group.ADDRESS, Group.SONG, Group.TASK, Group.TIME)
_LARGEST = 10**12 - 1
_MOST_SECONDS = 10**9
"""From now, that is still a date."""
_REDIRECT = 300


@dataclass(frozen=True)
class Fault:
    """One fault, with the number that its kind takes. Raise ValueError if the number does not fit."""

    kind: Kind
    number: int | None = None

    def __post_init__(self) -> None:
        if not _can_have(self.kind.takes, self.number):
            raise ValueError(f"'{self.kind or self.number}' takes {self.kind.takes}")


def _can_have(takes: Takes, number: int | None) -> bool:
    match takes:
        case Takes.NOTHING:
            return number is None
        case Takes.CODE:
            return number is not None and 100 <= number <= 999
        case Takes.STATUS:
            return number is not None and 200 <= number <= 599
        case Takes.SECONDS:
            return number is not None and 0 <= number <= _MOST_SECONDS
        case Takes.BYTES_OR_MIDDLE:
            return number is None or 0 <= number <= _LARGEST


@dataclass(frozen=True, kw_only=True)
class AnswerStep:
    """The faults of `times` answers in a row, or of all that follow if None.

    No faults: a good answer. Raise ValueError if the faults do not go together.
    """

    faults: tuple[Fault, ...] = ()
    times: int | None = 1

    def __post_init__(self) -> None:
        groups = [fault.kind.group for fault in self.faults]
        check_step(groups, self.times)
        if Group.RETRY_AFTER in groups and not self.is_refusal:
            raise ValueError("Retry-After goes with a refusal")
        if self.is_page and set(groups) & {Group.WORDS, Group.PLACE, Group.ID, Group.ENVELOPE, *_OF_A_RECORD}:
            raise ValueError("a page is not an envelope")

    def has(self, kind: Kind) -> bool:
        return any(fault.kind is kind for fault in self.faults)

    def number_of(self, kind: Kind) -> int | None:
        return next((fault.number for fault in self.faults if fault.kind is kind), None)

    def of(self, group: Group) -> Fault | None:
        return next((fault for fault in self.faults if fault.kind.group is group), None)

    @property
    def is_page(self) -> bool:
        """Whether a page is answered: `page`, or an HTTP status of a refusal without a code."""
        if self.of(Group.CODE) is None:
            return (self.number_of(Kind.HTTP) or 0) >= _REDIRECT
        return self.has(Kind.PAGE)

    @property
    def is_refusal(self) -> bool:
        code = self.of(Group.CODE)
        return self.is_page or (code is not None and code.number != 200)

    @property
    def accepts(self) -> bool:
        """Whether a submission that meets this step is accepted, and paid for."""
        if self.of(Group.PAYMENT) is None:
            return not self.is_refusal
        return self.has(Kind.PAID)

    @property
    def names_task(self) -> bool:
        """Whether a refused submission is answered with a task's id all the same."""
        return bool({Group.PLACE, Group.ID} & {fault.kind.group for fault in self.faults}) and not (
            self.has(Kind.NULL) or self.has(Kind.EMPTY)
        )


GOOD_ANSWER = AnswerStep()


@dataclass(frozen=True, kw_only=True)
class AnswerPlan:
    """The steps that the requests of a route meet in turn, then good answers.

    Raise ValueError.
    """

    steps: tuple[AnswerStep, ...] = ()

    def __post_init__(self) -> None:
        check_order([step.times for step in self.steps])

    def in_turn(self) -> Iterator[AnswerStep]:
        """Return the step of each answer, without end."""
        return in_turn(((step, step.times) for step in self.steps), GOOD_ANSWER)


GOOD_ANSWERS = AnswerPlan()


def repeat(*faults: Fault, times: int | None = None) -> AnswerPlan:
    return AnswerPlan(steps=(AnswerStep(faults=faults, times=times),))
