"""kie's two contracts: the sandbox's answers and our requests match the OpenAPI files."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from openapi_core.exceptions import OpenAPIError

from suno_wav_cli.api.providers import KIE, KIE_JOBS, SUNOAPI, Provider
from suno_wav_cli.models import Secret, Song
from suno_wav_cli.sandbox import run_sandbox
from suno_wav_cli.system.loopback import address_of, bind_socket
from tests.support import openapi
from tests.support.openapi import load_contract
from tests.support.program import wait_until
from tests.support.target import receiving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GENERATE = "/kie/api/v1/wav/generate"
RECORD = "/kie/api/v1/wav/record-info"
CREATE = "/kie/api/v1/jobs/createTask"
JOB = "/kie/api/v1/jobs/recordInfo"
MUSIC = "/kie/api/v1/generate/record-info"
CREDIT = "/kie/api/v1/chat/credit"
MODEL = "ai-music-api/convert-to-wav-format"
PLACEHOLDER = "https://example.com/callback"
NO_KEY = {"Authorization": ""}
DOCUMENTED_OF_A_SUBMISSION = (400, 401, 402, 404, 409, 422, 429, 455, 500)
DOCUMENTED_OF_A_RECORD = (401, 404, 422, 451, 455, 500)


@dataclass(frozen=True)
class Account:
    """A sandbox of one's own, met as kie."""

    http: httpx.Client

    def submit(self, audio_id: str, callback_url: str = PLACEHOLDER) -> httpx.Response:
        body = {"taskId": "music-1", "audioId": audio_id, "callBackUrl": callback_url}
        return self.http.post(GENERATE, json=body)

    def create(self, audio_id: str, callback_url: str | None = None) -> httpx.Response:
        body = {"model": MODEL, "input": {"task_id": "music-1", "audio_id": audio_id}}
        return self.http.post(CREATE, json=body | ({"callBackUrl": callback_url} if callback_url else {}))

    def record(self, task_id: str) -> httpx.Response:
        return self.http.get(RECORD, params={"taskId": task_id})

    def job(self, task_id: str) -> httpx.Response:
        return self.http.get(JOB, params={"taskId": task_id})

    def wait_until_decided(self, ask: Callable[[str], httpx.Response], task_id: str) -> httpx.Response:
        """Ask until the task is at work no more, for five seconds at most."""
        until = time.monotonic() + 5
        while time.monotonic() < until:
            response = ask(task_id)
            data = response.json()["data"]
            if (data.get("successFlag") or data["state"]) not in AT_WORK:
                return response
        raise AssertionError("still pending")


AT_WORK = ("PENDING", "waiting", "queuing", "generating")


def task_of(response: httpx.Response) -> str:
    return str(response.json()["data"]["taskId"])


@contextmanager
def an_account(*, speed: float = 1000.0, hmac_key: Secret | None = None) -> Iterator[Account]:
    with (
        bind_socket(0) as bound,
        run_sandbox(bound, speed=speed, hmac_key=hmac_key),
        httpx.Client(
            base_url=address_of(bound), headers={"Authorization": "Bearer any"}, trust_env=False
        ) as http,
    ):
        yield Account(http=http)


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with an_account() as opened:
        yield opened


# What the sandbox answers


@pytest.mark.first_cases(6)
@pytest.mark.parametrize(
    ("ask", "code"),
    [
        pytest.param(lambda a: a.submit("demo"), 200, id="a submission"),
        pytest.param(lambda a: a.submit("demo-exists"), 409, id="a record that exists"),
        pytest.param(lambda a: a.submit("demo-no-id"), 200, id="a submission without an id"),
        pytest.param(lambda a: a.submit("demo-no-credits"), 402, id="no credits"),
        pytest.param(lambda a: a.submit("demo-busy"), 429, id="too many requests"),
        pytest.param(lambda a: a.submit("demo-maintenance"), 455, id="maintenance"),
        pytest.param(lambda a: a.http.post(GENERATE, content=b"{"), 400, id="half a body"),
        pytest.param(lambda a: a.http.post(GENERATE, json={"audioId": "demo"}), 422, id="no callBackUrl"),
        pytest.param(lambda a: a.record("0" * 32), 422, id="an unknown task"),
        pytest.param(lambda a: a.record(task_of(a.submit("demo-never"))), 200, id="a pending task"),
        pytest.param(
            lambda a: a.wait_until_decided(a.record, task_of(a.submit("demo"))),
            200,
            id="the record of a finished task",
        ),
        pytest.param(
            lambda a: a.wait_until_decided(a.record, task_of(a.submit("demo-fails"))),
            200,
            id="the record of a failed task",
        ),
        pytest.param(lambda a: a.http.get(MUSIC, params={"taskId": "m"}), 200, id="a music task"),
        pytest.param(lambda a: a.http.get(CREDIT), 200, id="the credits"),
        pytest.param(lambda a: a.http.get(CREDIT, headers=NO_KEY), 401, id="the credits without a key"),
        *(
            pytest.param(lambda a, code=code: a.submit(f"demo-code-{code}"), code, id=f"refused with {code}")
            for code in DOCUMENTED_OF_A_SUBMISSION
        ),
        *(
            pytest.param(
                lambda a, code=code: a.record(task_of(a.submit(f"demo-lookup-{code}"))),
                code,
                id=f"a lookup refused with {code}",
            )
            for code in DOCUMENTED_OF_A_RECORD
        ),
    ],
)
def test_every_answer_of_kie_is_as_documented(
    account: Account, ask: Callable[[Account], httpx.Response], code: int
) -> None:
    response = ask(account)
    assert response.json()["code"] == code
    load_contract(openapi.KIE).check(response)


