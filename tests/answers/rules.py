"""What each answer must lead to, by the contract and by what users are promised.

Nothing here comes from the program: no table of codes, no text, no state of the journal.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto

from tests.answers.table import Cell, Command, Lookup, Place, Says, Submission

MOST_LOOKUPS = 400
"""A run that asks more often than this, in the seconds that it has here, does not slow down."""


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """The exit codes that are right, and what the service may have counted for the song.

    `accepted` is None for at most once, `submissions` for any number, `saved` if either is right.
    `lookups` is a range that includes both ends.
    """

    codes: frozenset[int]
    accepted: int | None
    submissions: int | None = None
    lookups: tuple[int, int] = (0, MOST_LOOKUPS)
    saved: bool | None = None


class Outcome(Enum):
    """What a submission's answer makes of the song."""

    ACCEPTED = auto()
    UNKNOWN = auto()
    BUSY = auto()
    INVALID = auto()
    KEY_REFUSED = auto()
    NO_CREDITS = auto()
    FAILED = auto()
    EXISTS = auto()
    LOST_TASK = auto()
    """Accepted under an id that no task has."""
    REFUSED_PAGE = auto()
    """A page with a status of a refusal. Whether that is a certain refusal is not promised."""


_SUNOAPI = {401: Outcome.KEY_REFUSED, 405: Outcome.BUSY, 409: Outcome.EXISTS, 429: Outcome.NO_CREDITS}
_SUNOAPI |= {
    430: Outcome.BUSY,
    451: Outcome.FAILED,
    455: Outcome.BUSY,
    501: Outcome.FAILED,
    531: Outcome.FAILED,
}
_KIE = {401: Outcome.KEY_REFUSED, 402: Outcome.NO_CREDITS, 409: Outcome.EXISTS, 429: Outcome.BUSY}
_KIE |= {433: Outcome.NO_CREDITS, 451: Outcome.FAILED, 455: Outcome.BUSY, 501: Outcome.FAILED}
_KIE |= {505: Outcome.INVALID}
_OUT_OF_TIME = 408, 499

_EXIT = {
    Outcome.ACCEPTED: {0},
    Outcome.UNKNOWN: {6},
    Outcome.BUSY: {6},
    Outcome.INVALID: {7},
    Outcome.KEY_REFUSED: {3},
    Outcome.NO_CREDITS: {4},
    Outcome.FAILED: {7},
    Outcome.EXISTS: {7},
    Outcome.LOST_TASK: {6, 7, 8},
}


def outcome_of(answer: Submission, provider: str) -> Outcome:
    """Read an answer to a submission by the contract (sections 2 and 3), and by its siblings' tables."""
    if answer.code is None:
        return _outcome_without_envelope(answer)
    if answer.code == 200:
        return {
            Place.KNOWN: Outcome.ACCEPTED,
            Place.ELSEWHERE: Outcome.ACCEPTED,
            Place.NOWHERE: Outcome.UNKNOWN,
            Place.FALSE: Outcome.LOST_TASK,
        }[answer.place]
    own, sibling = (_SUNOAPI, _KIE) if provider == "sunoapi" else (_KIE, _SUNOAPI)
    if answer.code in _OUT_OF_TIME or (answer.code >= 500 and answer.code not in own):
        # Neither words nor a sibling's table make it certain. An id that can be looked up does.
        return Outcome.ACCEPTED if answer.place is Place.ELSEWHERE else Outcome.UNKNOWN
    if answer.code == 409 and answer.place is Place.KNOWN:
        return Outcome.ACCEPTED
    if answer.code == 409 and answer.place is Place.FALSE:
        return Outcome.LOST_TASK
    by_code = own.get(answer.code) or sibling.get(answer.code)
    by_words = {"credits": Outcome.NO_CREDITS, "requests": Outcome.BUSY}.get(answer.words or "")
    return by_code or by_words or Outcome.INVALID


def _outcome_without_envelope(answer: Submission) -> Outcome:
    if answer.place is Place.ELSEWHERE:
        return Outcome.ACCEPTED
    if answer.status is None or answer.status == 200 or answer.status >= 500:
        return Outcome.UNKNOWN
    return Outcome.REFUSED_PAGE


