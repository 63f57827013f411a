"""`listen --out`: a task that this machine has paid for is followed like one of `convert`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from starlette.responses import HTMLResponse

from tests.commands.test_listen import listening, success
from tests.conversion.test_wait import (
    NOT_THERE,
    ODD,
    PENDING,
    QUICK,
    answer_lookups,
    lookups,
    record,
)
from tests.support.quick import shortlist
from tests.support.wild import PAGE, TASK, TUNE_BYTES, envelope, settings_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.responses import Response

    from tests.support.wild import Wild


def settings(wild: Wild) -> dict[str, str]:
    return settings_for(wild.address) | QUICK


@pytest.mark.long
@pytest.mark.parametrize("odd", shortlist(ODD.values()), ids=ODD)
def test_a_paid_task_is_asked_for_again_whatever_is_answered(wild: Wild, odd: Callable[[], Response]) -> None:
    wild.run("convert", "song", "--no-wait")
    answer_lookups(wild, odd, odd, record(**PENDING), odd, odd)
    with listening("--out", ".", env=settings(wild)) as listener:
        listener.post(success(TASK, None))
        assert listener.next("saved")["path"] == "song.wav"
    assert Path("song.wav").read_bytes() == TUNE_BYTES


@pytest.mark.long
@pytest.mark.parametrize(
    ("answer", "code", "reason"),
    [
        pytest.param(record(**PENDING), 8, "not finished within", id="pending"),
        pytest.param(lambda: HTMLResponse(PAGE, 502), 6, "HTTP 502", id="a page"),
        pytest.param(NOT_THERE, 7, "no such task", id="not there"),
        pytest.param(partial(envelope, 501, "failed"), 7, "failed", id="a code of the conversion"),
        pytest.param(partial(envelope, 401, "no access"), 3, "no access", id="the key"),
    ],
)
def test_a_paid_task_that_is_given_up_is_said(
    wild: Wild, answer: Callable[[], Response], code: int, reason: str
) -> None:
    """With the line that continues, if there is anything to continue."""
    wild.run("convert", "song", "--no-wait")
    answer_lookups(wild, answer, good=False)
    env = settings(wild) | {"SUNO_WAV_TIMEOUT": "1s"}
    with listening("--out", ".", env=env) as listener:
        listener.post(success(TASK, None))
        failed = listener.next("song_failed")
    assert (failed["exit_code"], reason in failed["message"]) == (code, True)
    assert (f"suno-wav resume {TASK}" in failed["remedy"]) == (reason != "failed")


@pytest.mark.long
def test_a_paid_task_that_failed_is_recorded_so(wild: Wild) -> None:
    wild.run("convert", "song", "--no-wait")
    wild.serves(successFlag="CREATE_TASK_FAILED", response=None)
    with listening("--out", ".", "--max-events", "1", env=settings(wild)) as listener:
        listener.post({"code": 501, "msg": "failed", "data": {"task_id": TASK}})
        assert listener.next("delivery_checked")["verdict"] == "confirmed"
        assert listener.process.wait(20) == 0
    assert "the service could not convert the song: CREATE_TASK_FAILED" in wild.run("jobs", "--failed").out


@pytest.mark.long
def test_an_unknown_task_is_asked_for_over_two_minutes(wild: Wild) -> None:
    answer_lookups(wild, NOT_THERE, good=False)
    with listening("--out", ".", env=settings(wild)) as listener:
        listener.post(success(TASK))
        checked = listener.next("delivery_checked")
        assert (checked["verdict"], "no such task" in checked["reason"]) == ("pending", True)
        assert listener.next("delivery_checked")["verdict"] == "contradicted"
    assert lookups(wild) >= 3


@pytest.mark.long
def test_an_unknown_task_is_followed_for_ten_minutes(wild: Wild) -> None:
    """A second here, and not for the time that a wait may take."""
    answer_lookups(wild, record(**PENDING), good=False)
    env = settings(wild) | {"SUNO_WAV_TIMEOUT": "10m"}
    with listening("--out", ".", "--max-events", "1", env=env) as listener:
        listener.post(success(TASK))
        assert listener.next("delivery_checked")["verdict"] == "pending"
        assert listener.process.wait(20) == 0