@pytest.mark.first_cases(4)
@pytest.mark.parametrize(
    ("ask", "code"),
    [
        pytest.param(lambda a: a.create("demo"), 200, id="a submission"),
        pytest.param(lambda a: a.create("demo-no-credits"), 402, id="no credits"),
        pytest.param(lambda a: a.create("demo-busy+job"), 429, id="too many requests"),
        pytest.param(lambda a: a.http.post(CREATE, json={"model": MODEL}), 422, id="no input"),
        pytest.param(lambda a: a.job("0" * 32), 422, id="an unknown task"),
        pytest.param(lambda a: a.job(task_of(a.create("demo-never"))), 200, id="a job at work"),
        pytest.param(
            lambda a: a.wait_until_decided(a.job, task_of(a.create("demo"))), 200, id="a finished job"
        ),
        pytest.param(
            lambda a: a.wait_until_decided(a.job, task_of(a.create("demo-fails"))), 200, id="a failed job"
        ),
        pytest.param(lambda a: a.job(task_of(a.create("demo-record-null-first"))), 200, id="data null"),
        pytest.param(
            lambda a: a.job(task_of(a.create("demo-record-no-url-first"))), 200, id="success without a result"
        ),
        pytest.param(
            lambda a: a.wait_until_decided(a.job, task_of(a.create("demo-record-bare"))),
            200,
            id="a job without times",
        ),
    ],
)
def test_every_answer_of_kie_jobs_is_as_documented(
    account: Account, ask: Callable[[Account], httpx.Response], code: int
) -> None:
    response = ask(account)
    assert response.json()["code"] == code
    load_contract(openapi.KIE_JOBS).check(response)


@pytest.mark.parametrize(
    ("name", "path", "body"),
    [
        pytest.param(openapi.KIE, GENERATE, {"code": 430, "msg": ""}, id="a code of sunoapi"),
        pytest.param(openapi.KIE, RECORD, {"code": 200, "data": {"errorCode": 501}}, id="an error code"),
        pytest.param(openapi.KIE_JOBS, JOB, {"code": 200, "data": {"state": "SUCCESS"}}, id="a state"),
        pytest.param(openapi.KIE_JOBS, JOB, {"code": 200, "data": {"resultJson": {}}}, id="a result"),
        pytest.param(openapi.KIE_JOBS, JOB, {"code": 200, "data": {"createTime": "2025"}}, id="a time"),
    ],
)
def test_the_validator_refuses_what_is_not_documented(name: str, path: str, body: object) -> None:
    method = "POST" if path == GENERATE else "GET"
    request = httpx.Request(
        method, f"https://api.kie.ai{path}", params={"taskId": "x"}, headers={"Authorization": "Bearer any"}
    )
    with pytest.raises(OpenAPIError):
        load_contract(name).check(httpx.Response(200, json=body, request=request))


def test_a_job_goes_through_every_state_of_its_contract(account: Account) -> None:
    task_id = task_of(account.create("demo-never"))
    states = [account.job(task_id).json()["data"]["state"] for _ in range(4)]
    assert states == ["waiting", "queuing", "generating", "generating"]


def test_a_finished_job_names_its_file_in_a_text_of_json(account: Account) -> None:
    task_id = task_of(account.create("demo"))
    data = account.wait_until_decided(account.job, task_id).json()["data"]
    assert json.loads(data["resultJson"]) == {
        "resultUrls": [f"{account.http.base_url}/files/{task_id}.wav".replace("/kie", "")]
    }


