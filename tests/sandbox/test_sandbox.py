"""The sandbox as a real server on a real port, checked against the provider's contract."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import re
import signal
import struct
import subprocess
import time
import zlib
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from queue import Queue
from typing import TYPE_CHECKING, Any
from unittest.mock import ANY
from urllib.parse import urlsplit

import httpx
import pytest
from openapi_core.exceptions import OpenAPIError
from starlette.requests import Request
from starlette.responses import Response

from suno_wav_cli.callbacks.payload_variants import CALLBACK_SHAPES
from suno_wav_cli.callbacks.sender import Answer
from suno_wav_cli.callbacks.server import serve_in_thread
from suno_wav_cli.models import Secret
from suno_wav_cli.sandbox.behaviours import BEHAVIOURS, RECORD_SHAPES
from suno_wav_cli.sandbox.callbacks import describe_answer
from suno_wav_cli.sandbox.demo_ids import PATTERNS
from suno_wav_cli.system.http_problems import Problem
from suno_wav_cli.system.loopback import address_of, bind_socket
from tests.support.account import (
    CREDIT,
    GENERATE,
    KEY,
    MUSIC,
    PLACEHOLDER,
    RECORD,
    SandboxAccount,
    open_account,
)
from tests.support.openapi import load_contract
from tests.support.program import ENDS_WITHIN, run_program, start_program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.types import Receive, Scope, Send


@pytest.fixture(scope="module")
def account() -> Iterator[SandboxAccount]:
    with open_account() as opened:
        yield opened


@dataclass
class Receiver:
    """A receiver of callbacks; each path's answers are used up in turn, the last one for ever.

    None is silence.
    """

    address: str = ""
    answers: dict[str, list[int | None]] = field(default_factory=dict)
    arrived: Queue[tuple[str, float, bytes]] = field(default_factory=Queue)
    counts: Counter[str] = field(default_factory=Counter)
    signatures: list[tuple[str | None, str | None]] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        # As a proxy it is asked for whole addresses.
        name = scope["path"].rpartition("/")[2]
        body = await request.body()
        answers = self.answers.get(name)
        if answers is None:
            # A straggler of an earlier test.
            await Response(status_code=404)(scope, receive, send)
            return
        status = answers.pop(0) if len(answers) > 1 else answers[0]
        self.counts[name] += 1
        self.signatures.append(
            (request.headers.get("X-Webhook-Timestamp"), request.headers.get("X-Webhook-Signature"))
        )
        self.arrived.put((name, time.monotonic(), body))
        if status is None:
            await asyncio.Event().wait()
        await Response(status_code=status or 500)(scope, receive, send)

    def url(self, name: str, *answers: int | None) -> str:
        self.answers[name] = list(answers) or [200]
        return f"{self.address}/{name}"

    def next_body(self) -> bytes:
        return self.arrived.get(timeout=5)[2]

    def next_of(self, name: str) -> dict[str, Any]:
        to, _, body = self.arrived.get(timeout=5)
        assert to == name
        delivered: dict[str, Any] = json.loads(body)
        return delivered


@pytest.fixture(scope="module")
def reception() -> Iterator[Receiver]:
    opened = Receiver()
    with bind_socket(0) as bound, serve_in_thread(opened, bound):
        opened.address = address_of(bound)
        yield opened


@pytest.fixture
def receiver(reception: Receiver) -> Receiver:
    reception.answers, reception.counts, reception.arrived = {}, Counter(), Queue()
    reception.signatures = []
    return reception


# The contract


def refused_submission(code: int) -> Callable[[SandboxAccount], httpx.Response]:
    return lambda account: account.submit(f"demo-code-{code}")


def refused_lookup(code: int) -> Callable[[SandboxAccount], httpx.Response]:
    return lambda account: account.record(account.task(f"demo-lookup-{code}"))


WITHOUT_A_KEY = {"Authorization": ""}
DOCUMENTED_CODES = (400, 401, 404, 405, 409, 413, 429, 430, 455, 500)


@pytest.mark.first_cases(7)
@pytest.mark.parametrize(
    ("ask", "code"),
    [
        pytest.param(lambda account: account.submit("demo"), 200, id="a submission"),
        pytest.param(lambda account: account.submit("demo-exists"), 409, id="a record that exists"),
        pytest.param(
            lambda account: account.submit("demo-exists-null"), 409, id="a record that exists, without an id"
        ),
        pytest.param(lambda account: account.submit("demo-no-id"), 200, id="a submission without an id"),
        pytest.param(
            lambda account: account.record(account.task("demo-never")), 200, id="the record of a pending task"
        ),
        pytest.param(
            lambda account: account.wait_until_decided(account.task("demo")),
            200,
            id="the record of a finished task",
        ),
        pytest.param(
            lambda account: account.wait_until_decided(account.task("demo-fails")),
            200,
            id="the record of a failed task",
        ),
        pytest.param(
            lambda account: account.wait_until_decided(account.task("demo-fails-create")),
            200,
            id="the record of a task that was not created",
        ),
        pytest.param(
            lambda account: account.wait_until_decided(account.task("demo-callback-exception")),
            200,
            id="the record of a task whose callback failed",
        ),
        pytest.param(lambda account: account.record("0" * 32), 404, id="the record of an unknown task"),
        pytest.param(
            lambda account: account.http.get(MUSIC, params={"taskId": "0" * 32}), 200, id="a music task"
        ),
        pytest.param(
            lambda account: account.http.get(MUSIC, params={"taskId": ""}), 400, id="a music task without id"
        ),
        pytest.param(lambda account: account.http.get(CREDIT), 200, id="the credits"),
        pytest.param(
            lambda account: account.http.post(GENERATE, json={}, headers=WITHOUT_A_KEY),
            401,
            id="a submission without a key",
        ),
        pytest.param(
            lambda account: account.http.get(RECORD, params={"taskId": "x"}, headers=WITHOUT_A_KEY),
            401,
            id="a record without a key",
        ),
        pytest.param(
            lambda account: account.http.get(MUSIC, params={"taskId": "x"}, headers=WITHOUT_A_KEY),
            401,
            id="a music task without a key",
        ),
        pytest.param(
            lambda account: account.http.get(CREDIT, headers=WITHOUT_A_KEY), 401, id="credits without a key"
        ),
        *(
            pytest.param(refused_submission(code), code, id=f"a submission refused with {code}")
            for code in DOCUMENTED_CODES
        ),
        *(
            pytest.param(refused_lookup(code), code, id=f"a lookup refused with {code}")
            for code in DOCUMENTED_CODES
        ),
    ],
)
def test_every_answer_is_as_the_provider_documents_it(
    account: SandboxAccount, ask: Callable[[SandboxAccount], httpx.Response], code: int
) -> None:
    response = ask(account)
    assert response.json()["code"] == code
    load_contract().check(response)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        pytest.param(GENERATE, {"code": 418, "msg": "success"}, id="a code outside the list"),
        pytest.param(GENERATE, {"code": 200, "msg": "success", "data": "id"}, id="an id in the wrong place"),
        pytest.param(RECORD, {"code": 200, "msg": "", "data": {"successFlag": "DONE"}}, id="an unknown flag"),
        pytest.param(RECORD, {"code": 200, "msg": "", "data": {"musicIndex": "0"}}, id="a number as text"),
        pytest.param(CREDIT, {"code": 200, "msg": "success", "data": "99.6"}, id="credits as text"),
        pytest.param(CREDIT, [], id="no envelope"),
    ],
)
def test_the_validator_refuses_what_is_not_documented(path: str, body: object) -> None:
    """Else the test above would pass whatever the sandbox said."""
    method = "POST" if path == GENERATE else "GET"
    request = httpx.Request(method, f"https://api.sunoapi.org{path}", params={"taskId": "x"}, headers=KEY)
    response = httpx.Response(200, json=body, request=request)
    with pytest.raises(OpenAPIError):
        load_contract().check(response)


@pytest.mark.parametrize(
    "audio_id",
    [
        pytest.param("demo", id="as documented in one place"),
        pytest.param("demo-callback-camel", id="as documented in another"),
        pytest.param("demo-fails-create", id="a failure"),
        pytest.param("demo-fails-audio", id="a lost source"),
    ],
)
def test_the_callback_is_as_the_provider_documents_it(
    account: SandboxAccount, receiver: Receiver, audio_id: str
) -> None:
    account.submit(audio_id, receiver.url("callback"))
    load_contract().check_callback(receiver.next_body())


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"msg": "success"}, id="no code"),
        pytest.param({"code": "200", "msg": "success"}, id="a code as text"),
        pytest.param({"code": 501, "msg": "failed"}, id="a code outside the list"),
        pytest.param({"code": 200, "msg": "success", "data": {"task_id": 1}}, id="a number as id"),
        pytest.param({"code": 200, "msg": "success", "data": "url"}, id="text as data"),
    ],
)
def test_the_validator_refuses_a_callback_that_is_not_documented(body: object) -> None:
    with pytest.raises(OpenAPIError):
        load_contract().check_callback(json.dumps(body).encode())


# The account


@pytest.mark.long
def test_a_conversion_costs_exactly_four_tenths() -> None:
    """Decimals, not floats: twenty times 0.4 leaves no crumbs."""
    with open_account(speed=1) as mine:
        assert mine.credits() == 100
        mine.submit("demo")
        assert mine.credits() == 99.6
        for _ in range(19):
            mine.submit("demo")
        assert mine.credits() == 92


def test_a_refused_submission_costs_nothing(account: SandboxAccount) -> None:
    before = account.credits()
    for audio_id in ("demo-exists", "demo-exists-null", "demo-no-credits", "demo-busy", "demo-code-451"):
        account.submit(audio_id)
    assert account.credits() == before


@pytest.mark.long
def test_an_empty_account_is_refused() -> None:
    """100 credits pay for 250 conversions. The next one gets 429, and is not counted."""
    with open_account(speed=1e9) as mine:
        codes = [mine.submit("demo-no-callback").json()["code"] for _ in range(251)]
        assert codes == [200] * 250 + [429]
        assert (mine.credits(), mine.counted("accepted", "demo-no-callback")) == (0, 250)


def test_the_twenty_first_submission_within_the_window_is_refused() -> None:
    with open_account(speed=1) as mine:
        codes = [mine.submit(f"demo-no-callback+{number}").json()["code"] for number in range(21)]
        assert codes == [200] * 20 + [405]
        assert mine.counted("accepted", "demo-no-callback+20") == 0


@pytest.mark.long
def test_the_credits_and_the_window_can_be_chosen() -> None:
    """The window is in the sandbox's own time, which --speed divides."""
    options = ("--port", "0", "--credits", "1.2", "--window", "2/1h", "--json")
    for speed, codes in (("1", [200, 200, 405]), ("10000", [200, 200, 200, 429])):
        with start_program(
            "sandbox", *options, "--speed", speed, stdout=subprocess.PIPE, text=True
        ) as program:
            assert program.stdout is not None
            address = json.loads(program.stdout.readline())["base_url"]
            with httpx.Client(base_url=address, headers=KEY, trust_env=False) as http:
                found = []
                for number in range(len(codes)):
                    deadline = time.monotonic() + 20
                    while True:
                        body = {"audioId": f"song-{number}", "callBackUrl": PLACEHOLDER}
                        code = http.post(GENERATE, json=body).json()["code"]
                        if code != 405 or speed == "1" or time.monotonic() > deadline:
                            break
                    found.append(code)
            program.terminate()
            assert found == codes


