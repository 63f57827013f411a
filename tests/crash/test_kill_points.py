"""Killed with SIGKILL around the paid request, and elsewhere; `tests/crash/every_kill_point.py` goes to every point."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.crash.trial import Story, Way
from tests.crash.walk import check, explored, selected

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.program import Sandbox

_WAYS = [
    Way(provider="sunoapi", called_back=True),
    Way(provider="kie", called_back=False),
    Way(provider="kie-jobs", called_back=False),
    Way(provider="kie-jobs", called_back=False, story=Story.NOT_UNDERSTOOD),
    Way(provider="kie", called_back=False, story=Story.RESUBMITTED),
    Way(provider="sunoapi", called_back=False, story=Story.SECOND),
]


@pytest.mark.long
@pytest.mark.parametrize("share", range(len(_WAYS)), ids=map(str, _WAYS))
def test_a_killed_conversion_ends_with_its_file_and_is_paid_for_once(
    sandbox: Sandbox, tmp_path: Path, share: int
) -> None:
    route = explored(_WAYS[share], sandbox, tmp_path / "explored")
    numbers = selected(route, share, len(_WAYS))
    with ThreadPoolExecutor(2) as pool:
        trials = [pool.submit(check, route, at, sandbox, tmp_path / f"point{at}") for at in numbers]
    wrong = {str(route.points[at]): trial.exception() for at, trial in zip(numbers, trials, strict=True)}
    assert {point: error for point, error in wrong.items() if error} == {}
