"""Answers of the service, met by the program: a few of them here, all of them in `tests.answers.all`."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from suno_wav_cli.sandbox import run_sandbox
from suno_wav_cli.system.loopback import address_of, bind_socket
from tests.answers.all import sample
from tests.answers.rules import Outcome, outcome_of
from tests.answers.table import PROVIDERS, SUBMISSIONS, Command, all_cells
from tests.answers.trial import SPEED, check
from tests.support.program import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.answers.table import Cell

CELLS = {str(cell): cell for cell in all_cells()}
QUICK = (
    "submission nested, sunoapi, convert",
    "submission null, kie, convert again",
    "submission 402, kie-jobs, convert again",
    "lookup 402~2, sunoapi, convert",
    "lookup http403~2, kie, resume",
    "lookup null~2, kie-jobs, status --wait",
)


@pytest.fixture(scope="module")
def hurried() -> Iterator[Sandbox]:
    with bind_socket(0) as bound, run_sandbox(bound, speed=SPEED, credits_left=1_000_000):
        yield Sandbox(base_url=address_of(bound))


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("name", QUICK)
def test_an_answer_ends_as_the_rules_have_it(hurried: Sandbox, tmp_path: Path, name: str) -> None:
    assert check(CELLS[name], hurried, tmp_path) == []


@pytest.mark.long
def test_a_sample_of_all_answers_ends_as_the_rules_have_it(hurried: Sandbox, tmp_path: Path) -> None:
    cells = sample(list(CELLS.values()), 40, seed=11)
    with ThreadPoolExecutor(4) as pool:

        def found(cell: Cell) -> list[str]:
            return check(cell, hurried, tmp_path)

        wrong = dict(zip(map(str, cells), pool.map(found, cells), strict=True))
    assert {name: what for name, what in wrong.items() if what} == {}


@pytest.mark.parametrize(
    ("steps", "provider", "outcome"),
    [
        pytest.param("429", "sunoapi", Outcome.NO_CREDITS, id="its own table"),
        pytest.param("429", "kie", Outcome.BUSY, id="another's own table"),
        pytest.param("402", "sunoapi", Outcome.NO_CREDITS, id="a sibling's table"),
        pytest.param("430", "kie-jobs", Outcome.BUSY, id="the other sibling's table"),
        pytest.param("418.hurry", "kie", Outcome.BUSY, id="words"),
        pytest.param("500.hurry.paid", "kie", Outcome.UNKNOWN, id="words that do not count"),
    ],
)
def test_the_rules_read_a_code_as_the_contract_does(steps: str, provider: str, outcome: Outcome) -> None:
    answer = next(answer for answer in SUBMISSIONS if answer.steps == steps)
    assert outcome_of(answer, provider) is outcome


def test_every_cell_has_a_name_of_its_own() -> None:
    assert len(CELLS) == len(all_cells())
    assert {cell.provider for cell in CELLS.values()} == set(PROVIDERS)
    assert {cell.command for cell in CELLS.values()} == set(Command)
