"""Plans of answers as they are written in an audio id, behind `submit-` or `lookup-`."""

from __future__ import annotations

from difflib import get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING

from suno_wav_cli.sandbox.answers.faults import AnswerPlan, AnswerStep, Fault, Kind, Route, Takes
from suno_wav_cli.sandbox.step_syntax import ALWAYS, split_step, split_word

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAMES = {Route.SUBMIT: "submission", Route.LOOKUP: "lookup"}
_UNITS = {"": 1, "k": 1024, "m": 1024 * 1024}

ANSWER_HELP: Mapping[str, str] = MappingProxyType(
    {
        "NNN": "code NNN with the contract's words",
        "unauthorized": "the contract's code for a key that is refused",
        "nocredits": "its code for an account without credits",
        "busy": "its code for too many requests",
        "maintenance": "its code for maintenance",
        "exists": "its code for a record that exists already; with a place, such as `exists.plain`, it names the task",
        "unknown": "its code for a task that it does not know",
        "page": "an HTML page in place of the envelope",
        "httpNNN": "HTTP status NNN: alone with a page, `429.http429` with an envelope; a redirect leads to a page",
        "NNN.afterS": "with `Retry-After: S`; also behind a page",
        "NNN.dateS": "with a `Retry-After` that is a date, S seconds from now",
        "NNN.recordnull": "the message is `recordInfo is null`",
        "NNN.absent": "the message is `the task does not exist`",
        "NNN.poor": "the message is `Insufficient credits`",
        "NNN.hurry": "the message is `Too many requests`",
        "NNN.refunded": "the message is `Generation failed, credits refunded`",
        "NNN.paid": "accepted and paid for all the same; also behind a page",
        "lose.unpaid": "neither accepted nor paid for",
        "null": "`data` is null",
        "empty": "`data` is {}",
        "NNN.plain": "the id in `data.taskId`, of a refusal too: of a task that is ready and was not paid for now",
        "snake": "the id in `data.task_id`",
        "bare": "the id is `data`",
        "top": "the id in `taskId` beside `code`",
        "recordid": "the id in `data.recordId`",
        "id": "the id in `data.id`",
        "nested": "one object deeper",
        "list": "in a list",
        "text": "`data` is a string of JSON",
        "number": "the id is a number",
        "false": "an id that no task has",
        "same": "the id of the first song's task, for songs that differ in the number behind `+` (`+mine-1`, `+mine-2`)",
        "nocode": "`success` in place of `code`",
        "wordcode": "`code` is `SUCCESS` or `ERROR`",
        "junk": "a line of junk before the JSON",
        "wide": "in UTF-16",
        "latin": "in ISO 8859-1, with an accent in the message",
        "slowS": "after S seconds",
        "lateS": "the headers at once, the body after S seconds",
        "cutN": "the connection is closed after N bytes of the body, or in the middle without N",
        "reset": "a TCP reset in the middle of the body",
        "lose": "the connection is closed before the body",
        "hang": "the headers, and then silence",
        "pending": "PENDING, as if it were not decided",
        "said": "PENDING with a message",
        "failed": "GENERATE_WAV_FAILED",
        "exception": "CALLBACK_EXCEPTION without a file",
        "odd": "a flag that no page names",
        "nourl": "SUCCESS without a file",
        "numeric": "the flag as a number: 0 pending, 1 success, 2 and 3 failures",
        "digits": "the same number as text",
        "urllist": "the address in a list",
        "urlobject": "the address in an object",
        "urltext": "the address in a string of JSON",
        "relative": "the address without its host",
        "unusable": "an address that cannot be used: ftp",
        "othersong": "the record names another such song",
        "masked": "the record names the song by its beginning and end only",
        "nosong": "the record names no song",
        "othertask": "the record is of another task",
        "stale": "the record's times lie before the submission, as epoch milliseconds",
    }
)
"""What can be written, and what it does."""

ANSWER_SYNTAX = (
    "steps for the 1st, 2nd, ... answer with `-` between them, what is odd about one with `.` between them, and "
    f"`~3` or `~{ALWAYS}` after a step to repeat it"
)


def parse_answers(text: str, route: Route) -> AnswerPlan:
    """Read the plan of a route's answers. Raise ValueError that says what is wrong."""
    return AnswerPlan(steps=tuple(_parse_step(step, route) for step in text.split("-")))


def _parse_step(text: str, route: Route) -> AnswerStep:
    split = split_step(text)
    return AnswerStep(faults=tuple(_parse_fault(word, route) for word in split.words), times=split.times)


def _parse_fault(text: str, route: Route) -> Fault:
    word = split_word(text)
    if word is None:
        raise ValueError(f"'{text}' is not an answer")
    name, number = word.name, word.number
    if name not in [*Kind]:
        near = get_close_matches(name, [*Kind], 1)
        raise ValueError(f"'{text}' is not an answer" + (f"; did you mean '{near[0]}'?" if near else ""))
    kind = Kind(name)
    if route not in kind.routes:
        raise ValueError(f"'{kind}' is not an answer to a {_NAMES[route]}")
    if word.unit and kind.takes is not Takes.BYTES_OR_MIDDLE:
        raise ValueError(f"'{kind or number}' takes {kind.takes}")
    return Fault(kind, None if number is None else number * _UNITS[word.unit])
