"""How `listen` ends by itself, for scripts: with what was awaited, or with exit code 8."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from suno_wav_cli.commands.listen.awaited import Arrivals, Awaited, find_missing, has_all_come
from tests.commands.test_listen import FILE, TASK, decided, listening, success
from tests.support.program import ENDS_WITHIN, run_program
from tests.support.target import KEY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.commands.test_listen import Listener
    from tests.support.program import Sandbox


def arrived(received: int, *genuine: str, task: bool = False, counts_all: bool = False) -> Arrivals:
    return Arrivals(received=received, genuine=set(genuine), has_task=task, counts_all=counts_all)


@pytest.mark.parametrize(
    ("awaited", "arrivals", "is_over", "is_missing"),
    [
        pytest.param(Awaited(), arrived(5, "a"), False, False, id="nothing"),
        pytest.param(Awaited(events=2), arrived(9, "a", "b"), True, False, id="as many as asked for"),
        pytest.param(
            Awaited(events=2, seconds=1), arrived(9, "a"), False, True, id="the rest is of strangers"
        ),
        pytest.param(
            Awaited(events=2), arrived(2, counts_all=True), True, False, id="there are no strangers"
        ),
        pytest.param(Awaited(events=2, seconds=1), arrived(1, counts_all=True), False, True, id="fewer"),
        pytest.param(Awaited(seconds=1), arrived(1), False, True, id="a stranger's alone"),
        pytest.param(Awaited(seconds=1), arrived(2, "a"), False, False, id="a genuine one"),
        pytest.param(Awaited(seconds=1), arrived(1, counts_all=True), False, False, id="any one"),
        pytest.param(Awaited(task_id="t"), arrived(3, "a"), False, True, id="another task"),
        pytest.param(Awaited(task_id="t"), arrived(3, counts_all=True), False, True, id="a claim alone"),
        pytest.param(Awaited(task_id="t"), arrived(1, "t", task=True), True, False, id="the task"),
        pytest.param(Awaited(task_id="t", events=2), arrived(9, "a", "b"), True, True, id="too many others"),
    ],
)
def test_what_is_awaited(awaited: Awaited, arrivals: Arrivals, is_over: bool, is_missing: bool) -> None:
    assert has_all_come(awaited, arrivals) is is_over
    assert (find_missing(awaited, arrivals, ()) is not None) is is_missing


def test_a_task_that_comes_again_counts_once() -> None:
    arrivals, awaited = Arrivals(), Awaited(events=2)
    for _ in range(3):
        arrivals.note_genuine("a", awaited)
    assert not has_all_come(awaited, arrivals)
    arrivals.note_genuine("b", awaited)
    assert has_all_come(awaited, arrivals)


@contextmanager
def listening_in_public(port: int, *arguments: str, env: dict[str, str]) -> Iterator[Listener]:
    """A `listen` with a public address, where strangers may post."""
    given = ("--public-url", f"http://127.0.0.1:{port}", "--no-secret")
    with listening(*given, *arguments, env=env, port=str(port)) as listener:
        yield listener


def test_a_flood_of_strangers_does_not_end_it(sandbox: Sandbox, free_port: int) -> None:
    """Among them failures claimed of a real task, repeats, and callbacks that name no task."""
    task_id, url = decided(sandbox, "demo+counted")
    with listening_in_public(free_port, "--max-events", "1", env=sandbox.settings) as listener:
        for number in range(20):
            listener.post(success(f"forged-{number}"))
            listener.post({"code": 501, "msg": "failed", "data": {"task_id": task_id}})
            listener.post({"code": 200, "msg": "success", "data": None})
        while listener.next("delivery_checked")["verdict"] != "contradicted":
            pass
        assert listener.process.poll() is None
        listener.post(success(task_id, url))
        assert listener.process.wait(ENDS_WITHIN) == 0
        said = listener.rest()
    assert "confirmed" in [event["verdict"] for event in said if event["event"] == "delivery_checked"]


@pytest.mark.long
def test_the_same_genuine_callback_again_and_again_is_one(sandbox: Sandbox, free_port: int) -> None:
    """Who knows a task's outcome can claim it as often as they like, with other queries too."""
    env = sandbox.settings
    (one, url), (two, other) = decided(sandbox, "demo+one"), decided(sandbox, "demo+two")
    with listening_in_public(free_port, "--max-events", "2", env=env) as listener:
        for number in range(3):
            listener.post(success(one, f"{url}?{number}"))
            assert listener.next("delivery_checked")["verdict"] == "confirmed"
        assert listener.process.poll() is None
        listener.post(success(two, other))
        assert listener.process.wait(ENDS_WITHIN) == 0


@pytest.mark.long
def test_without_an_api_key_a_signed_delivery_counts(free_port: int) -> None:
    env = {"SUNO_WAV_HMAC_KEY": KEY}
    with listening_in_public(free_port, "--max-events", "1", env=env) as listener:
        listener.post(success(TASK))
        listener.post(success(TASK), X_Webhook_Signature="eA==", X_Webhook_Timestamp="1")
        assert listener.next("delivery_received")["signature"] == "missing"
        assert listener.next("delivery_received")["signature"] == "invalid"
        assert listener.process.poll() is None
        assert listener.trigger("--sign", env=env) == 0
        assert listener.process.wait(ENDS_WITHIN) == 0


@pytest.mark.long
def test_without_any_key_each_delivery_counts(free_port: int) -> None:
    with listening_in_public(free_port, "--max-events", "2", env={}) as listener:
        listener.post(success(TASK))
        listener.post({"code": 501, "msg": "failed", "data": None})
        assert listener.process.wait(ENDS_WITHIN) == 0


def test_a_sample_counts_where_only_this_machine_reaches_the_receiver(sandbox: Sandbox) -> None:
    """As the README shows it, for people who have a key."""
    with listening("--tunnel", "none", "--max-events", "1", env=sandbox.settings) as listener:
        assert listener.trigger() == 0
        assert listener.process.wait(ENDS_WITHIN) == 0


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


@pytest.mark.long
def test_the_end_does_not_wait_for_tasks_that_strangers_made_up(sandbox: Sandbox, free_port: int) -> None:
    """It may look up 150 of them in ten seconds. Files are waited for, but not those of unknown tasks."""
    task_id, url = decided(sandbox, "demo+end")
    options = ("--out", ".", "--until", task_id)
    with listening_in_public(free_port, *options, env=sandbox.settings) as listener:
        for number in range(400):
            listener.post(success(f"forged-{number}"))
        while listener.next("delivery_checked")["verdict"] != "pending":
            pass
        listener.post(success(task_id, url))
        assert listener.process.wait(ENDS_WITHIN) == 0
        events = [event["event"] for event in (*listener.seen, *listener.rest())]
    assert events.count("saved") == 1
    assert "delivery_dropped" in events, "not all of them were looked up"


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