def expect(cell: Cell) -> Expectation:
    if isinstance(cell.answer, Submission):
        return _expect_submission(cell.answer, cell.provider, cell.command)
    return _expect_lookup(cell.answer, cell.command)


def _expect_submission(answer: Submission, provider: str, command: Command) -> Expectation:
    """Return what `convert`, and the command after it, must end with. The answer comes once, unless always.

    Only a certain refusal is submitted again: at once if the service is busy, else by a rerun.
    """
    outcome, paid = outcome_of(answer, provider), int(answer.paid)
    if outcome is Outcome.ACCEPTED:
        return Expectation(codes=frozenset({0}), accepted=paid, submissions=1, saved=True)
    if outcome is Outcome.BUSY and not answer.always:
        # Within the one run.
        return Expectation(codes=frozenset({0}), accepted=1, submissions=2, saved=True)
    is_free = answer.code == 409 and command is Command.AGAIN
    if outcome is Outcome.REFUSED_PAGE or is_free:
        # Whether a rerun submits it again is not promised, only that it is paid for once at the most.
        return Expectation(codes=frozenset(range(9)), accepted=None, saved=None)
    if command is Command.LISTEN:
        # Called back under its true id, which the service confirms.
        is_certain = outcome is not Outcome.LOST_TASK
        return Expectation(codes=frozenset({0}), accepted=paid, submissions=1, saved=is_certain or None)
    if outcome in (Outcome.UNKNOWN, Outcome.LOST_TASK):
        # No rerun pays again. `status` has no task to ask for.
        codes = frozenset(_EXIT[outcome] | (set() if command is Command.CONVERT else {2, 6}))
        if answer.code == 409 and command is Command.RESUME:
            # Nothing here was paid for: `resume` says that the song was given up.
            codes |= {0}
        return Expectation(codes=codes, accepted=paid, submissions=1, saved=False)
    return _expect_refused(frozenset(_EXIT[outcome]), command, always=answer.always)


def _expect_refused(codes: frozenset[int], command: Command, *, always: bool) -> Expectation:
    """Return what a song that was certainly not accepted leads to. The program retries once if busy."""
    tries = 2 if always else 1
    match command:
        case Command.AGAIN if not always:
            return Expectation(codes=frozenset({0}), accepted=1, submissions=2, saved=True)
        case Command.AGAIN:
            return Expectation(codes=codes, accepted=0, submissions=2 * tries, saved=False)
        case Command.RESUME:
            codes = frozenset({0})
        case Command.STATUS:
            codes = frozenset({2})
        case _:
            pass
    return Expectation(codes=codes, accepted=0, submissions=tries, saved=False)


def _expect_lookup(answer: Lookup, command: Command) -> Expectation:
    """Return what must become of a song that is paid for. Only its record ends the wait."""
    is_listening = command is Command.LISTEN
    match answer.says:
        case Says.DONE:
            expected = _SAVED
        case Says.FAILED:
            expected = _ended(7, command)
        case Says.KEY_REFUSED if command in (Command.RESUME, Command.STATUS):
            # This run has had no answer with this key that was not a refusal.
            expected = _ended(3, command)
        case Says.KEY_REFUSED if is_listening:
            expected = replace(_SAVED, codes=frozenset({0, 3}), saved=None)
        case Says.UNREADABLE if answer.times is None:
            expected = replace(_SAVED, codes=frozenset({0, 6, 8}), saved=None)
        case Says.UNREADABLE:
            expected = _SAVED
        case _ if answer.times is not None:
            expected = replace(_SAVED, lookups=(answer.times + 1, MOST_LOOKUPS))
        case _:
            # The time is up. Forgotten is only what was never there.
            codes = {7} if answer.says is Says.NOT_THERE else {6, 8}
            codes |= {0, 6, 8} if is_listening else set()
            expected = replace(_SAVED, codes=frozenset(codes), lookups=(2, MOST_LOOKUPS), saved=False)
    return expected


_SAVED = Expectation(codes=frozenset({0}), accepted=1, submissions=1, saved=True)


def _ended(code: int, command: Command) -> Expectation:
    codes = frozenset({0, code} if command is Command.LISTEN else {code})
    return replace(_SAVED, codes=codes, saved=False)