@pytest.mark.parametrize(
    ("option", "said"),
    [
        pytest.param("--credits=many", "'many' is not an amount of credits; write 2 or 0.8", id="credits"),
        pytest.param(
            "--window=20/soon",
            "'20/soon' is not a number of submissions in a time; write 20/10s",
            id="window",
        ),
    ],
)
def test_a_mistyped_option_of_the_sandbox_is_refused(option: str, said: str) -> None:
    done = run_program("sandbox", option)
    assert done.code == 2
    assert said in done.err


@pytest.mark.long
@pytest.mark.timing
def test_the_window_moves_on() -> None:
    """Ten seconds at twenty times the speed, asked for until one more is taken."""
    with open_account(speed=20) as mine:
        began = time.monotonic()
        for _ in range(20):
            mine.submit("demo-no-callback")
        while mine.submit("demo-no-callback").json()["code"] != 200:
            assert time.monotonic() - began < 5
        assert time.monotonic() - began >= 0.5


@pytest.mark.parametrize(
    "content",
    [
        pytest.param({"audioId": "demo", "callBackUrl": PLACEHOLDER, "model": "V4"}, id="an unknown field"),
        pytest.param({"audioId": "demo", "callbackUrl": PLACEHOLDER}, id="the other casing"),
        pytest.param({"audioId": "demo"}, id="no callBackUrl"),
        pytest.param({"audioId": "demo", "callBackUrl": "example.com"}, id="no address"),
        pytest.param({"callBackUrl": PLACEHOLDER}, id="no audioId"),
        pytest.param({"audioId": "", "callBackUrl": PLACEHOLDER}, id="an empty audioId"),
        pytest.param({"audioId": 7, "callBackUrl": PLACEHOLDER}, id="a number as audioId"),
        pytest.param({"audioId": "demo", "callBackUrl": PLACEHOLDER, "taskId": None}, id="a null taskId"),
        pytest.param([], id="an array"),
        pytest.param(None, id="null"),
    ],
)
def test_a_submission_with_undocumented_fields_is_refused(account: SandboxAccount, content: object) -> None:
    before = account.credits()
    assert account.http.post(GENERATE, json=content).json()["code"] == 400
    assert account.credits() == before


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b'{"audioId": "demo"', id="cut off"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(b"\xff\xfe\xfd", id="bytes"),
    ],
)
def test_a_body_that_is_not_json_is_refused(account: SandboxAccount, content: bytes) -> None:
    assert account.http.post(GENERATE, content=content).json()["code"] == 400


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("", id="nothing"),
        pytest.param("Bearer", id="no key"),
        pytest.param("Basic YTpi", id="another scheme"),
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param("POST", GENERATE, id="generate"),
        pytest.param("GET", RECORD, id="record-info"),
        pytest.param("GET", MUSIC, id="music"),
        pytest.param("GET", CREDIT, id="credit"),
    ],
)
def test_requests_without_a_key_are_refused(
    account: SandboxAccount, method: str, path: str, header: str
) -> None:
    body = {"audioId": "demo+keyless", "callBackUrl": PLACEHOLDER} if method == "POST" else None
    response = account.http.request(method, path, json=body, headers={"Authorization": header})
    assert (response.status_code, response.json()["code"]) == (200, 401)
    assert account.counted("submissions", "demo+keyless") == 0


