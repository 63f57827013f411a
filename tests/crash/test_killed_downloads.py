"""Downloads killed with SIGKILL; `tests/crash/killed_downloads.py` kills more of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.crash.killed_downloads import check, kills

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.program import Sandbox


@pytest.mark.long
def test_a_killed_download_is_continued(sandbox: Sandbox, tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        trials = {
            kill: pool.submit(check, kill, sandbox, tmp_path / f"{kill.connections}-{kill.number}")
            for kill in kills(2)
        }
    wrong = {kill: trial.exception() for kill, trial in trials.items()}
    assert {kill: error for kill, error in wrong.items() if error} == {}
