"""Batches that are ended at a random moment; `tests/crash/killed_batches.py` ends more of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.crash.killed_batches import batches, check, serving

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.long
def test_a_batch_that_is_ended_at_any_moment_is_finished_by_the_same_command(tmp_path: Path) -> None:
    with serving() as (sandbox, service):
        for batch in batches(runs=3, songs=60, seed=2):
            check(batch, sandbox, service, tmp_path / str(batch.number))