def test_each_track_has_its_own_cover(account: SandboxAccount) -> None:
    tracks = account.http.get(MUSIC, params={"taskId": "0" * 32}).json()["data"]["response"]["sunoData"]
    covers = [account.http.get(track["imageUrl"]) for track in tracks]
    assert {response.headers["Content-Type"] for response in covers} == {"image/png"}
    assert covers[0].content != covers[1].content
    for response in covers:
        assert response.content.startswith(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
        width, height = struct.unpack_from(">II", response.content, 16)
        begin = response.content.index(b"IDAT") + 4
        # A byte for the filter before each row, and three for each pixel.
        assert len(zlib.decompressobj().decompress(response.content[begin:])) == height * (1 + 3 * width)


@pytest.mark.long
def test_the_same_seed_makes_the_same_ids() -> None:
    def ids(seed: int | None) -> list[str]:
        with open_account(seed=seed) as mine:
            return [mine.task("demo-no-callback") for _ in range(3)]

    first, again, other, unseeded = ids(7), ids(7), ids(8), ids(None)
    assert first == again
    assert len({*first, *other, *unseeded}) == 9


@pytest.mark.long
@pytest.mark.timing
def test_speed_divides_the_time_that_a_conversion_takes() -> None:
    """Two seconds of work at ten times the speed are no less than 0.2 s, and less than the two."""
    with open_account(speed=10) as mine:
        began = time.monotonic()
        mine.wait_until_decided(mine.task("demo-no-callback"))
        assert 0.2 <= time.monotonic() - began < 2


@pytest.mark.parametrize("shape", RECORD_SHAPES)
def test_every_record_shape_ends_with_the_files_url(account: SandboxAccount, shape: str) -> None:
    """In every shape, the answer contains the file's address, and the file is there."""
    task_id = account.task(f"demo-record-{shape}")
    until = time.monotonic() + 5
    while f"/files/{task_id}.wav" not in (text := account.record(task_id).text):
        assert time.monotonic() < until, text
    assert account.http.head(f"/files/{task_id}.wav").status_code == 200


# Callbacks


def test_the_callback_names_the_task_and_its_file(account: SandboxAccount, receiver: Receiver) -> None:
    task_id = account.task("demo", receiver.url("named"))
    url = f"{account.http.base_url}/files/{task_id}.wav"
    assert receiver.next_of("named") == {
        "code": 200,
        "msg": "success",
        "data": {"audio_wav_url": url, "task_id": task_id},
    }


@pytest.mark.parametrize("shape", sorted(CALLBACK_SHAPES.keys() - {"not-json", "huge"}))
def test_the_callback_comes_in_every_shape(account: SandboxAccount, receiver: Receiver, shape: str) -> None:
    task_id = account.task(f"demo-callback-{shape}", receiver.url("shape"))
    url = f"{account.http.base_url}/files/{task_id}.wav"
    data: dict[str, dict[str, Any]] = {
        "snake": {"data": {"audio_wav_url": url, "task_id": task_id}},
        "camel": {"data": {"audioWavUrl": url, "task_id": task_id}},
        "camel-id": {"data": {"audioWavUrl": url, "taskId": task_id}},
        "response": {"data": {"response": {"audioWavUrl": url}, "task_id": task_id}},
        "top-level": account.wait_until_decided(task_id).json()["data"],
        "jobs": {
            "data": {
                "state": "success",
                "resultJson": json.dumps({"resultUrls": [url]}),
                "failCode": None,
                "failMsg": None,
                "createTime": ANY,
                "completeTime": ANY,
            },
            "taskId": task_id,
        },
        "null": {"data": None, "taskId": task_id},
        "no-id": {"data": None},
    }
    assert receiver.next_of("shape") == {"code": 200, "msg": "success"} | data[shape]


def test_a_failure_is_called_back_without_an_address(account: SandboxAccount, receiver: Receiver) -> None:
    task_id = account.task("demo-fails", receiver.url("failure"))
    body = receiver.next_of("failure")
    assert (body["code"], body["data"]) == (501, {"audio_wav_url": None, "task_id": task_id})


@pytest.mark.long
def test_a_callback_not_answered_with_200_is_retried_three_times(receiver: Receiver) -> None:
    """After 1, 5 and 15 minutes of the sandbox's time, and then no more.

    A second song, whose deliveries take as long, shows that the first one's are over.
    """
    speed = 2000.0
    with open_account(speed=speed) as mine:
        mine.submit("demo+refused", receiver.url("refused", 500, 302, 404, 201))
        arrivals = [receiver.arrived.get(timeout=5)[1] for _ in range(4)]
        waits = [later - earlier for earlier, later in pairwise(arrivals)]
        too_early = [
            wait for wait, minutes in zip(waits, (1, 5, 15), strict=True) if wait < minutes * 60 / speed
        ]
        assert too_early == []
        mine.submit("demo+again-posted", receiver.url("again", 500))
        for _ in range(4):
            receiver.next_of("again")
        assert receiver.counts["refused"] == 4
        assert mine.counted("callbacks", "demo+refused") == 4


@pytest.mark.long
def test_a_delivery_that_was_answered_with_200_is_the_last(receiver: Receiver) -> None:
    with open_account(speed=2000) as mine:
        mine.submit("demo+second", receiver.url("second", 503, 200))
        receiver.next_of("second")
        receiver.next_of("second")
        mine.submit("demo+sentinel", receiver.url("sentinel", 500))
        for _ in range(4):
            receiver.next_of("sentinel")
        assert receiver.counts["second"] == 2


@pytest.mark.long
def test_a_callback_without_an_answer_is_retried(receiver: Receiver) -> None:
    """`--speed` does not shorten the time that a receiver has. The log says what was done."""
    with open_account(answer_timeout=1.0) as mine:
        task_id = mine.task("demo+silent", receiver.url("silent", None, 200))
        first, second = (receiver.arrived.get(timeout=5)[1] for _ in range(2))
        assert 0.5 <= second - first < 10
        silent, answered = mine.callbacks(2)
    who = f"task {task_id}, demo\\+silent, attempt"
    assert (silent.status, answered.status) == (0, 200)
    assert re.fullmatch(who + r" 1 of 4: 1\.\d\d s, no answer in time, tries again in \S+ s", silent.detail)
    assert re.fullmatch(who + r" 2 of 4: \d\.\d\d s", answered.detail)


@pytest.mark.parametrize(
    ("answer", "pause", "said"),
    [
        (Answer(seconds=0.031, status=200), 60.0, "0.03 s"),
        (Answer(seconds=2.0, status=500), 60.0, "2.00 s, tries again in 60 s"),
        (Answer(seconds=2.0, status=404), None, "2.00 s, gives up"),
        (
            Answer(seconds=0.0, problem=Problem.TLS, detail="expired"),
            0.5,
            "0.00 s, the TLS handshake failed: expired, tries again in 0.5 s",
        ),
    ],
)
def test_the_log_says_what_the_service_does_then(answer: Answer, pause: float | None, said: str) -> None:
    assert describe_answer(answer, pause) == said


def test_a_callback_to_a_closed_port_is_retried(free_port: int) -> None:
    with open_account(speed=1e6) as mine:
        mine.submit("demo+nobody-hears", f"http://127.0.0.1:{free_port}/callback")
        assert [delivery.status for delivery in mine.callbacks(4)] == [0] * 4
        assert mine.counted("callbacks", "demo+nobody-hears") == 4


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    ("audio_id", "count"),
    [
        pytest.param("demo", 1, id="demo"),
        pytest.param("demo-twice", 2, id="demo-twice"),
        pytest.param("demo-no-callback", 0, id="demo-no-callback"),
    ],
)
def test_the_callback_comes_as_often_as_the_id_says(receiver: Receiver, audio_id: str, count: int) -> None:
    """A song submitted later is called back last, when all callbacks of the first one have come."""
    with open_account() as mine:
        task_id = mine.task(audio_id, receiver.url("counted"))
        bodies = [receiver.next_of("counted") for _ in range(count)]
        assert [body["data"]["task_id"] for body in bodies] == [task_id] * count
        mine.submit("demo-late", receiver.url("late"))
        receiver.next_of("late")
        assert receiver.counts["counted"] == count


