"""`--provider sandbox`: what is practised is there in a later run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.program import Finished, run_program


def practise(*arguments: str) -> Finished:
    return run_program(*arguments, "--provider", "sandbox")


def tasks_file() -> Path:
    return Path(os.environ["SUNO_WAV_HOME"]) / "sandbox" / "tasks.jsonl"


@pytest.mark.long
def test_a_later_run_knows_the_tasks_of_an_earlier_one() -> None:
    task_id = practise("convert", "demo", "--no-wait", "--out", "song.wav").out.strip()
    assert practise("jobs", "--json").events[0]["task_id"] == task_id
    assert practise("status", "@last", "--json").events[-1]["record"]["task_id"] == task_id
    done = practise("resume")
    assert (done.code, Path(done.out.strip()).name) == (0, "song.wav")
    # Nothing is paid for twice, and nothing of it is among the conversions of real services.
    assert practise("convert", "demo", "--out", "again.wav").code == 0
    assert practise("credits").out == "99.6\n"
    assert run_program("jobs", "--json").events == []


@pytest.mark.long
def test_a_conversion_goes_on_between_the_runs() -> None:
    practise("convert", "demo-slow+between", "--no-wait")
    kept = tasks_file().read_text()
    # As if it had been submitted an hour ago.
    for word in kept.split(": ")[-3:-1]:
        number = word.partition(",")[0]
        kept = kept.replace(number, str(float(number) - 3600))
    tasks_file().write_text(kept)
    done = practise("status", "@last", "--json")
    assert done.events[-1]["record"]["state"] == "ready"


@pytest.mark.long
@pytest.mark.parametrize("song", ["demo-never", "demo-slow"])
def test_a_song_that_is_at_work_is_still_at_work_in_a_later_run(song: str) -> None:
    practise("convert", f"{song}+work", "--no-wait")
    record = practise("status", "@last", "--json").named("task_status")[0]["record"]
    assert (record["state"], record["completed"]) == ("pending", None)


@pytest.mark.long
def test_a_song_that_failed_is_not_paid_for_again() -> None:
    assert practise("convert", "demo-fails").code == 7
    again = practise("convert", "demo-fails")
    assert (again.code, practise("credits").out) == (7, "99.6\n")
    assert "To pay for another try: suno-wav resume demo-fails --resubmit --provider sandbox" in again.err


@pytest.mark.long
@pytest.mark.parametrize("content", [b"", b"\0" * 4096, b"{}\n" * 4096])
def test_tasks_that_got_lost_are_forgotten_as_a_service_forgets_them(content: bytes) -> None:
    practise("convert", "demo", "--no-wait")
    tasks_file().write_bytes(content)
    assert practise("status", "@last").code == 7
    assert practise("convert", "demo+2").code == 0
