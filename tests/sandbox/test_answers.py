"""Answers that an audio id orders: each word does what the sandbox's page says."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from email.utils import parsedate_to_datetime
from time import monotonic, time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suno_wav_cli.sandbox.answers.fault_syntax import ANSWER_HELP, parse_answers
from suno_wav_cli.sandbox.answers.faults import Kind, Route
from suno_wav_cli.sandbox.behaviours import BEHAVIOURS
from suno_wav_cli.sandbox.demo_ids import choose_behaviour
from tests.support.account import open_account

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.account import SandboxAccount

JOB_MODEL = "ai-music-api/convert-to-wav-format"


@pytest.fixture(scope="module")
def account() -> Iterator[SandboxAccount]:
    """Everything is converted at once, and each test has songs of its own."""
    with open_account(speed=1e6, credits_left=10_000) as opened:
        yield opened


def accepted(account: SandboxAccount, song: str) -> int:
    return account.counted("accepted", song)


# Submissions


@pytest.mark.parametrize(
    ("steps", "find"),
    [
        pytest.param("ok", lambda answer: answer["data"]["taskId"], id="as documented"),
        pytest.param("snake", lambda answer: answer["data"]["task_id"], id="another spelling"),
        pytest.param("bare", lambda answer: answer["data"], id="the data itself"),
        pytest.param("top", lambda answer: answer["taskId"], id="at top level"),
        pytest.param("recordid", lambda answer: answer["data"]["recordId"], id="recordId"),
        pytest.param("id", lambda answer: answer["data"]["id"], id="id"),
        pytest.param("nested", lambda answer: answer["data"]["task"]["taskId"], id="one object deeper"),
        pytest.param("list", lambda answer: answer["data"][0]["taskId"], id="in a list"),
        pytest.param("text", lambda answer: json.loads(answer["data"])["taskId"], id="in a string"),
        pytest.param("number", lambda answer: answer["data"]["taskId"], id="a number"),
        pytest.param("500.paid.plain", lambda answer: answer["data"]["taskId"], id="in a refusal"),
        pytest.param("nocode", lambda answer: answer["data"]["taskId"], id="without a code"),
        pytest.param("wordcode", lambda answer: answer["data"]["taskId"], id="a word as code"),
        pytest.param("wide", lambda answer: answer["data"]["taskId"], id="in UTF-16"),
        pytest.param("latin", lambda answer: answer["data"]["taskId"], id="in ISO 8859-1"),
    ],
)
def test_a_paid_task_can_be_looked_up_wherever_its_id_stands(
    account: SandboxAccount, steps: str, find: Any
) -> None:
    song = f"demo-submit-{steps}+place"
    task_id = str(find(json.loads(account.submit(song).text)))
    assert account.record(task_id).json()["data"]["musicId"] == song
    assert accepted(account, song) == 1


@pytest.mark.parametrize(
    ("steps", "paid"),
    [
        ("402", 0),
        ("402.paid", 1),
        ("page", 0),
        ("http502", 0),
        ("http502.paid", 1),
        ("http201", 1),
        ("exists.plain", 0),
        ("409.false", 0),
        ("null", 1),
        ("empty", 1),
        ("418.hurry", 0),
    ],
)
def test_only_what_is_accepted_is_paid_for(account: SandboxAccount, steps: str, paid: int) -> None:
    before = account.credits()
    account.submit(f"demo-submit-{steps}+paid")
    assert accepted(account, f"demo-submit-{steps}+paid") == paid
    assert before - account.credits() == pytest.approx(0.4 * paid)


def test_steps_are_met_in_turn(account: SandboxAccount) -> None:
    codes = [account.submit("demo-submit-busy~2-455-ok-501~always").json()["code"] for _ in range(6)]
    assert codes == [430, 430, 455, 200, 501, 501]


def test_a_code_has_an_http_status_and_a_pause_if_ordered(account: SandboxAccount) -> None:
    answer = account.submit("demo-submit-429.http429.after7")
    assert (answer.status_code, answer.json()["code"], answer.headers["Retry-After"]) == (429, 429, "7")
    date = account.submit("demo-submit-503.date60").headers["Retry-After"]
    assert parsedate_to_datetime(date).timestamp() - time() == pytest.approx(60, abs=10)


def test_a_redirect_leads_to_a_page(account: SandboxAccount) -> None:
    answer = account.submit("demo-submit-http302")
    assert (answer.status_code, answer.headers["Content-Type"]) == (302, "text/html; charset=utf-8")
    assert account.http.get(answer.headers["Location"]).status_code == 404


def test_junk_stands_before_the_envelope(account: SandboxAccount) -> None:
    junk, envelope = account.submit("demo-submit-junk").text.split("\n", 1)
    assert not junk.startswith("{")
    assert json.loads(envelope)["code"] == 200


@pytest.mark.parametrize("end", ["cut", "cut20", "reset", "lose"])
def test_an_accepted_submission_can_end_early(account: SandboxAccount, end: str) -> None:
    song = f"demo-submit-{end}+end"
    with pytest.raises(httpx.TransportError):
        account.submit(song)
    assert accepted(account, song) == 1


def test_a_lost_submission_need_not_be_accepted(account: SandboxAccount) -> None:
    with pytest.raises(httpx.TransportError):
        account.submit("demo-submit-lose.unpaid")
    assert accepted(account, "demo-submit-lose.unpaid") == 0


@pytest.mark.long
@pytest.mark.timing
def test_speed_divides_the_seconds_of_a_slow_answer() -> None:
    with open_account(speed=100) as mine:
        for word in ("slow", "late"):
            began = monotonic()
            mine.submit(f"demo-submit-{word}20")
            assert 0.2 <= monotonic() - began < 15


def test_two_songs_can_be_given_one_id(account: SandboxAccount) -> None:
    ids = [account.task(f"demo-submit-same+two-{number}") for number in (1, 2)]
    assert ids[0] == ids[1] != account.task("demo-submit-same+others-1")
    assert account.record(ids[0]).json()["data"]["musicId"] == "demo-submit-same+two-1"


def test_a_false_id_is_of_no_task(account: SandboxAccount) -> None:
    false = account.submit("demo-submit-409.false").json()["data"]["taskId"]
    assert account.record(false).json()["code"] == 404


# Lookups


def look_up(account: SandboxAccount, steps: str, *, name: str = "demo") -> Any:
    return account.record(account.task(f"{name}-lookup-{steps}+one")).json()


@pytest.mark.parametrize(
    ("steps", "code", "message", "data"),
    [
        ("404", 404, "task not found", "absent"),
        ("422", 422, "code 422", "absent"),
        ("unknown", 404, "task not found", "absent"),
        ("null", 200, "success", None),
        ("empty", 200, "success", {}),
        ("recordnull", 200, "recordInfo is null", None),
        ("500.absent", 500, "the task does not exist", "absent"),
        ("531.refunded", 531, "Generation failed, credits refunded", "absent"),
    ],
)
def test_a_task_is_not_there_yet_in_every_form(
    account: SandboxAccount, steps: str, code: int, message: str, data: object
) -> None:
    answer = look_up(account, f"{steps}~1")
    assert (answer["code"], answer["msg"], answer.get("data", "absent")) == (code, message, data)


def test_a_bare_code_is_for_every_lookup_and_a_step_for_one(account: SandboxAccount) -> None:
    for song, codes in (("demo-lookup-503", [503, 503]), ("demo-lookup-503~1", [503, 200])):
        task_id = account.task(song)
        assert [account.record(task_id).json()["code"] for _ in codes] == codes


@pytest.mark.parametrize(
    ("steps", "flag", "url"),
    [
        ("pending", "PENDING", False),
        ("said", "PENDING", False),
        ("failed", "GENERATE_WAV_FAILED", False),
        ("exception", "CALLBACK_EXCEPTION", False),
        ("odd", "ARCHIVING", False),
        ("nourl", "SUCCESS", False),
        ("numeric", 1, True),
        ("pending.numeric", 0, False),
        ("failed.numeric", 3, False),
        ("digits", "1", True),
    ],
)
def test_one_verdict_comes_before_the_true_one(
    account: SandboxAccount, steps: str, flag: object, url: bool
) -> None:
    task_id = account.task(f"demo-lookup-{steps}+verdict")
    record = account.record(task_id).json()["data"]
    assert (record["successFlag"], record["response"] is not None) == (flag, url)
    assert account.record(task_id).json()["data"]["successFlag"] == "SUCCESS"


def test_the_address_stands_in_many_places(account: SandboxAccount) -> None:
    def response(steps: str) -> Any:
        return look_up(account, steps)["data"]["response"]

    url = response("ok")["audioWavUrl"]
    prefix, path = url[: url.index("/files")], "/files/"
    assert response("urllist")["audioWavUrl"][0].startswith(prefix)
    assert response("urlobject")["audioWavUrl"]["url"].startswith(prefix)
    assert json.loads(response("urltext"))["audioWavUrl"].startswith(prefix)
    assert response("relative")["audioWavUrl"].startswith(path)
    assert response("unusable")["audioWavUrl"].startswith("ftp://")


def test_a_job_names_its_address_in_as_many_places(account: SandboxAccount) -> None:
    def result(steps: str) -> Any:
        given = {"task_id": "m", "audio_id": f"demo-lookup-{steps}+job"}
        body = {"model": JOB_MODEL, "input": given}
        task = account.http.post("/kie/api/v1/jobs/createTask", json=body).json()["data"]["taskId"]
        record = account.http.get("/kie/api/v1/jobs/recordInfo", params={"taskId": task}).json()["data"]
        return json.loads(record["resultJson"])["resultUrls"]

    assert result("ok")[0].startswith("http")
    assert result("urlobject")[0]["url"].startswith("http")
    assert result("urllist")[0][0].startswith("http")
    assert json.loads(result("urltext"))[0].startswith("http")
    assert result("relative")[0].startswith("/files/")


def test_a_record_can_be_of_another_song_or_task(account: SandboxAccount) -> None:
    tasks = {number: account.task(f"demo-lookup-othersong~always+pair-{number}") for number in (1, 2)}
    names = {number: account.record(task).json()["data"]["musicId"] for number, task in tasks.items()}
    assert names == {1: "demo-lookup-othersong~always+pair-2", 2: "demo-lookup-othersong~always+pair-1"}
    assert look_up(account, "masked")["data"]["musicId"] == "demo****+one"
    assert look_up(account, "nosong")["data"]["musicId"] is None
    task = account.task("demo-lookup-othertask")
    assert account.record(task).json()["data"]["taskId"] != task


def test_a_record_tells_the_real_time_unless_it_is_stale(account: SandboxAccount) -> None:
    record = look_up(account, "ok", name="demo-record-epoch")["data"]
    assert record["createTime"] / 1000 == pytest.approx(time(), abs=60)
    assert look_up(account, "stale")["data"]["createTime"] / 1000 < time() - 86_400


def test_a_record_can_be_nested_and_in_a_string(account: SandboxAccount) -> None:
    assert look_up(account, "nested")["data"]["record"]["successFlag"] == "SUCCESS"
    assert look_up(account, "list")["data"][0]["successFlag"] == "SUCCESS"
    assert json.loads(look_up(account, "text")["data"])["successFlag"] == "SUCCESS"


# Ids


def test_the_plans_of_an_id_combine() -> None:
    behaviour = choose_behaviour("demo-fails-submit-busy~2-503-lookup-null-failed-cdn-weak-cut64k+7")
    assert behaviour.flag == BEHAVIOURS["demo-fails"].flag
    assert [len(behaviour.submissions.steps), len(behaviour.lookups.steps), len(behaviour.plan.steps)] == [
        2,
        2,
        1,
    ]


@pytest.mark.parametrize(
    ("song", "nearest"),
    [
        ("demo-slwo", "demo-slow"),
        ("demo-record-epohc", "demo-record-epoch"),
        ("demo-callback-camle", "demo-callback-camel"),
        ("Demo-slow", "demo-slow"),
        ("demoslow", "demo-slow"),
        ("demo-lokup-404", "demo-lookup-STEPS"),
    ],
)
def test_a_mistyped_id_is_refused_with_the_nearest(account: SandboxAccount, song: str, nearest: str) -> None:
    answer = account.submit(song).json()
    assert answer["code"] == 400
    assert f"did you mean {nearest}?" in answer["msg"]
    assert accepted(account, song) == 0


def test_an_id_that_does_not_begin_with_demo_behaves_like_demo() -> None:
    assert choose_behaviour("8551ab12-34cd-4e5f-8a9b-0c1d2e3f662c").problem is None


@pytest.mark.parametrize(
    ("song", "why"),
    [
        ("demo-submit-", "'' is not an answer"),
        ("demo-lookup-nul", "'nul' is not an answer; did you mean 'null'?"),
        ("demo-lookup-99", "'99' takes a code of three digits"),
        ("demo-lookup-503.429", "the code can be wrong in one way only"),
        ("demo-lookup-paid", "'paid' is not an answer to a lookup"),
        ("demo-submit-failed", "'failed' is not an answer to a submission"),
        ("demo-lookup-null.after3", "Retry-After goes with a refusal"),
        ("demo-lookup-page.null", "a page is not an envelope"),
        ("demo-lookup-slow", "'slow' takes seconds"),
        ("demo-lookup-503.date999999999999", "'date' takes seconds"),
        ("demo-lookup-null~always-ok", "nothing can follow a step that repeats always"),
        ("demo-lookup-null-submit-402", "'submit', 'lookup' and 'cdn' stand in this order, each once"),
    ],
)
def test_a_plan_that_cannot_be_read_is_refused_with_a_reason(song: str, why: str) -> None:
    assert (choose_behaviour(song).problem or "").startswith(why)


@given(st.text(alphabet="abcdehilnopstuw0123456789.~-", max_size=30), st.sampled_from(Route))
def test_any_text_is_a_plan_or_is_refused(text: str, route: Route) -> None:
    with suppress(ValueError):
        assert parse_answers(text, route).steps


def test_every_word_is_explained() -> None:
    words = {word for line in ANSWER_HELP for word in re.findall(r"[a-z0-9]+", line)}
    assert words == {kind for kind in Kind if kind}
