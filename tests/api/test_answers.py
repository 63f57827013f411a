"""The service's answers in every variant that users have met, and whatever else may come."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from suno_wav_cli.api.envelope import Envelope, find_task_id, read_envelope
from suno_wav_cli.api.records import read_record
from suno_wav_cli.api.tracks import read_music_task
from suno_wav_cli.api.values import matches_id
from suno_wav_cli.callbacks.payload import Callback, read_callback
from suno_wav_cli.models import MusicTask, Track, WavRecord, WavState

URL = "https://cdn.example/04e6/a.wav"
OTHER = "https://cdn.example/other.wav"
TRACK = Track(audio_id="audio-1", music_task_id="m", title="Song", tags="sine", duration=180.5, complete=True)


def read(top: object) -> Envelope:
    answer = read_envelope(json.dumps(top).encode())
    assert answer is not None
    return answer


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(
            b'{"code": 200, "msg": "success", "data": {"taskId": "t"}}',
            (200, "success", {"taskId": "t"}),
            id="documented",
        ),
        pytest.param(
            b'{"code": 429, "msg": "too many", "data": null}', (429, "too many", None), id="a refusal"
        ),
        pytest.param(b'{"code": 500}', (500, "", None), id="nothing but a code"),
        pytest.param(b'{"code": "455", "msg": "later"}', (455, "later", None), id="a code as text"),
        pytest.param(
            b'{"msg": "success", "data": {"taskId": "t"}}',
            (200, "success", {"taskId": "t"}),
            id="no code, a success word",
        ),
        pytest.param(b'{"success": true, "data": "t"}', (200, "", "t"), id="no code, a truth"),
        pytest.param(b'{"code": "SUCCESS", "data": "t"}', (200, "", "t"), id="a word as code"),
        pytest.param(
            b'{"code": 401, "message": "no key"}', (401, "no key", None), id="a message by its whole name"
        ),
        pytest.param(
            b'{"code": 401, "msg": null, "message": "no"}', (401, "no", None), id="one of two messages"
        ),
        pytest.param(b'{"code": 401, "msg": 17}', (401, "17", None), id="a message that is a number"),
        pytest.param(b'{"code": 401, "msg": ["a"]}', (401, "", None), id="a message that is a list"),
        pytest.param(
            b'\xef\xbb\xbf{"code": 200, "data": 1.4}', (200, "", Decimal("1.4")), id="with a byte order mark"
        ),
        pytest.param(b' \r\n{"code": 200, "data": "t"}\n', (200, "", "t"), id="with blanks around"),
    ],
)
def test_an_envelope_is_read(body: bytes, expected: tuple[int, str, object]) -> None:
    answer = read_envelope(body)
    assert answer is not None
    assert (answer.code, answer.message, answer.data) == expected


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"<html><h1>502 Bad Gateway</h1></html>", id="a proxy's page"),
        pytest.param(b'{"code": 200, "msg": "succ', id="cut"),
        pytest.param(b"\xff\xfe\x00", id="bytes that are no text"),
        pytest.param(b"null", id="null"),
        pytest.param(b"[200]", id="a list"),
        pytest.param(b'"200"', id="a text"),
        pytest.param(b"{}", id="an empty object"),
        pytest.param(b'{"status": 200}', id="no code"),
        pytest.param(b'{"code": null}', id="code null"),
        pytest.param(b'{"code": true}', id="a code that is a truth value"),
        pytest.param(b'{"code": 2.5}', id="a code that is a fraction"),
        pytest.param(b'{"code": "success"}', id="a code that is a word, and no content"),
        pytest.param(b'{"msg": "failed", "data": {"taskId": "t"}}', id="no code and no success word"),
        pytest.param(b'{"msg": "success", "data": null}', id="success of nothing"),
        pytest.param(b'{"code": [200]}', id="a code in a list"),
        pytest.param(b'{"code": ' + b"9" * 5000 + b"}", id="a code of 5000 digits"),
        pytest.param(b"[" * 100_000, id="deeply nested"),
    ],
)
def test_a_body_without_an_envelope_is_none(body: bytes) -> None:
    assert read_envelope(body) is None


@pytest.mark.parametrize(
    ("top", "expected"),
    [
        pytest.param({"code": 200, "data": {"taskId": "t-1"}}, "t-1", id="documented"),
        pytest.param({"code": 200, "data": {"task_id": "t-1"}}, "t-1", id="snake case"),
        pytest.param({"code": 200, "data": "t-1"}, "t-1", id="data is the id"),
        pytest.param({"code": 200, "taskId": "t-1"}, "t-1", id="at top level"),
        pytest.param({"code": 200, "data": None, "taskId": "t-1"}, "t-1", id="at top level, data null"),
        pytest.param({"code": 200, "data": {"taskId": ""}, "taskId": "t-1"}, "t-1", id="one of two is empty"),
        pytest.param({"code": 200, "data": {"taskId": "t-1", "task_id": "t-2"}}, "t-1", id="two that differ"),
        pytest.param({"code": 200, "data": {"taskId": " t-1\n"}}, None, id="with a line's end"),
        pytest.param({"code": 200, "data": {"taskId": " t-1 "}}, "t-1", id="with blanks"),
        pytest.param({"code": 409, "data": {"taskId": "t-1"}}, "t-1", id="409 with the existing task"),
        pytest.param({"code": 409, "data": None}, None, id="409 without"),
        pytest.param({"code": 200, "data": None}, None, id="null"),
        pytest.param({"code": 200, "data": {}}, None, id="an empty object"),
        pytest.param({"code": 200, "data": {"taskId": None}}, None, id="id null"),
        pytest.param({"code": 200, "data": {"taskId": 17}}, "17", id="a number"),
        pytest.param({"code": 200, "data": {"taskId": 1.5}}, None, id="a fraction"),
        pytest.param({"code": 200, "data": {"taskId": 17.0}}, "17", id="a number with a fraction of 0"),
        pytest.param({"code": 200, "data": {"taskId": 1e300}}, None, id="an absurd number"),
        pytest.param({"code": 200, "data": {"taskId": True}}, None, id="a truth value"),
        pytest.param({"code": 200, "data": ["t-1"]}, None, id="a list"),
        pytest.param({"code": 200, "data": "  "}, None, id="blanks"),
        pytest.param({"code": 200, "data": '{"taskId": "t-1"}'}, "t-1", id="JSON in a text"),
        pytest.param({"code": 200, "data": '"t-1"'}, "t-1", id="data is the id, as JSON"),
        pytest.param({"code": 200, "data": '{"job": {"taskId": "t-1"}}'}, None, id="deep in JSON in a text"),
        pytest.param({"code": 200, "data": '{"taskId": "t-1'}, None, id="half of JSON in a text"),
        pytest.param({"code": 200, "data": "success"}, None, id="data is a word"),
        pytest.param({"code": 200, "data": "task 1 was queued"}, None, id="data is a sentence"),
        pytest.param({"code": 200, "data": "https://x.example/1"}, None, id="data is an address"),
        pytest.param({"code": 200, "data": "x" * 201}, None, id="endless"),
        pytest.param({"code": 200, "data": "a\x1b[2Jb"}, None, id="with control characters"),
    ],
)
def test_the_new_tasks_id_is_found_in_every_shape_of_answer(
    top: dict[str, Any], expected: str | None
) -> None:
    assert find_task_id(read(top)) == expected


def test_a_whole_record_is_read() -> None:
    data = {
        "taskId": "t-1",
        "musicId": "audio-1",
        "musicIndex": 0,
        "callbackUrl": "https://example.com/callback",
        "createTime": "2025-01-01 00:00:00",
        "completeTime": "2025-01-01 00:10:00",
        "response": {"audioWavUrl": URL},
        "successFlag": "SUCCESS",
        "errorCode": None,
        "errorMessage": None,
    }
    assert read_record("t-1", data) == WavRecord(
        task_id="t-1",
        state=WavState.READY,
        flag="SUCCESS",
        url=URL,
        audio_id="audio-1",
        created="2025-01-01 00:00:00",
        completed="2025-01-01 00:10:00",
    )


@pytest.mark.parametrize(
    "data",
    [
        pytest.param({"successFlag": "SUCCESS", "response": {"audioWavUrl": URL}}, id="documented"),
        pytest.param(
            {"successFlag": "SUCCESS", "response": {"audio_wav_url": URL}}, id="first edition's URL"
        ),
        pytest.param({"status": "SUCCESS", "response": {"audio_wav_url": URL}}, id="first edition"),
        pytest.param({"successFlag": "SUCCESS", "audioWavUrl": URL}, id="directly in data"),
        pytest.param({"successFlag": "SUCCESS", "audio_wav_url": URL}, id="directly in data, snake case"),
        pytest.param({"successFlag": "SUCCESS", "response": None, "audioWavUrl": URL}, id="response null"),
        pytest.param(
            {"successFlag": "SUCCESS", "response": {"audioWavUrl": ""}, "audioWavUrl": URL},
            id="one of two is empty",
        ),
        pytest.param(
            {"successFlag": "SUCCESS", "response": {"audioWavUrl": None, "audio_wav_url": URL}},
            id="one is null",
        ),
        pytest.param(
            {"successFlag": "SUCCESS", "response": {"audioWavUrl": "pending"}, "audio_wav_url": URL},
            id="one is no URL",
        ),
        pytest.param({"successFlag": "SUCCESS", "response": {"audioWavUrl": f" {URL}\n"}}, id="with blanks"),
        pytest.param(
            {"successFlag": "CALLBACK_EXCEPTION", "response": {"audioWavUrl": URL}}, id="not delivered"
        ),
        pytest.param({"successFlag": "PENDING", "response": {"audioWavUrl": URL}}, id="still called pending"),
        pytest.param({"successFlag": "GENERATE_WAV_FAILED", "audioWavUrl": URL}, id="called failed"),
        pytest.param({"response": {"audioWavUrl": URL}}, id="no status"),
        pytest.param({"successFlag": 1, "response": {"audioWavUrl": URL}}, id="a status that is a number"),
        pytest.param({"successFlag": ["x"], "response": {"audioWavUrl": URL}}, id="a status that is a list"),
        pytest.param({"successFlag": 2, "response": {"audioWavUrl": URL}}, id="called failed by a number"),
        pytest.param({"response": {"audioWavUrl": [URL]}}, id="a list of URLs"),
        pytest.param(
            {"response": {"audioWavUrl": {"mp3": OTHER[:-4] + ".mp3", "wav": URL}}}, id="an object of URLs"
        ),
        pytest.param({"response": {"audioWavUrl": json.dumps([{"url": URL}])}}, id="JSON as a URL"),
        pytest.param({"response": json.dumps({"audioWavUrl": URL})}, id="JSON as the response"),
        pytest.param({"response": [{"audio_wav_url": URL}]}, id="the response in a list"),
        pytest.param({"response": URL}, id="the response is the URL"),
        pytest.param({"response": [URL]}, id="the response is a list of URLs"),
        pytest.param({"resultJson": json.dumps({"resultUrls": [URL]})}, id="as a job has it"),
    ],
)
def test_a_usable_url_wins_wherever_it_stands(data: dict[str, Any]) -> None:
    record = read_record("t-1", data)
    assert (record.state, record.url) == (WavState.READY, URL)


@pytest.mark.parametrize(
    "data", [json.dumps({"audioWavUrl": URL}), [{"audioWavUrl": URL}]], ids=["JSON", "a list"]
)
def test_a_record_may_be_packed(data: object) -> None:
    assert read_record("t-1", data).url == URL


@pytest.mark.parametrize(
    ("address", "url"),
    [
        pytest.param("/files/a.wav", "https://api.example/files/a.wav", id="a path"),
        pytest.param("//cdn.example/a.wav", "https://cdn.example/a.wav", id="a host"),
        pytest.param("/../../a.wav", "https://api.example/a.wav", id="a path that leads up"),
        pytest.param("files/a.wav", None, id="a path that begins anywhere"),
        pytest.param("/\\evil.example/a.wav", None, id="a backslash"),
        pytest.param("//[", None, id="half a host"),
        pytest.param("/a\n.wav", None, id="control characters"),
    ],
)
def test_an_address_without_a_host_is_one_of_the_service(address: str, url: str | None) -> None:
    record = read_record("t-1", {"audioWavUrl": address}, "https://api.example/prefix")
    assert (record.url, record.unusable_url is None) == (url, url is not None)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("ftp://cdn.example/a.wav", "ftp://cdn.example/a.wav", id="another protocol"),
        pytest.param("soon.wav", "soon.wav", id="a name"),
        pytest.param(["https://[", URL], None, id="beside a usable one"),
        pytest.param({"url": "https:///a.wav"}, "https:///a.wav", id="in an object"),
        pytest.param("https://x/\x1b[2J", "https://x/\\x1b[2J", id="control characters"),
        pytest.param("https://[" + "a" * 1000, "https://[" + "a" * 291, id="an endless one"),
        pytest.param("pending", None, id="a word"),
        pytest.param("", None, id="empty"),
        pytest.param(None, None, id="null"),
        pytest.param(7, None, id="a number"),
    ],
)
def test_an_address_that_cannot_be_used_is_kept(value: object, expected: str | None) -> None:
    record = read_record("t-1", {"successFlag": "SUCCESS", "response": {"audioWavUrl": value}})
    assert record.unusable_url == expected
    assert (record.state is WavState.PENDING) == (record.url is None)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(Decimal("0.4"), Decimal("0.4"), id="a fraction"),
        pytest.param("0.40", Decimal("0.40"), id="text"),
        pytest.param(0, Decimal(0), id="nothing"),
        pytest.param(-1, None, id="less than nothing"),
        pytest.param("some", None, id="a word"),
        pytest.param(None, None, id="null"),
    ],
)
def test_what_a_task_has_cost_is_read(value: object, expected: Decimal | None) -> None:
    assert read_record("t-1", {"creditsConsumed": value}).credits == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(1_735_689_600_000, 1_735_689_600.0, id="milliseconds"),
        pytest.param(1_735_689_600, 1_735_689_600.0, id="seconds"),
        pytest.param("1735689600000", 1_735_689_600.0, id="digits"),
        pytest.param("2025-01-01T01:00:00+01:00", 1_735_689_600.0, id="with a zone"),
        pytest.param("2025-01-01T00:00:00Z", 1_735_689_600.0, id="in UTC"),
        pytest.param("2025-01-01 00:00:00", None, id="without a zone"),
        pytest.param(17, None, id="a small number"),
        pytest.param(10**400, None, id="beyond any float"),
        pytest.param(True, None, id="a truth value"),
        pytest.param("soon", None, id="a word"),
    ],
)
def test_an_exact_time_can_be_compared(value: object, expected: float | None) -> None:
    assert read_record("t-1", {"createTime": value}).created_at == expected


def test_a_field_that_nests_too_deep_is_not_kept_but_read() -> None:
    """What reports, hides or prints a record calls itself at each level."""
    deep: object = [URL]
    for _ in range(300):
        deep = {"a": deep}
    record = read_record("t-1", {"response": deep, "resultJson": json.dumps([URL]), "status": "SUCCESS"})
    assert (record.url, dict(record.raw)) == (URL, {"resultJson": json.dumps([URL]), "status": "SUCCESS"})


def test_a_record_is_kept_as_it_came() -> None:
    data = read({"code": 200, "data": {"successFlag": "NEW_WORD", "surprise": [1, {"cost": 0.4}]}}).data
    assert json.dumps(read_record("t-1", data).raw) == json.dumps(
        {"successFlag": "NEW_WORD", "surprise": [1, {"cost": 0.4}]}
    )


def test_a_job_names_its_song_by_what_it_was_asked() -> None:
    param = json.dumps({"input": json.dumps({"task_id": "m-1", "audio_id": "audio-1"})})
    assert read_record("t-1", {"param": param}).audio_id == "audio-1"


@pytest.mark.parametrize(
    ("named", "audio_id"),
    [
        pytest.param(
            "8551AB12-34CD-4E5F-8A9B-0C1D2E3F662C", "8551ab12-34cd-4e5f-8a9b-0c1d2e3f662c", id="UUID"
        ),
        pytest.param("Demo-A", "Demo-A", id="anything else"),
    ],
)
def test_a_song_has_one_id_however_the_service_writes_it(named: str, audio_id: str) -> None:
    """Under two, it would be two songs to the journal, and paid for twice."""
    assert read_record("t-1", {"musicId": named}).audio_id == audio_id
    (found,) = read_music_task("m", {"response": {"sunoData": [track(id=named)]}}).tracks
    assert found.audio_id == audio_id


@pytest.mark.parametrize(
    ("shown", "matches"),
    [
        pytest.param("988edfaec8d3", True, id="the same"),
        pytest.param("988EDFAEC8D3", True, id="in capitals"),
        pytest.param("988e****c8d3", True, id="masked"),
        pytest.param("988e*", True, id="only its beginning"),
        pytest.param("****", True, id="nothing visible"),
        pytest.param("9*a*3", True, id="masked twice"),
        pytest.param("988edfaec8d", False, id="shorter"),
        pytest.param("988f****c8d3", False, id="another beginning"),
        pytest.param("988e****c8d4", False, id="another end"),
        pytest.param("988edfae*dfaec8d3", False, id="more than there is"),
    ],
)
def test_a_masked_id_matches_by_its_visible_ends(shown: str, matches: bool) -> None:
    assert matches_id(shown, "988edfaec8d3") is matches


def test_the_url_in_the_response_comes_first() -> None:
    data = {"response": {"audioWavUrl": URL}, "audioWavUrl": OTHER}
    assert read_record("t-1", data).url == URL


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(None, id="data null: not there yet"),
        pytest.param({}, id="empty"),
        pytest.param([], id="a list"),
        pytest.param("SUCCESS", id="a text"),
        pytest.param({"successFlag": "PENDING", "response": None}, id="PENDING"),
        pytest.param({"status": "PENDING"}, id="PENDING, first edition"),
        pytest.param({"successFlag": "", "response": None}, id="an empty status"),
        pytest.param({"successFlag": None}, id="status null"),
        pytest.param({"successFlag": "TEXT_SUCCESS"}, id="an unknown status"),
        pytest.param({"successFlag": "SUCCESS", "response": None}, id="SUCCESS without a response"),
        pytest.param({"successFlag": "SUCCESS", "response": {"audioWavUrl": None}}, id="SUCCESS, URL null"),
        pytest.param({"successFlag": "SUCCESS", "response": {"audioWavUrl": ""}}, id="SUCCESS, URL empty"),
        pytest.param({"successFlag": "SUCCESS", "response": {"audioWavUrl": "soon.wav"}}, id="no scheme"),
        pytest.param(
            {"successFlag": "SUCCESS", "response": {"audioWavUrl": "file:///etc/passwd"}}, id="a file"
        ),
        pytest.param({"successFlag": "SUCCESS", "response": {"audioWavUrl": "https:///a.wav"}}, id="no host"),
        pytest.param(
            {"successFlag": "SUCCESS", "response": {"audioWavUrl": "https://[::1/a"}}, id="a bracket too few"
        ),
        pytest.param(
            {"successFlag": "SUCCESS", "response": {"audioWavUrl": "https://x/\x1b[2J"}},
            id="control characters",
        ),
        pytest.param({"successFlag": "CALLBACK_EXCEPTION"}, id="a callback that was not delivered"),
        pytest.param({"successFlag": "SENSITIVE_WORD_ERROR"}, id="an error that nobody has seen here"),
        pytest.param({"successFlag": 0}, id="0"),
        pytest.param({"successFlag": "1"}, id="1 as text, no URL yet"),
        pytest.param({"successFlag": 4}, id="an unknown number"),
    ],
)
def test_without_a_url_and_without_a_failure_the_song_waits(data: object) -> None:
    record = read_record("t-1", data)
    assert (record.state, record.url) == (WavState.PENDING, None)


@pytest.mark.parametrize("field", ["successFlag", "status"])
@pytest.mark.parametrize(
    "value",
    [
        "CREATE_TASK_FAILED",
        "GENERATE_WAV_FAILED",
        "GENERATE_AUDIO_FAILED",
        "failed",
        "fail",
        "2",
        "3",
    ],
)
def test_a_failure_without_a_url_is_a_failure(field: str, value: str) -> None:
    record = read_record(
        "t-1", {field: value, "response": None, "errorCode": 501, "errorMessage": "bad audio"}
    )
    assert record == WavRecord(
        task_id="t-1", state=WavState.FAILED, flag=value, error_code="501", error_message="bad audio"
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("2025-01-01 00:00:00", "2025-01-01 00:00:00", id="text"),
        pytest.param(1_735_689_600_000, "2025-01-01 00:00:00", id="epoch milliseconds"),
        pytest.param(1_735_689_600_500.5, "2025-01-01 00:00:00", id="with a fraction"),
        pytest.param(0, None, id="zero: not yet"),
        pytest.param(None, None, id="null"),
        pytest.param("", None, id="empty"),
        pytest.param(10**18, None, id="beyond the calendar"),
        pytest.param(-(10**18), None, id="before the calendar"),
        pytest.param(10**400, None, id="beyond any float"),
        pytest.param(True, None, id="a truth value"),
        pytest.param([1], None, id="a list"),
    ],
)
def test_times_are_read_in_both_forms(value: object, expected: str | None) -> None:
    data = read({"code": 200, "data": {"createTime": value, "completeTime": value}}).data
    record = read_record("t-1", data)
    assert (record.created, record.completed) == (expected, expected)


@pytest.mark.parametrize("index", [0, "0", "1", None, [], "absent"])
def test_the_index_may_be_anything(index: object) -> None:
    data = {"musicId": "audio-1", "musicIndex": index, "response": {"audioWavUrl": URL}}
    if index == "absent":
        del data["musicIndex"]
    assert read_record("t-1", data) == WavRecord(
        task_id="t-1", state=WavState.READY, url=URL, audio_id="audio-1"
    )


def job(result: object = None, **fields: object) -> dict[str, object]:
    return {"state": "success", "resultJson": result} | fields


def test_a_whole_job_is_read() -> None:
    data = {
        "taskId": "t-1",
        "model": "ai-music-api/convert-to-wav-format",
        "state": "success",
        "param": "{}",
        "resultJson": json.dumps({"resultUrls": [URL]}),
        "failCode": None,
        "failMsg": "",
        "costTime": 600_000,
        "createTime": 1_735_689_600_000,
        "completeTime": 1_735_690_200_000,
        "updateTime": 1_735_690_200_000,
        "creditsConsumed": Decimal("0.4"),
    }
    assert read_record("t-1", data) == WavRecord(
        task_id="t-1",
        state=WavState.READY,
        flag="success",
        url=URL,
        created="2025-01-01 00:00:00",
        completed="2025-01-01 00:10:00",
        created_at=1_735_689_600.0,
        completed_at=1_735_690_200.0,
        credits=Decimal("0.4"),
    )


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(job(json.dumps({"resultUrls": [URL]})), id="documented"),
        pytest.param(job({"resultUrls": [URL]}), id="an object, not a text of one"),
        pytest.param(job(json.dumps({"resultUrls": URL})), id="a URL that is in no list"),
        pytest.param(job(json.dumps({"resultUrls": [None, 7, "", "soon", URL]})), id="the first usable one"),
        pytest.param(job(json.dumps({"resultUrls": ["https://cdn.example/a.mp3", URL, OTHER]})), id="a WAV"),
        pytest.param(job(json.dumps([URL])), id="a result that is a list"),
        pytest.param(job(URL), id="a result that is a URL"),
        pytest.param(job(json.dumps({"resultUrls": {"0": URL}})), id="URLs in an object"),
        pytest.param(job(json.dumps({"resultUrls": [{"url": URL, "size": 7}]})), id="objects in a list"),
        pytest.param(job(json.dumps({"resultUrls": json.dumps([URL])})), id="JSON in JSON"),
        pytest.param(job(json.dumps({"resultUrls": [URL]}), state="generating"), id="still at work"),
        pytest.param(job(json.dumps({"resultUrls": [URL]}), state="fail"), id="called failed"),
        pytest.param({"resultJson": json.dumps({"resultUrls": [URL]})}, id="no state"),
    ],
)
def test_a_usable_url_of_a_job_wins(data: dict[str, object]) -> None:
    record = read_record("t-1", data)
    assert (record.state, record.url) == (WavState.READY, URL)


def test_a_jobs_url_that_is_not_called_a_wav_will_do() -> None:
    urls = ["https://cdn.example/1?format=wav", "https://cdn.example/2"]
    assert read_record("t-1", job(json.dumps({"resultUrls": urls}))).url == urls[0]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(None, id="data null"),
        pytest.param({}, id="empty"),
        pytest.param([URL], id="a list"),
        pytest.param({"state": "waiting"}, id="waiting"),
        pytest.param({"state": "queuing", "resultJson": ""}, id="queuing"),
        pytest.param({"state": "generating", "resultJson": None}, id="generating"),
        pytest.param({"state": "paused"}, id="an unknown state"),
        pytest.param(job(None), id="success, no result yet"),
        pytest.param(job("{"), id="a result that is no JSON"),
        pytest.param(job("[" * 100_000), id="a result that is deeply nested"),
        pytest.param(job("null"), id="a result that is null"),
        pytest.param(job("{}"), id="a result without URLs"),
        pytest.param(job('{"resultUrls": null}'), id="URLs null"),
        pytest.param(job('{"resultUrls": [["soon"], "file:///a.wav"]}'), id="no usable URL"),
        pytest.param(job(7), id="a result that is a number"),
    ],
)
def test_a_job_without_a_url_and_without_a_failure_waits(data: object) -> None:
    record = read_record("t-1", data)
    assert (record.state, record.url) == (WavState.PENDING, None)


def test_a_failed_job_keeps_the_services_words() -> None:
    data = {"state": "fail", "resultJson": "", "failCode": "422", "failMsg": "no audio", "completeTime": 0}
    assert read_record("t-1", data) == WavRecord(
        task_id="t-1", state=WavState.FAILED, flag="fail", error_code="422", error_message="no audio"
    )


def can_be_written(text: str) -> bool:
    return text.encode("utf-8", "replace").decode() == text


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb"], ids=["alone", "in the middle"])
def test_half_a_surrogate_pair_is_replaced(text: str) -> None:
    """JSON can carry it; the journal, the log and standard output cannot."""
    answer = read({"code": 501, "msg": text, "data": {"errorMessage": text, "createTime": text}})
    record = read_record("t-1", answer.data)
    assert can_be_written(f"{answer.message} {record.error_message} {record.created}")


def test_texts_are_bounded() -> None:
    record = read_record("t-1", {"successFlag": "FAILED", "errorMessage": "x" * 1_000_000})
    assert record.error_message is not None
    assert len(record.error_message) <= 1000


def test_a_track_is_read() -> None:
    data = {
        "status": "FIRST_SUCCESS",
        "response": {
            "sunoData": [track(tags="sine"), track(id="audio-2", title=None, audioUrl="", duration=0)]
        },
    }
    assert read_music_task("m", data) == MusicTask(
        task_id="m",
        flag="FIRST_SUCCESS",
        tracks=(
            TRACK,
            Track(
                audio_id="audio-2", music_task_id="m", title=None, tags=None, duration=None, complete=False
            ),
        ),
    )


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param({}, (None, None), id="absent"),
        pytest.param({"prompt": None, "imageUrl": None}, (None, None), id="null"),
        pytest.param({"prompt": " ", "imageUrl": ""}, (None, None), id="empty"),
        pytest.param({"prompt": ["la"], "imageUrl": {"url": "https://x/a.png"}}, (None, None), id="no texts"),
        pytest.param(
            {"prompt": " la\n\nla \n", "imageUrl": " https://x/a.png "},
            ("la\n\nla", "https://x/a.png"),
            id="both",
        ),
        pytest.param({"imageUrl": "/a.png"}, (None, None), id="a path"),
        pytest.param({"imageUrl": "javascript:x"}, (None, None), id="no address of a file"),
        pytest.param(
            {"imageUrl": "https://x/a.png", "sourceImageUrl": "https://y/b.png"},
            (None, "https://x/a.png"),
            id="two addresses",
        ),
        pytest.param(
            {"imageUrl": "", "sourceImageUrl": "https://y/b.png"},
            (None, "https://y/b.png"),
            id="the source's",
        ),
    ],
)
def test_lyrics_and_cover_are_found(
    fields: dict[str, object], expected: tuple[str | None, str | None]
) -> None:
    (found,) = read_music_task("m", {"response": {"sunoData": [track(**fields)]}}).tracks
    assert (found.lyrics, found.image_url) == expected


def test_lyrics_and_style_have_a_higher_bound() -> None:
    (found,) = read_music_task(
        "m", {"response": {"sunoData": [track(prompt="x" * 10**6, tags="y" * 10**6)]}}
    ).tracks
    assert (len(found.lyrics or ""), len(found.tags or "")) == (20_000, 2_000)


@pytest.mark.parametrize("duration", [True, "long", -1, 1e300, float("nan"), [], {}, "12.5.1"])
def test_an_impossible_duration_is_none(duration: object) -> None:
    (found,) = read_music_task("m", {"response": {"sunoData": [track(duration=duration)]}}).tracks
    assert found.duration is None


def track(**fields: object) -> dict[str, object]:
    return {"id": "audio-1", "title": "Song", "audioUrl": "https://x/a.mp3", "duration": 180.5} | fields


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(
            {"status": "SUCCESS", "response": {"sunoData": [track(), track(id="audio-2", title="Other")]}},
            (("audio-1", "Song"), ("audio-2", "Other")),
            id="two tracks",
        ),
        pytest.param(
            {"status": "FIRST_SUCCESS", "response": {"sunoData": [track(audioUrl="", duration=None)]}},
            (("audio-1", "Song"),),
            id="one so far",
        ),
        pytest.param(
            {"status": "CALLBACK_EXCEPTION", "response": {"sunoData": [track()]}},
            (("audio-1", "Song"),),
            id="not delivered, but there",
        ),
        pytest.param(
            {"response": {"sunoData": [track(title="")]}}, (("audio-1", None),), id="without a title"
        ),
        pytest.param({"response": {"sunoData": [track(title=None)]}}, (("audio-1", None),), id="title null"),
        pytest.param(
            {"response": {"sunoData": [track(title=7)]}}, (("audio-1", "7"),), id="a number as title"
        ),
        pytest.param(
            {"response": {"sunoData": [track(id=""), track(id=None), None, "x", track(id="audio-3")]}},
            (("audio-3", "Song"),),
            id="some that are none",
        ),
        pytest.param({"status": "PENDING", "response": None}, (), id="pending"),
        pytest.param({"status": "PENDING", "response": {"sunoData": None}}, (), id="no list yet"),
        pytest.param({"status": "SENSITIVE_WORD_ERROR", "response": {"sunoData": []}}, (), id="refused"),
        pytest.param({"response": {"sunoData": {"id": "audio-1"}}}, (), id="not a list"),
        pytest.param({"response": ["track"]}, (), id="a list of no tracks"),
        pytest.param(None, (), id="null"),
        pytest.param("x", (), id="a text"),
    ],
)
def test_the_tracks_of_a_music_task_are_found(
    data: object, expected: tuple[tuple[str, str | None], ...]
) -> None:
    assert tuple((track.audio_id, track.title) for track in read_music_task("m", data).tracks) == expected


def job_track(**fields: object) -> dict[str, object]:
    return {
        "id": "audio-1",
        "title": "Song",
        "audio_url": "https://x/a.mp3",
        "image_url": "https://x/a.png",
        "prompt": "a song",
        "tags": "sine",
        "duration": 180.5,
    } | fields


@pytest.mark.parametrize(
    "data",
    [
        pytest.param({"resultJson": json.dumps({"data": [job_track()]})}, id="in resultJson"),
        pytest.param({"resultJson": {"data": [job_track()]}}, id="an object, not a text of one"),
        pytest.param({"response": {"data": [job_track()]}}, id="in the response"),
        pytest.param({"response": json.dumps([job_track()])}, id="a text of a list"),
        pytest.param(
            {"response": {"data": [job_track(audio_url="")]}, "resultJson": {"data": [job_track()]}},
            id="in both, whole in one",
        ),
    ],
)
def test_the_tracks_of_a_job_are_found(data: dict[str, object]) -> None:
    data |= {"state": "success", "resultObject": {"lyricsData": "la la"}}
    assert read_music_task("m", data) == MusicTask(
        task_id="m",
        flag="success",
        tracks=(replace(TRACK, lyrics="la la", image_url="https://x/a.png"),),
    )


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(
            {"code": 200, "msg": "success", "data": {"audio_wav_url": URL, "task_id": "t"}},
            Callback(task_id="t", code=200, url=URL),
            id="documented",
        ),
        pytest.param(
            {"code": 200, "data": {"audioWavUrl": URL, "taskId": "t"}},
            Callback(task_id="t", code=200, url=URL),
            id="camel case",
        ),
        pytest.param(
            {"code": 200, "data": {"response": {"audioWavUrl": URL}, "task_id": "t"}},
            Callback(task_id="t", code=200, url=URL),
            id="response",
        ),
        pytest.param(
            {"code": 451, "data": {"audio_wav_url": None, "task_id": "t"}},
            Callback(task_id="t", code=451),
            id="failed",
        ),
        pytest.param(
            {"taskId": "t", "successFlag": "SUCCESS"}, Callback(task_id="t", code=None), id="a record"
        ),
        pytest.param(
            {"taskId": "t", "response": {"audioWavUrl": URL}},
            Callback(task_id="t", code=None, url=URL),
            id="a record with its URL",
        ),
        pytest.param(
            {"code": 200, "data": {"task_id": "t", "audioWavUrl": "https://a.example/\x1b[2J"}},
            Callback(task_id="t", code=200),
            id="a URL that steers a terminal",
        ),
        pytest.param(
            {"code": 200, "data": {"task_id": "t", "audioWavUrl": "https://" + "x" * 2000}},
            Callback(task_id="t", code=200),
            id="an endless URL",
        ),
        pytest.param(
            {"code": 200, "data": None, "taskId": "t"}, Callback(task_id="t", code=200), id="data null"
        ),
        pytest.param(
            {"code": 200, "taskId": "t", "data": {"resultJson": json.dumps({"resultUrls": [URL]})}},
            Callback(task_id="t", code=200, url=URL),
            id="a job",
        ),
        pytest.param(
            {"code": 501, "taskId": "t", "data": {"state": "fail", "resultJson": None}},
            Callback(task_id="t", code=501),
            id="a job that failed",
        ),
        pytest.param(
            {"code": 200, "taskId": "t", "data": {"resultJson": "[" * 100_000}},
            Callback(task_id="t", code=200),
            id="a job whose result is deeply nested",
        ),
        pytest.param(
            {"code": 200, "data": {}, "task_id": "t"},
            Callback(task_id="t", code=200),
            id="snake case at top level",
        ),
        pytest.param(
            {"taskId": "top", "data": {"task_id": "inner"}},
            Callback(task_id="inner", code=None),
            id="data before the top",
        ),
        pytest.param(
            {"taskId": "t", "data": {"task_id": None, "taskId": ""}},
            Callback(task_id="t", code=None),
            id="empty ones are passed over",
        ),
        pytest.param({"code": 200, "data": "t"}, Callback(task_id=None, code=200), id="data is a text"),
        pytest.param({"code": 200, "data": {"task_id": 17}}, Callback(task_id=None, code=200), id="a number"),
        pytest.param(
            {"code": 200, "data": {"task_id": "x" * 201}}, Callback(task_id=None, code=200), id="endless"
        ),
        pytest.param(
            {"code": 200, "data": {"task_id": "a\nb"}}, Callback(task_id=None, code=200), id="two lines"
        ),
        pytest.param(
            {"code": 200, "data": {"task_id": "a\x1b[2J"}},
            Callback(task_id=None, code=200),
            id="control characters",
        ),
        pytest.param(
            {"code": "200", "data": {"task_id": "t"}},
            Callback(task_id="t", code=None),
            id="a code that is a text",
        ),
        pytest.param(
            {"code": True, "data": {"task_id": "t"}},
            Callback(task_id="t", code=None),
            id="a code that is a truth value",
        ),
        pytest.param({}, Callback(task_id=None, code=None), id="nothing"),
    ],
)
def test_a_callback_is_read_in_every_shape(content: dict[str, Any], expected: Callback) -> None:
    assert read_callback(content) == expected


ENVELOPE = ["code", "msg", "message", "data"]
RECORD = ["taskId", "task_id", "musicId", "response", "audioWavUrl", "audio_wav_url", "successFlag", "status"]
DETAILS = ["errorCode", "errorMessage", "createTime", "completeTime", "sunoData", "id", "title"]
JOB = ["state", "resultJson", "resultUrls", "failCode", "failMsg"]
NAMES = st.sampled_from([*ENVELOPE, *RECORD, *DETAILS, *JOB])
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(), max_size=10),
    st.sampled_from(
        [
            '{"resultUrls": ["https://a.example/b.wav"]}',
            URL,
            "https://[",
            "http://\u2100",
            "SUCCESS",
            "FAILED",
            10**400,
            200,
            "t-1",
        ]
    ),
)
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=6)),
    max_leaves=20,
)
OBJECTS = st.dictionaries(NAMES, ANYTHING, max_size=8)


@pytest.mark.long
@given(
    body=st.one_of(
        st.binary(max_size=50),
        ANYTHING.map(json.dumps).map(str.encode),
        OBJECTS.map(json.dumps).map(str.encode),
    )
)
def test_any_bytes_are_an_envelope_or_none(body: bytes) -> None:
    answer = read_envelope(body)
    assert answer is None or isinstance(answer.code, int)
    if answer is not None:
        assert isinstance(find_task_id(answer), str | None)


@pytest.mark.long
@example(data={"createTime": 10**400})
@given(data=st.one_of(ANYTHING, OBJECTS))
def test_anything_is_a_record(data: object) -> None:
    for record in (read_record("t-1", data), read_record("t-1", data)):
        assert (record.url is not None) == (record.state is WavState.READY)


@example(data={"completeTime": 10**400})
@given(data=st.one_of(ANYTHING, OBJECTS))
def test_whatever_else_a_job_says_its_url_wins(data: object) -> None:
    fields = {**data} if isinstance(data, dict) else {}
    for key in ("response", "audioWavUrl", "audio_wav_url"):
        fields.pop(key, None)
    fields["resultJson"] = json.dumps({"resultUrls": [URL]})
    record = read_record("t-1", fields)
    assert (record.state, record.url) == (WavState.READY, URL)


@given(data=st.one_of(ANYTHING, OBJECTS), where=st.sampled_from(["audioWavUrl", "audio_wav_url"]))
def test_whatever_else_a_record_says_its_url_wins(data: object, where: str) -> None:
    fields = {**data} if isinstance(data, dict) else {}
    fields["response"] = {where: URL}
    fields.pop("createTime", None)
    fields.pop("completeTime", None)
    record = read_record("t-1", fields)
    assert (record.state, record.url) == (WavState.READY, URL)


@pytest.mark.long
@given(
    data=st.one_of(
        ANYTHING,
        st.fixed_dictionaries(
            {"response": st.fixed_dictionaries({"sunoData": st.lists(OBJECTS, max_size=3)})}
        ),
    )
)
def test_anything_is_a_list_of_tracks(data: object) -> None:
    assert all(song.audio_id and song.music_task_id == "m" for song in read_music_task("m", data).tracks)


@pytest.mark.long
@given(content=OBJECTS)
def test_any_object_is_a_callback(content: dict[str, Any]) -> None:
    callback = read_callback(content)
    assert callback.task_id is None or 0 < len(callback.task_id) <= 200
