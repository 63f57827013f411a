"""`listen --forward-to`: what was acknowledged reaches the person's receiver, or is kept for it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import stat
from pathlib import Path

import pytest

from suno_wav_cli.callbacks.payload import Callback, ReceivedCallback
from suno_wav_cli.callbacks.recording import load
from suno_wav_cli.callbacks.sender import Answer
from suno_wav_cli.commands.listen.forwarded import pause_before_retry
from suno_wav_cli.commands.listen.forwarder import Forwarder
from suno_wav_cli.commands.listen.limits import ListenLimits
from suno_wav_cli.commands.listen.outbox import FULL, FULL_BY_OTHERS, TOO_MANY_HEADERS, Outbox, open_outbox
from suno_wav_cli.config.paths import find_paths
from suno_wav_cli.events.deliveries import DeliveriesKept, DeliveryForwarded
from suno_wav_cli.system.http_problems import Problem
from suno_wav_cli.system.tls import make_tls_context
from tests.commands.test_listen import TASK, listening, success
from tests.support.event_log import EventLog
from tests.support.program import wait_until
from tests.support.target import Receiver, receiving

PAUSES = (1.0, 5.0, 60.0)
LIMITS = ListenLimits()


def kept_folders() -> list[Path]:
    return sorted(find_paths(os.environ).undelivered.glob("*"))


def delivery(number: int = 1, headers: tuple[tuple[str, str], ...] = ()) -> ReceivedCallback:
    body = json.dumps(success(f"t-{number}")).encode()
    return ReceivedCallback(headers=headers, body=body, callback=Callback(task_id=f"t-{number}", code=200))


@pytest.mark.parametrize(
    ("answer", "pauses"),
    [
        pytest.param(Answer(seconds=0, status=200), [None], id="taken"),
        pytest.param(Answer(seconds=0, status=204), [None], id="taken without words"),
        pytest.param(Answer(seconds=0, status=500), [1, 5, 60, 60, 60], id="failed"),
        pytest.param(Answer(seconds=0, status=429), [1, 5, 60, 60, 60], id="too often"),
        pytest.param(Answer(seconds=0, problem=Problem.REFUSED), [1, 5, 60, 60, 60], id="not there"),
        pytest.param(Answer(seconds=15, problem=Problem.SILENT), [1, 5, 60, 60, 60], id="silent"),
        pytest.param(Answer(seconds=0, status=404), [1, 5, 60, None], id="refused"),
        pytest.param(Answer(seconds=0, status=302), [1, 5, 60, None], id="redirected"),
    ],
)
def test_pauses_between_attempts(answer: Answer, pauses: list[float | None]) -> None:
    found = [pause_before_retry(answer, attempt, PAUSES) for attempt in range(len(pauses))]
    assert found == pauses


def test_what_failed_is_forwarded_again_unchanged() -> None:
    content = b'{ "code":200,\n"data": {"task_id" : "t-1"}}  '
    with receiving((503, 0.0), (200, 0.0)) as target, listening("--forward-to", target.url) as listener:
        listener.post(content, X_Webhook_Signature="c2lnbmVk")
        first, second = (listener.next("delivery_forwarded") for _ in range(2))
        assert (first["status"], first["retry_in"]) == (503, 1.0)
        assert (second["status"], second["retry_in"]) == (200, None)
        assert [request.body for request in target.arrived] == [content] * 2
        assert [request.header("X-Webhook-Signature") for request in target.arrived] == ["c2lnbmVk"] * 2
        listener.stop()
        assert not [event for event in listener.rest() if event["event"] == "deliveries_kept"]
    assert kept_folders() == []


def test_what_is_left_at_the_end_is_kept(free_port: int) -> None:
    with listening("--forward-to", f"localhost:{free_port}/hook", "--max-events", "3") as listener:
        bodies = [json.dumps(success(f"t-{number}")).encode() for number in range(3)]
        for body in bodies:
            assert listener.post(body) == 200
        (kept,) = [event for event in listener.rest() if event["event"] == "deliveries_kept"]
        assert listener.process.returncode == 0
    assert (kept["count"], kept["earlier"]) == (3, False)
    (folder,) = kept_folders()
    assert Path(kept["folder"]) == folder
    files = sorted(folder.glob("*.json"))
    assert [load(file).body for file in files] == bodies
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_killed_program_loses_nothing_acknowledged(free_port: int) -> None:
    """The next one says what is left, with the command that sends it."""
    address = f"localhost:{free_port}/hook"
    with listening("--forward-to", address) as listener:
        for number in range(20):
            assert listener.post(success(f"t-{number}")) == 200
        listener.process.send_signal(signal.SIGKILL)
        listener.process.wait()
    (folder,) = kept_folders()
    assert {json.loads(load(file).body)["data"]["task_id"] for file in folder.glob("*.json")} == {
        f"t-{number}" for number in range(20)
    }
    with listening("--forward-to", address) as listener:
        (kept,) = [event for event in listener.seen if event["event"] == "deliveries_kept"]
        assert (kept["count"], kept["folder"], kept["earlier"]) == (20, str(folder), True)
        shutil.rmtree(folder)


@pytest.mark.long
def test_deliveries_that_hang_hold_up_no_other() -> None:
    """Many are unanswered when one comes whose answer is immediate."""
    answers = [(200, 60.0)] * 30 + [(200, 0.0)]
    with receiving(*answers) as target, listening("--forward-to", target.url) as listener:
        for number in range(30):
            listener.post(success(f"hangs-{number}"))
        wait_until(lambda: len(target.arrived) == 30)
        listener.post(success(TASK))
        forwarded = listener.next("delivery_forwarded")
        assert (forwarded["number"], forwarded["status"]) == (31, 200)
        listener.stop()


def test_when_full_it_is_refused_and_not_lost() -> None:
    """The service posts it again. What was acknowledged stays."""
    outbox = Outbox(Path.cwd(), ListenLimits(outbox_files=2))
    paths = [outbox.keep(delivery(number)) for number in range(2)]
    assert outbox.keep(delivery(2)) is FULL
    assert isinstance(paths[0], Path)
    outbox.remove(paths[0])
    assert isinstance(outbox.keep(delivery(3)), Path)
    assert outbox.count == 2
    assert Outbox(Path.cwd(), ListenLimits(outbox_bytes=0)).keep(delivery()) is FULL


def test_what_cannot_be_kept_is_not_acknowledged() -> None:
    folder = Path("gone")
    outcome = Outbox(folder, LIMITS).keep(delivery())
    assert not isinstance(outcome, Path)
    assert (outcome.status, outcome.reason.rpartition(": ")[2]) == (503, "No such file or directory")


def test_a_delivery_that_could_not_be_read_again_is_not_acknowledged() -> None:
    headers = tuple((f"x-{number}", "") for number in range(1001))
    assert Outbox(Path.cwd(), LIMITS).keep(delivery(headers=headers)) is TOO_MANY_HEADERS
    kept = Outbox(Path.cwd(), LIMITS).keep(delivery(headers=headers[:1000]))
    assert isinstance(kept, Path)
    assert len(load(kept).headers) == 1000


def test_a_delivery_that_does_not_fit_leaves_nothing() -> None:
    room = len(delivery().body) + 100
    outbox = Outbox(Path.cwd(), ListenLimits(outbox_bytes=room))
    headers = (("x-long", "x" * room),)
    assert outbox.keep(delivery(headers=headers)) is FULL
    assert [*Path.cwd().iterdir()] == []
    assert isinstance(outbox.keep(delivery()), Path)


def test_the_limits_are_for_all_runs_and_delete_nothing() -> None:
    """What others have left counts, also of one that still runs. Empty folders go."""
    assert (LIMITS.outbox_files, LIMITS.outbox_bytes) == (10_000, 200_000_000)
    reported, root = EventLog(), Path("undelivered")
    for number, count in enumerate((2, 3, 0)):
        folder = root / f"2026010{number}-000000-x"
        folder.mkdir(parents=True)
        for name in range(count):
            (folder / f"{name}.json").write_text("{}")
    limits = ListenLimits(outbox_files=7)
    with open_outbox(root, limits, reported.append) as first:
        assert isinstance(first.keep(delivery()), Path)
        with open_outbox(root, limits, reported.append) as second:
            kept = second.keep(delivery())
            assert isinstance(kept, Path)
            assert second.keep(delivery()) is FULL_BY_OTHERS
            second.remove(kept)
            assert isinstance(second.keep(delivery()), Path)
    told = [(event.count, event.earlier) for event in reported.of(DeliveriesKept)]
    assert told == [(3, True), (2, True)] * 2 + [(1, False)] * 2
    assert sorted(len([*folder.glob("*.json")]) for folder in root.iterdir()) == [1, 1, 2, 3]
    with open_outbox(root, limits, reported.append) as full:
        assert full.keep(delivery()) is FULL_BY_OTHERS
    with open_outbox(root, ListenLimits(outbox_bytes=8), reported.append) as full:
        assert full.keep(delivery()) is FULL_BY_OTHERS


# A receiver that is not there.


def new_forwarder(outbox: Outbox, url: str, reported: EventLog, limits: ListenLimits) -> Forwarder:
    return Forwarder(
        outbox,
        url,
        "1.1 test",
        keep_forwarded=False,
        tls=make_tls_context(None),
        report=reported.append,
        limits=limits,
    )


def tasks_in(target: Receiver) -> set[str]:
    return {request.json["data"]["task_id"] for request in target.arrived}


@pytest.mark.long
def test_a_receiver_that_hangs_does_not_hold_up_the_end(tmp_path: Path) -> None:
    """What could not be posted in time is kept."""
    reported, limits = EventLog(), ListenLimits(open_forwards=2, forward_patience=0.01, last_forwards=0.0)

    async def forward_all(url: str) -> int:
        outbox = Outbox(tmp_path, limits)
        forwarder = new_forwarder(outbox, url, reported, limits)
        kept = [outbox.keep(delivery(number)) for number in range(20)]
        posting = [
            asyncio.create_task(forwarder.forward(number, path))
            for number, path in enumerate(kept)
            if isinstance(path, Path)
        ]
        await asyncio.to_thread(wait_until, lambda: len(target.arrived) == 2, 60)
        forwarder.stop_retrying()
        await asyncio.gather(*posting)
        return outbox.count

    with receiving((200, 3.0), (200, 3.0), (200, 0.0)) as target:
        left = asyncio.run(forward_all(target.url))
    assert (left, len(target.arrived)) == (18, 2)
    assert len(reported.of(DeliveryForwarded)) == 2


@pytest.mark.long
def test_while_the_receiver_is_not_there_one_delivery_is_tried(free_port: int) -> None:
    """The others wait for it, and are forwarded as soon as it is back."""
    with listening("--forward-to", f"localhost:{free_port}/hook") as listener:
        assert listener.post(success("t-1")) == 200
        assert listener.next("delivery_forwarded")["problem"] == "connection refused"
        for number in range(2, 31):
            assert listener.post(success(f"t-{number}")) == 200
        assert listener.next("delivery_forwarded")["number"] == 1
        with receiving(port=free_port) as target:
            wait_until(lambda: tasks_in(target) == {f"t-{number}" for number in range(1, 31)}, 300)
        listener.stop()
        events = [*listener.seen, *listener.rest()]
    forwarded = [one for one in events if one["event"] == "delivery_forwarded"]
    assert {one["number"] for one in forwarded if one["problem"] == "connection refused"} == {1}


@pytest.mark.parametrize("is_lost", [False, True], ids=["it is forwarded", "its file is gone"])
def test_a_newer_delivery_ends_the_pause_of_the_one_that_is_tried(*, is_lost: bool, free_port: int) -> None:
    """A receiver that is back gets what is new at once, and all that has waited."""
    reported, outbox = EventLog(), Outbox(Path.cwd(), LIMITS)
    limits = ListenLimits(forward_pauses=(0.0, 3600.0))

    async def refused(count: int) -> None:
        while len(reported.of(DeliveryForwarded)) < count:  # noqa: ASYNC110 - a log is no event
            await asyncio.sleep(0.01)

    async def forward() -> int:
        forwarder = new_forwarder(outbox, f"http://127.0.0.1:{free_port}/hook", reported, limits)
        kept = [outbox.keep(delivery(number)) for number in range(1, 5)]
        paths = [path for path in kept if isinstance(path, Path)]
        async with asyncio.timeout(600), asyncio.TaskGroup() as group:
            group.create_task(forwarder.forward(1, paths[0]))
            await refused(2)
            for number in (2, 3):
                group.create_task(forwarder.forward(number, paths[number - 1]))
                await refused(number + 1)
            if is_lost:
                paths[0].unlink()
            with receiving(port=free_port) as target:
                group.create_task(forwarder.forward(4, paths[3]))
                expected = 3 if is_lost else 4
                await asyncio.to_thread(wait_until, lambda: len(target.arrived) == expected, 300)
                await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))
        return len(target.arrived)

    assert asyncio.run(forward()) == (3 if is_lost else 4)
    in_vain = [one.number for one in reported.of(DeliveryForwarded) if one.problem]
    assert in_vain == [1] * 4
    assert outbox.count == (1 if is_lost else 0)
