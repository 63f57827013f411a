"""How `listen` ends by itself, for scripts: with what was awaited, or with exit code 8."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from suno_wav_cli.commands.listen.awaited import Arrivals, Awaited, find_missing, has_all_come
from tests.commands.test_listen import FILE, TASK, decided, listening, success
from tests.support.program import ENDS_WITHIN, run_program
from tests.support.target import KEY

if TYPE_CHECKING:
    from tests.support.program import Sandbox


@pytest.mark.parametrize(
    ("awaited", "arrivals", "is_over", "is_missing"),
    [
        pytest.param(Awaited(), Arrivals(received=5), False, False, id="nothing"),
        pytest.param(Awaited(events=2), Arrivals(received=2), True, False, id="as many as asked for"),
        pytest.param(Awaited(events=2, seconds=1), Arrivals(received=1), False, True, id="fewer"),
        pytest.param(Awaited(seconds=1), Arrivals(received=1), False, True, id="a stranger's alone"),
        pytest.param(Awaited(seconds=1), Arrivals(received=2, genuine=1), False, False, id="a genuine one"),
        pytest.param(Awaited(task_id="t"), Arrivals(received=3, genuine=3), False, True, id="another task"),
        pytest.param(
            Awaited(task_id="t"), Arrivals(received=1, genuine=1, has_task=True), True, False, id="the task"
        ),
        pytest.param(
            Awaited(task_id="t", events=2), Arrivals(received=2, genuine=2), True, True, id="too many others"
        ),
    ],
)
def test_what_is_awaited(awaited: Awaited, arrivals: Arrivals, is_over: bool, is_missing: bool) -> None:
    assert has_all_come(awaited, arrivals) is is_over
    assert (find_missing(awaited, arrivals) is not None) is is_missing


def test_until_ends_with_the_tasks_own_callback_and_not_with_a_forged_one(sandbox: Sandbox) -> None:
    """A failure is claimed of it first, which the service contradicts."""
    task_id, url = decided(sandbox, "demo+until")
    with listening("--until", task_id, env=sandbox.settings) as listener:
        listener.post({"code": 501, "msg": "failed", "data": {"task_id": task_id, "audio_wav_url": None}})
        assert listener.next("delivery_checked")["verdict"] == "contradicted"
        listener.post(success("another-task"))
        assert listener.process.poll() is None
        listener.post(success(task_id, url))
        assert listener.process.wait(ENDS_WITHIN) == 0


def test_until_ends_with_a_signed_callback_where_there_is_no_api_key() -> None:
    with listening("--until", TASK, env={"SUNO_WAV_HMAC_KEY": KEY}) as listener:
        listener.post(success(TASK))
        assert listener.next("delivery_received")["signature"] == "missing"
        assert listener.trigger("--task-id", TASK, "--sign", env={"SUNO_WAV_HMAC_KEY": KEY}) == 0
        assert listener.process.wait(ENDS_WITHIN) == 0


def test_time_that_is_up_is_exit_8() -> None:
    done = run_program("listen", "--port", "0", "--timeout", "1s", "--until", TASK)
    assert done.code == 8
    assert f"no genuine callback of task {TASK} has come" in done.err
    assert f"suno-wav status {TASK}" in done.err


@pytest.mark.long
def test_time_that_is_up_is_exit_0_if_a_delivery_has_come() -> None:
    with listening("--timeout", "5s") as listener:
        listener.post(success(TASK, FILE))
        assert listener.process.wait(ENDS_WITHIN) == 0


@pytest.mark.parametrize("option", ["--save", "--out"])
@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("", "is empty"),
        ("file", "is not a folder"),
        ("-", "standard output"),
        ("~nobody-here/x", "~nobody-here"),
    ],
)
@pytest.mark.first_cases(2)
def test_a_folder_that_cannot_be_used_is_a_usage_error(option: str, value: str, words: str) -> None:
    Path("file").touch()
    done = run_program("listen", f"{option}={value}", "--port", "0", env={"SUNO_API_KEY": "key-1"})
    assert (done.code, done.out) == (2, "")
    assert words in done.err
