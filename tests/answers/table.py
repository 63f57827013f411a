"""The answers of a service, and what each says by the contract: nothing here is taken from the program."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

PROVIDERS = ("sunoapi", "kie", "kie-jobs")


class Command(Enum):
    """The command that meets the answer. AGAIN is the same `convert` once more."""

    CONVERT = "convert"
    AGAIN = "convert again"
    RESUME = "resume"
    STATUS = "status --wait"
    LISTEN = "listen --out"


class Place(Enum):
    """Where an answer to a submission names the task."""

    KNOWN = auto()
    """Where the documentation or a client has it."""
    ELSEWHERE = auto()
    NOWHERE = auto()
    FALSE = auto()
    """An id that no task has."""


@dataclass(frozen=True, kw_only=True)
class Submission:
    """An answer to a submission, once or `always`, as the sandbox is told to give it.

    `code` is None for a page and for an answer that does not come whole; `status` is a page's.
    `words` is what its message says, if that is not what its code says. `paid` is the truth.
    """

    steps: str
    code: int | None = 200
    status: int | None = None
    words: str | None = None
    paid: bool = True
    place: Place = Place.KNOWN
    always: bool = False

    @property
    def name(self) -> str:
        return self.steps + ("~always" if self.always else "")


class Says(Enum):
    """What an answer to a lookup says of a task that is paid for."""

    NOTHING = auto()
    """A refusal, a page, no connection: ask again."""
    NOT_THERE = auto()
    KEY_REFUSED = auto()
    CONVERSION_CODE = auto()
    """A code that speaks of the conversion: it counts if repeated over a minute."""
    PENDING = auto()
    FAILED = auto()
    DONE = auto()
    """The file's address, in whatever shape."""
    UNREADABLE = auto()
    """A shape that need not be read: save the file, or ask again."""


@dataclass(frozen=True, kw_only=True)
class Lookup:
    """An answer to a lookup, `times` in a row or, if None, always."""

    steps: str
    says: Says
    times: int | None

    @property
    def name(self) -> str:
        return f"{self.steps}~{'always' if self.times is None else self.times}"


def _codes() -> list[Submission]:
    listed = [400, 401, 402, 404, 405, 408, 409, 413, 422, 429, 430, 433, 451, 455, 500, 501, 505, 531]
    unlisted = [418, 499, 503, 599]
    return [
        Submission(steps=f"{code}", code=code, paid=False, place=Place.NOWHERE) for code in listed + unlisted
    ]


def _pages() -> list[Submission]:
    found = []
    for status in (200, 302, 403, 404, 429, 502, 503):
        steps = "page" if status == 200 else f"http{status}"
        found += [
            Submission(steps=steps + word, code=None, status=status, paid=paid, place=Place.NOWHERE)
            for word, paid in (("", False), (".paid", True))
            if status in (200, 502, 503) or not paid
        ]
    return found