@pytest.mark.long
def test_the_late_callback_comes_a_minute_after_the_file(receiver: Receiver) -> None:
    with open_account(speed=200) as mine:
        task_id = mine.task("demo-late", receiver.url("late"))
        mine.wait_until_decided(task_id)
        ready = time.monotonic()
        _, arrived, _ = receiver.arrived.get(timeout=5)
        assert arrived - ready > 0.2


def test_the_early_callback_comes_before_the_submission_is_answered(
    account: SandboxAccount, receiver: Receiver
) -> None:
    task_id = account.task("demo-early", receiver.url("early"))
    assert receiver.arrived.qsize() == 1
    assert receiver.next_of("early")["data"]["task_id"] == task_id


def test_forged_callbacks_come_before_the_true_one(account: SandboxAccount, receiver: Receiver) -> None:
    task_id = account.task("demo-forged", receiver.url("forged"))
    bodies = [receiver.next_of("forged") for _ in range(4)]
    evil = "https://example.com/evil.wav"
    true = f"{account.http.base_url}/files/{task_id}.wav"
    assert [
        (body["code"], body["data"]["task_id"] == task_id, body["data"]["audio_wav_url"]) for body in bodies
    ] == [(200, False, evil), (200, True, evil), (501, True, None), (200, True, true)]