def test_a_task_is_known_only_to_the_contract_that_made_it(account: Account) -> None:
    wav, job = task_of(account.submit("demo-never")), task_of(account.create("demo-never"))
    of_sunoapi = RECORD.removeprefix("/kie")
    asked = [
        account.job(wav),
        account.record(job),
        *(account.http.get(of_sunoapi, params={"taskId": task_id}) for task_id in (wav, job)),
    ]
    assert [answer.json()["code"] for answer in asked] == [422, 422, 404, 404]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"model": "V5", "input": {"task_id": "m", "audio_id": "demo"}}, id="another model"),
        pytest.param({"model": MODEL, "input": {"audio_id": "demo"}}, id="no music task"),
        pytest.param({"model": MODEL, "input": {"task_id": "m"}}, id="no audio id"),
        pytest.param({"model": MODEL, "input": {"task_id": None, "audio_id": "demo"}}, id="a null task"),
        pytest.param({"model": MODEL, "input": "demo"}, id="a text as input"),
        pytest.param(
            {"model": MODEL, "input": {"task_id": "m", "audio_id": "demo"}, "callBackUrl": "x"},
            id="an address",
        ),
        pytest.param(
            {"model": MODEL, "input": {"task_id": "m", "audio_id": "demo"}, "callBackUrl": 7}, id="a number"
        ),
        pytest.param({"audioId": "demo", "callBackUrl": PLACEHOLDER}, id="the other route's fields"),
        pytest.param([], id="a list"),
    ],
)
def test_a_job_with_undocumented_fields_is_refused(account: Account, body: object) -> None:
    assert account.http.post(CREATE, json=body).json()["code"] == 422


def test_all_contracts_share_one_account() -> None:
    """Its window and its credits: ten of each route are twenty, and the next one is too many."""
    with an_account(speed=1) as mine:
        codes = [mine.submit("demo-never").json()["code"] for _ in range(10)]
        codes += [mine.create("demo-never").json()["code"] for _ in range(10)]
        assert codes == [200] * 20
        assert [mine.submit("demo").json()["code"], mine.create("demo").json()["code"]] == [429, 429]
        assert mine.http.get(CREDIT).json()["data"] == 92


def test_the_callback_of_kie_is_as_documented() -> None:
    """Of a conversion that succeeded: what a failure looks like, kie's file does not say."""
    with receiving() as target, an_account(hmac_key=Secret(value="k")) as mine:
        task_id = task_of(mine.submit("demo", target.url))
        wait_until(lambda: target.arrived != [])
        arrived = target.arrived[0]
    load_contract(openapi.KIE).check_callback(arrived.body)
    assert arrived.json["data"]["task_id"] == task_id
    assert "audioWavUrl" in arrived.json["data"]
    assert arrived.header("X-Webhook-Signature")


def test_the_callback_of_a_job_names_its_task_at_top_level() -> None:
    with receiving() as target, an_account() as mine:
        task_id = task_of(mine.create("demo", target.url))
        wait_until(lambda: target.arrived != [])
        content = target.arrived[0].json
    assert content["taskId"] == task_id
    assert json.loads(content["data"]["resultJson"])["resultUrls"][0].endswith(f"/files/{task_id}.wav")


# What the program asks


@pytest.mark.parametrize(
    ("provider", "name"),
    [
        pytest.param(SUNOAPI, openapi.SUNOAPI, id="sunoapi"),
        pytest.param(KIE, openapi.KIE, id="kie"),
        pytest.param(KIE_JOBS, openapi.KIE_JOBS, id="kie-jobs"),
    ],
)
@pytest.mark.parametrize("callback_url", [None, "https://example.org/hook"])
def test_every_request_of_the_program_is_as_documented(
    provider: Provider, name: str, callback_url: str | None
) -> None:
    headers = {"Authorization": "Bearer any"}
    body = provider.make_submission(Song(audio_id="audio-1", music_task_id="music-1"), callback_url)
    submission = httpx.Request("POST", provider.base_url + provider.submit_path, json=body, headers=headers)
    lookup = httpx.Request(
        "GET", provider.base_url + provider.record_path, params={"taskId": "t"}, headers=headers
    )
    load_contract(name).check_request(submission)
    load_contract(name).check_request(lookup)


@pytest.mark.parametrize("provider", [SUNOAPI, KIE], ids=lambda provider: provider.name)
def test_the_credits_request_is_as_documented(provider: Provider) -> None:
    name = openapi.SUNOAPI if provider is SUNOAPI else openapi.KIE
    headers = {"Authorization": "Bearer any"}
    load_contract(name).check_request(
        httpx.Request("GET", provider.base_url + provider.credit_path, headers=headers)
    )


def body_of(song: Song, callback_url: str | None) -> Any:
    return KIE_JOBS.make_submission(song, callback_url)


def test_a_job_without_a_callback_url_omits_the_field() -> None:
    assert "callBackUrl" not in body_of(Song(audio_id="a", music_task_id="m"), None)
    assert body_of(Song(audio_id="a", music_task_id="m"), "https://x/y")["callBackUrl"] == "https://x/y"