SUBMISSIONS = (
    Submission(steps="ok"),
    Submission(steps="snake"),
    Submission(steps="bare"),
    Submission(steps="top"),
    Submission(steps="http201"),
    Submission(steps="slow100"),
    Submission(steps="late100"),
    *(
        Submission(steps=steps, place=Place.ELSEWHERE)
        for steps in ("recordid", "id", "nested", "list", "text", "number", "nested.number", "junk")
    ),
    *(Submission(steps=steps, place=Place.ELSEWHERE) for steps in ("wide", "latin", "nocode", "wordcode")),
    *(Submission(steps=f"nocode.{steps}", place=Place.ELSEWHERE) for steps in ("nested", "number")),
    Submission(steps="cut86", code=None, place=Place.ELSEWHERE),
    Submission(steps="cut60", code=None, place=Place.NOWHERE),
    Submission(steps="cut20", code=None, place=Place.NOWHERE),
    Submission(steps="lose", code=None, place=Place.NOWHERE),
    Submission(steps="reset", code=None, place=Place.NOWHERE),
    Submission(steps="lose.unpaid", code=None, paid=False, place=Place.NOWHERE),
    Submission(steps="null", place=Place.NOWHERE),
    Submission(steps="empty", place=Place.NOWHERE),
    Submission(steps="false", place=Place.FALSE),
    Submission(steps="500.paid", code=500, place=Place.NOWHERE),
    Submission(steps="408.paid", code=408, place=Place.NOWHERE),
    Submission(steps="500.paid.plain", code=500, place=Place.ELSEWHERE),
    Submission(steps="503.http503.paid.nested", code=503, place=Place.ELSEWHERE),
    Submission(steps="exists.plain", code=409, paid=False),
    Submission(steps="409.false", code=409, paid=False, place=Place.FALSE),
    *_codes(),
    Submission(steps="418.poor", code=418, words="credits", paid=False, place=Place.NOWHERE),
    Submission(steps="418.hurry", code=418, words="requests", paid=False, place=Place.NOWHERE),
    Submission(steps="500.poor", code=500, words="credits", paid=False, place=Place.NOWHERE),
    Submission(steps="500.hurry.paid", code=500, words="requests", place=Place.NOWHERE),
    Submission(steps="429.http429.after1", code=429, paid=False, place=Place.NOWHERE),
    Submission(steps="busy", code=430, paid=False, place=Place.NOWHERE, always=True),
    *_pages(),
)


def _lookups() -> list[Lookup]:
    nothing = [400, 402, 405, 408, 409, 413, 418, 429, 430, 433, 455, 500, 503, 505, 599]
    said = {f"{code}": Says.NOTHING for code in nothing}
    said |= {f"{code}": Says.NOT_THERE for code in (404, 422)}
    said |= {f"{code}": Says.CONVERSION_CODE for code in (451, 501, 531)}
    said |= dict.fromkeys(("401", "401.http401", "403.http403"), Says.KEY_REFUSED)
    said |= dict.fromkeys(("null", "empty", "recordnull", "500.absent", "404.http404"), Says.NOT_THERE)
    said |= dict.fromkeys(
        (
            *("429.http429.after1", "503.http503.date1", "http503.after1", "418.hurry", "402.http402"),
            *(
                "page",
                "http302",
                "http403",
                "http404",
                "http429",
                "http502",
                "http503",
                "cut",
                "lose",
                "reset",
            ),
            "othertask",
        ),
        Says.NOTHING,
    )
    said |= dict.fromkeys(
        ("pending", "said", "exception", "odd", "nourl", "unusable", "pending.numeric", "pending.digits"),
        Says.PENDING,
    )
    said |= dict.fromkeys(("failed", "failed.numeric", "failed.digits"), Says.FAILED)
    said |= dict.fromkeys(
        (
            *("ok", "numeric", "digits", "urllist", "urlobject", "urltext", "masked", "nosong", "stale"),
            *("othersong", "slow100", "late100"),
        ),
        Says.DONE,
    )
    said |= dict.fromkeys(
        ("relative", "junk", "wide", "latin", "nocode", "wordcode", "nested", "list", "text"), Says.UNREADABLE
    )
    return [
        Lookup(steps=steps, says=says, times=times) for steps, says in said.items() for times in (2, None)
    ]


LOOKUPS = tuple(_lookups())


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One answer, met by one command at one provider."""

    answer: Submission | Lookup
    provider: str
    command: Command

    def __str__(self) -> str:
        route = "submission" if isinstance(self.answer, Submission) else "lookup"
        return f"{route} {self.answer.name}, {self.provider}, {self.command.value}"


def all_cells() -> list[Cell]:
    submissions = [
        Cell(answer=answer, provider=provider, command=command)
        for answer in SUBMISSIONS
        for provider in PROVIDERS
        for command in Command
        # What is not accepted gets no callback.
        if command is not Command.LISTEN or answer.paid
    ]
    lookups = [
        Cell(answer=answer, provider=provider, command=command)
        for answer in LOOKUPS
        for provider in PROVIDERS
        for command in Command
        if command is not Command.AGAIN
    ]
    return submissions + lookups