def test_the_malformed_callback_is_not_json(account: SandboxAccount, receiver: Receiver) -> None:
    account.submit("demo-malformed", receiver.url("malformed"))
    with pytest.raises(json.JSONDecodeError):
        json.loads(receiver.next_body())


def test_the_huge_callback_has_a_megabyte(account: SandboxAccount, receiver: Receiver) -> None:
    account.submit("demo-huge", receiver.url("huge"))
    assert 1_000_000 < len(receiver.next_body()) < 1_100_000


def test_callbacks_are_signed_if_there_is_a_key(receiver: Receiver) -> None:
    """Each delivery is signed afresh with the real time. Forged ones are not signed."""
    with open_account(speed=2000, hmac_key=Secret(value="sésame")) as mine:
        task_id = mine.task("demo-forged", receiver.url("signed", 200, 200, 200, 500, 200))
        for _ in range(5):
            receiver.next_of("signed")
    *forged, first, second = receiver.signatures
    assert forged == [(None, None)] * 3
    for timestamp, signature in (first, second):
        assert abs(time.time() - int(timestamp or "")) < 60
        digest = hmac.digest("sésame".encode(), f"{task_id}.{timestamp}".encode(), "sha256")
        assert signature == base64.b64encode(digest).decode()


def test_nothing_is_signed_without_a_key(account: SandboxAccount, receiver: Receiver) -> None:
    account.submit("demo", receiver.url("unsigned"))
    receiver.next_of("unsigned")
    assert receiver.signatures == [(None, None)]


