"""What a quick run of the tests keeps of those that take long. A full run tries everything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _pytest.mark import ParameterSet


def shortlist(cases: Iterable[Any], count: int = 1) -> list[ParameterSet]:
    """Return all cases for `parametrize`. Mark those after the first `count` as long."""
    return [_case(case, is_long=number >= count) for number, case in enumerate(cases)]


def _case(case: Any, *, is_long: bool) -> ParameterSet:
    is_set = hasattr(case, "marks")
    values = case.values if is_set else case if isinstance(case, tuple) else (case,)
    marks = list(case.marks) if is_set else []
    if is_long:
        marks.append(pytest.mark.long)
    return pytest.param(*values, id=case.id if is_set else None, marks=marks)


def examples(count: int) -> int:
    """Return how many examples hypothesis tries: `count` in a full run, a part of them in a quick one."""
    return max(1, count * hypothesis.settings().max_examples // 100)
