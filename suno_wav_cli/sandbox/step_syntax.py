"""Steps as they are written in an audio id, for the CDN's files and for the API's answers.

A step is words joined by `.`, or `ok`. `~3` or `~always` behind it repeats it. A word is a name, a
number, or a name with the number that it takes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

GOOD = "ok"
ALWAYS = "always"
_MOST_TIMES = 9999

_WORD = re.compile(r"([a-z]*)(?:(0|[1-9][0-9]{0,11})([km]?))?")
_TIMES = re.compile(r"[1-9][0-9]{0,3}")

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class StepText:
    """One step. `times` is how often it repeats: None is always."""

    words: tuple[str, ...]
    times: int | None


@dataclass(frozen=True, kw_only=True)
class WordText:
    """One word: `name` may be empty, and `number` too. `unit` is empty, k or m."""

    name: str
    number: int | None
    unit: str


def split_step(text: str) -> StepText:
    """Split a step into its words. Raise ValueError that says what is wrong."""
    words, tilde, times = text.partition("~")
    split = () if words == GOOD else tuple(words.split("."))
    if not tilde:
        return StepText(words=split, times=1)
    if times == ALWAYS:
        return StepText(words=split, times=None)
    if not _TIMES.fullmatch(times):
        raise ValueError(f"'~{times}' is not a number of times")
    return StepText(words=split, times=int(times))


def split_word(text: str) -> WordText | None:
    """Split a word into its name and its number. Return None if it is not a word."""
    match = _WORD.fullmatch(text)
    if match is None or not text:
        return None
    return WordText(name=match[1], number=None if match[2] is None else int(match[2]), unit=match[3] or "")


def check_step(groups: Sequence[str], times: int | None) -> None:
    """Raise ValueError if a step has two faults of one group, or repeats too often."""
    for group in groups:
        if groups.count(group) > 1:
            raise ValueError(f"{group} can be wrong in one way only")
    if times is not None and not 1 <= times <= _MOST_TIMES:
        raise ValueError(f"a step repeats 1 to {_MOST_TIMES} times, or always")


def check_order(times: Sequence[int | None]) -> None:
    """Raise ValueError if steps follow one that repeats always."""
    if None in times[:-1]:
        raise ValueError("nothing can follow a step that repeats always")


def in_turn(steps: Iterable[tuple[T, int | None]], last: T) -> Iterator[T]:
    """Yield each step as often as it repeats, then `last` for ever."""
    for step, times in steps:
        yield from repeat(step) if times is None else repeat(step, times)
    yield from repeat(last)