def test_nothing_is_posted_to_a_placeholder(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy sees every request that leaves this machine. It sees none to a reserved name."""
    monkeypatch.setenv("http_proxy", receiver.address)
    receiver.url("callback")
    with open_account() as mine:
        for host in ("example.com", "www.example.com", "example.org", "example.net"):
            mine.submit("demo", f"http://{host}/callback")
        assert [(delivery.status, delivery.detail) for delivery in mine.callbacks(4)] == [
            (0, "a placeholder, not posted to")
        ] * 4
        mine.submit("demo", "http://elsewhere.invalid/callback")
        receiver.next_of("callback")
        assert receiver.counts == {"callback": 1}


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://[", id="half an IPv6 address"),
        pytest.param("http://127.0.0.1:99999/callback", id="a port beyond the last"),
        pytest.param("http://", id="no host"),
        pytest.param("http://xn--/callback", id="a name that no name can be"),
    ],
)
def test_a_callback_address_that_leads_nowhere_does_not_break_the_sandbox(url: str) -> None:
    """It is refused, or accepted and reported.

    Sent early, so that a failure shows in the answer.
    """
    with open_account(speed=1e6) as mine:
        response = mine.submit("demo-early", url)
    assert response.status_code == 200
    assert response.json()["code"] in (200, 400)


# The command


@pytest.mark.long
@pytest.mark.timing
def test_the_command_shows_its_address_and_ends_at_ctrl_c() -> None:
    with ExitStack() as stack:
        program = start_program(
            *("sandbox", "--port", "0"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        stack.enter_context(program)
        stack.callback(program.kill)
        assert program.stdout is not None
        address = program.stdout.readline().strip()
        assert urlsplit(address).hostname == "127.0.0.1"
        assert httpx.get(address + CREDIT, headers=KEY, trust_env=False).json()["data"] == 100
        program.send_signal(signal.SIGINT)
        began = time.monotonic()
        out, err = program.communicate(timeout=60)
        assert time.monotonic() - began < ENDS_WITHIN
        assert (program.returncode, out) == (130, "")
        assert f"sandbox at {address}" in err
        assert "stopped by Ctrl-C" in err
        assert "Traceback" not in err


@pytest.mark.long
def test_the_command_says_that_it_signs_without_the_key() -> None:
    with start_program(
        *("sandbox", "--port", "0"),
        env={"SUNO_WAV_HMAC_KEY": "whsec-never-shown"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout is not None
        program.stdout.readline()
        program.send_signal(signal.SIGINT)
        out, err = program.communicate(timeout=60)
    assert "nothing here is paid for; callbacks are signed. Press Ctrl-C to stop\n" in err
    assert "whsec-never-shown" not in out + err


@pytest.mark.long
def test_a_port_in_use_exits_with_11() -> None:
    with bind_socket(0) as taken:
        port = address_of(taken).rpartition(":")[2]
        done = run_program("sandbox", "--port", port)
    assert (done.code, done.out) == (11, "")
    assert done.err == (
        f"error: port {port} cannot be opened: Address already in use\n"
        "  Choose another --port; 0 takes a free one.\n"
    )


@pytest.mark.long
def test_the_list_names_every_id() -> None:
    done = run_program("sandbox", "--list")
    assert (done.code, done.err) == (0, "")
    assert [line.split()[0] for line in done.out.splitlines()] == [*BEHAVIOURS, *PATTERNS]
