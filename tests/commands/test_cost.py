"""What a conversion has really cost, where the service tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.program import run_program

if TYPE_CHECKING:
    from tests.support.program import Sandbox

BOTH = ("demo-dear+cost", "demo+cost")


@pytest.mark.long
def test_what_it_cost_is_told_wherever_the_song_is(sandbox: Sandbox) -> None:
    """In the journal, by `jobs`, with the song, and of the whole run; and it is said if it is not the price."""
    kie = sandbox.as_kie("kie-jobs")
    done = kie.run("convert", *BOTH, "--task-id", "any", "--out", ".", "--json")
    told = {event["audio_id"]: (event["credits"], event["price"]) for event in done.named("saved")}
    assert told == {"demo-dear+cost": (0.8, 0.4), "demo+cost": (0.4, 0.4)}
    (summary,) = done.named("summary")
    assert (summary["credits"], summary["price"]) == (1.2, 0.8)
    jobs = run_program("jobs", "--json").events
    assert {job["audio_id"]: job["credits"] for job in jobs} == {"demo-dear+cost": 0.8, "demo+cost": 0.4}


@pytest.mark.long
def test_another_cost_than_the_price_is_said(sandbox: Sandbox) -> None:
    kie = sandbox.as_kie("kie-jobs")
    said = kie.run("convert", "demo-dear+said", "demo+said", "--task-id", "any", "--out", ".").err
    (dear,) = [line for line in said.splitlines() if line.startswith("demo-dear+said: saved")]
    assert dear.endswith("; it cost 0.8 credits, not 0.4")
    (other,) = [line for line in said.splitlines() if line.startswith("demo+said: saved")]
    assert "cost" not in other
    assert said.splitlines()[-1] == "suno-wav: 2 of 2 saved; it cost 1.2 credits, not 0.8"


@pytest.mark.long
def test_a_failure_may_have_cost_something(sandbox: Sandbox) -> None:
    assert sandbox.as_kie("kie-jobs").run("convert", "demo-fails+cost", "--task-id", "any").code == 7
    (job,) = run_program("jobs", "--json").events
    assert (job["state"], job["credits"]) == ("failed", 0.4)


@pytest.mark.long
def test_what_is_not_told_is_not_invented(sandbox: Sandbox) -> None:
    done = sandbox.run("convert", "demo+untold", "--json")
    assert [event["credits"] for event in done.named("saved")] == [None]
    (summary,) = done.named("summary")
    assert (summary["credits"], summary["price"]) == (None, 0)
