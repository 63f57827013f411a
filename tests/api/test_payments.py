"""The paid request and the lookups of what it paid for: no odd answer loses or repeats a payment."""

from __future__ import annotations

import gzip
import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from threading import Event
from typing import TYPE_CHECKING

import pytest
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from suno_wav_cli.api.providers import KIE, KIE_JOBS, SUNOAPI
from suno_wav_cli.api.timing import ApiTiming
from suno_wav_cli.errors import (
    ConversionFailed,
    GenerationFailed,
    NoCredits,
    NotAuthorized,
    RecordExists,
    ServiceUnavailable,
    SubmissionUnknown,
    TaskUnknown,
    TooManyRequests,
)
from suno_wav_cli.models import MusicTask, Song, WavRecord
from tests.api.test_client import ask, at_once, look_up, submit, tracks
from tests.support.wild import KEY, PAGE, TASK, envelope
from tests.support.wire import serve, wait_for_close

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable

    from suno_wav_cli.api.client import Client
    from suno_wav_cli.api.providers import Provider
    from suno_wav_cli.errors import SunoWavError
    from tests.support.wild import Seen, Wild

MUSIC = "b" * 32
SUBMITTED = json.dumps({"code": 200, "msg": "success", "data": {"taskId": TASK}}).encode()


async def submit_with_music(client: Client) -> object:
    song = Song(audio_id="song", music_task_id=MUSIC)
    client.hide("/secret-path")
    return await client.submit(song, "https://example.com/secret-path", at_once)


# What is kept


@pytest.mark.parametrize(
    ("answer", "candidates"),
    [
        pytest.param(Response(b'{"taskId": "t-1"}', 200), ("t-1",), id="no code"),
        pytest.param(Response(b'OK {"code": 200, "data": {"taskId": "t-1"}}'), ("t-1",), id="behind junk"),
        pytest.param(envelope(data={"job": {"recordId": "t-1"}}), ("t-1",), id="200, in another place"),
        pytest.param(envelope(0, "ok", {"taskId": 17}), ("17",), id="code 0, a number"),
        pytest.param(envelope(500, "oops", {"taskId": "t-1"}), ("t-1",), id="code 500"),
        pytest.param(envelope(400, "oops", {"taskId": "t-1"}), ("t-1",), id="code 400 with a task"),
        pytest.param(envelope(430, "busy", {"task_id": "t-1"}), ("t-1",), id="code 430 with a task"),
        pytest.param(envelope(501, "failed", {"task_id": "t-1"}), ("t-1",), id="code 501 with a task"),
        pytest.param(Response('{"id": "t-1"}', 303, {"Location": "/x"}), ("t-1",), id="see other"),
        pytest.param(envelope(500, "too many requests"), (), id="code 500, the words of a refusal"),
        pytest.param(envelope(599, "insufficient credits"), (), id="code 599, the words of another"),
        pytest.param(
            envelope(200, "insufficient credits"), (), id="200 without an id, the words of a refusal"
        ),
        pytest.param(JSONResponse({"id": "t-1"}, 502), ("t-1",), id="a gateway's JSON"),
        pytest.param(
            envelope(data={"taskId": MUSIC, "recordId": "t-1"}), ("t-1",), id="beside the music task's id"
        ),
        pytest.param(envelope(data={"taskId": MUSIC}), (MUSIC,), id="only the music task's id"),
        pytest.param(
            Response(gzip.compress(SUBMITTED)[:-9], headers={"Content-Encoding": "gzip"}),
            (TASK,),
            id="half a gzip",
        ),
        pytest.param(
            Response(gzip.compress(gzip.compress(SUBMITTED)), headers={"Content-Encoding": "gzip, gzip"}),
            (TASK,),
            id="gzip twice",
        ),
        pytest.param(Response(SUBMITTED, headers={"Content-Encoding": "br"}), (TASK,), id="a wrong coding"),
    ],
)
def test_an_answer_that_is_not_understood_is_kept_with_its_ids(
    wild: Wild, answer: Response, candidates: tuple[str, ...]
) -> None:
    wild.answer = lambda _: answer
    error = ask(wild.address, submit_with_music)
    assert isinstance(error, SubmissionUnknown)
    assert error.candidates == candidates
    assert error.answer
    assert wild.methods == ["POST"]


def test_what_is_kept_shows_no_secrets(wild: Wild) -> None:
    wild.answer = lambda seen: Response(
        f"{seen.headers} {seen.body.decode()} https://x/a?sig=1 \x1b[2J{'.' * 5000}"
    )
    error = ask(wild.address, submit_with_music)
    assert isinstance(error, SubmissionUnknown)
    kept = error.answer or ""
    assert (len(kept), kept.isprintable()) == (1024, True)
    assert [word in kept for word in ("audioId", "song", KEY, "secret-path", "sig=1")] == [
        True,
        True,
        False,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("answer", "candidates"),
    [
        pytest.param(
            b'Content-Length: 999\r\n\r\n{"data": {"taskId": "t-1"}, "msg": "acc', ("t-1",), id="a length"
        ),
        pytest.param(
            b"Transfer-Encoding: chunked\r\n\r\n12\r\n" + b'{"taskId": "t-1"}\n\r\n', ("t-1",), id="chunks"
        ),
        pytest.param(b'Content-Length: 999\r\n\r\n{"data": {"taskId": "t-', (), id="within the id"),
        pytest.param(b"Content-Length: 999\r\n\r\n", (), id="before the body"),
    ],
)
def test_a_body_that_broke_off_is_kept(answer: bytes, candidates: tuple[str, ...]) -> None:
    with serve(answer_and_close(b"HTTP/1.1 429 Busy\r\n" + answer)) as port:
        error = ask(f"http://127.0.0.1:{port}", submit)
    assert isinstance(error, SubmissionUnknown)
    assert error.candidates == candidates


def test_an_answer_that_is_whole_counts_however_the_connection_ends() -> None:
    with serve(answer_and_close(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n" + SUBMITTED)) as port:
        assert ask(f"http://127.0.0.1:{port}", submit) == TASK


def test_a_success_word_beats_a_missing_code(wild: Wild) -> None:
    wild.answer = lambda _: JSONResponse({"msg": "success", "data": {"taskId": TASK}})
    assert ask(wild.address, submit) == TASK


@pytest.mark.parametrize("message", ["Insufficient credits", "too many requests", "record is null", "failed"])
def test_no_words_outweigh_a_task(wild: Wild, message: str) -> None:
    wild.answer = lambda _: envelope(200, message, {"taskId": TASK})
    assert ask(wild.address, submit) == TASK


@pytest.mark.parametrize(
    ("provider", "answer", "error"),
    [
        pytest.param(SUNOAPI, envelope(402), NoCredits, id="402 of a sibling"),
        pytest.param(KIE, envelope(433), NoCredits, id="433"),
        pytest.param(SUNOAPI, envelope(460, "Insufficient credits"), NoCredits, id="words"),
        pytest.param(KIE, envelope(430), TooManyRequests, id="430 of a sibling"),
        pytest.param(SUNOAPI, envelope(403), NotAuthorized, id="403"),
        pytest.param(KIE, envelope(531), SubmissionUnknown, id="531, which kie's table lacks"),
        pytest.param(SUNOAPI, envelope(531), GenerationFailed, id="531, which sunoapi's table has"),
        pytest.param(SUNOAPI, envelope(505), SubmissionUnknown, id="505, which sunoapi's table lacks"),
        pytest.param(SUNOAPI, envelope(409, data={"taskId": "t-1"}), RecordExists, id="409"),
        pytest.param(KIE, envelope(400, "bad", "E1234567"), ConversionFailed, id="400 with an error's name"),
        pytest.param(KIE, envelope(400, "bad", {"taskId": "song"}), ConversionFailed, id="400 that quotes"),
        pytest.param(KIE, envelope(402, "poor", {"taskId": "t-1"}), NoCredits, id="402 with a task"),
        pytest.param(SUNOAPI, RedirectResponse("/x", 307), ConversionFailed, id="a redirect"),
    ],
)
def test_refusals_of_a_payment(
    wild: Wild, provider: Provider, answer: Response, error: type[SunoWavError]
) -> None:
    wild.answer = lambda _: answer
    assert type(ask(wild.address, submit, provider)) is error


@pytest.mark.parametrize(
    ("words", "error"),
    [
        pytest.param("Too many requests", TooManyRequests, id="busy"),
        pytest.param("any insufficient credits", NoCredits, id="no credits"),
    ],
)
@pytest.mark.parametrize("secret", ["any", "o", "credits", "requests"])
def test_a_secret_that_is_part_of_a_word_changes_no_meaning(
    wild: Wild, words: str, error: type[SunoWavError], secret: str
) -> None:
    def submit_secretly(client: Client) -> Awaitable[object]:
        client.hide(secret)
        return submit(client)

    wild.answer = lambda _: envelope(460, words)
    found = ask(wild.address, submit_secretly)
    assert type(found) is error
    assert str(found).endswith(f": {words.replace(secret, '(hidden)')} (code 460)")


# Time and connections


def answer_and_close(answer: bytes) -> Callable[[socket.socket], None]:
    def respond(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(answer)

    return respond


def test_a_slow_answer_is_waited_for_and_said_once() -> None:
    said: list[str] = []
    slow = Event()

    def respond(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(SUBMITTED) + SUBMITTED[:9])
        slow.wait(60)
        connection.sendall(SUBMITTED[9:])

    def on_slow() -> None:
        said.append("slow")
        slow.set()

    async def question(client: Client) -> object:
        return await client.submit(Song(audio_id="song"), None, at_once, on_slow=on_slow)

    with serve(respond) as port:
        timing = ApiTiming(payment=60.0, slow=0.05)
        assert ask(f"http://127.0.0.1:{port}", question, timing=timing) == TASK
    assert said == ["slow"]


@pytest.mark.long
def test_an_answer_that_does_not_end_is_kept_when_the_time_is_up() -> None:
    def respond(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"taskId": "t-1",')
        wait_for_close(connection)

    with serve(respond) as port:
        error = ask(f"http://127.0.0.1:{port}", submit, timing=ApiTiming(payment=1.0))
    assert isinstance(error, SubmissionUnknown)
    assert (error.candidates, error.answer) == (("t-1",), '{"taskId": "t-1",')
    assert error.message.endswith("no answer in time")


def test_a_payment_has_a_connection_of_its_own() -> None:
    """Lookups share one. A payment does not come on it, nor does a lookup come on a payment's."""
    connections: list[list[bytes]] = []

    def respond(connection: socket.socket) -> None:
        methods: list[bytes] = []
        connections.append(methods)
        with suppress(OSError):
            while request := connection.recv(65536):
                if not request.startswith((b"GET ", b"POST ")):
                    # The body of a request whose head came alone.
                    continue
                methods.append(request.split(b" ")[0])
                connection.sendall(
                    b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(SUBMITTED) + SUBMITTED
                )

    async def question(client: Client) -> None:
        for _ in range(2):
            await client.fetch_record(TASK)
            await submit(client)

    with serve(respond) as port:
        ask(f"http://127.0.0.1:{port}", question)
    assert sorted(connections) == [[b"GET", b"GET"], [b"POST"], [b"POST"]]


# Lookups of what is paid for


@pytest.mark.first_cases(36)
@pytest.mark.parametrize("provider", [SUNOAPI, KIE, KIE_JOBS], ids=lambda provider: provider.name)
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(envelope(404), TaskUnknown, id="404"),
        pytest.param(envelope(422, "recordInfo is null"), TaskUnknown, id="422"),
        pytest.param(envelope(500, "record is null"), TaskUnknown, id="500 in words"),
        pytest.param(envelope(data=None), TaskUnknown, id="data null"),
        pytest.param(envelope(data={}), TaskUnknown, id="data empty"),
        pytest.param(envelope(data=[]), TaskUnknown, id="an empty list"),
        pytest.param(
            envelope(data={"taskId": None, "successFlag": None}), TaskUnknown, id="nothing but null"
        ),
        pytest.param(envelope(401), NotAuthorized, id="401"),
        pytest.param(envelope(403), NotAuthorized, id="403"),
        pytest.param(HTMLResponse(PAGE, 401), NotAuthorized, id="a page, 401"),
        pytest.param(envelope(451), GenerationFailed, id="451"),
        pytest.param(envelope(501), GenerationFailed, id="501"),
        pytest.param(envelope(531), GenerationFailed, id="531"),
        *(
            pytest.param(envelope(code), ServiceUnavailable, id=str(code))
            for code in (0, 400, 402, 405, 408, 409, 413, 418, 429, 430, 433, 455, 500, 505, 599)
        ),
        *(
            pytest.param(HTMLResponse(PAGE, status), ServiceUnavailable, id=f"a page, {status}")
            for status in (200, 302, 400, 402, 403, 404, 429, 500, 503)
        ),
        pytest.param(
            envelope(data={"taskId": "another", "successFlag": "SUCCESS"}), ServiceUnavailable, id="another"
        ),
        pytest.param(
            envelope(data={"taskId": "a*b", "state": "success"}), ServiceUnavailable, id="another, masked"
        ),
    ],
)
def test_lookups_that_are_refused(
    wild: Wild, provider: Provider, answer: Response, error: type[SunoWavError]
) -> None:
    wild.answer = lambda _: answer
    found = ask(wild.address, look_up, provider)
    assert type(found) is error
    said = f"{getattr(found, 'message', '')} {getattr(found, 'remedy', '')}".lower()
    assert [words for words in ("check the id", "top up", "is not the api", "anew") if words in said] == []


def test_a_failure_code_is_told(wild: Wild) -> None:
    wild.answer = lambda _: envelope(531, "credits refunded")
    found = ask(wild.address, look_up, KIE)
    assert isinstance(found, GenerationFailed)
    assert (found.code, "credits refunded" in found.message) == (531, True)


@pytest.mark.parametrize("shown", [TASK, "aaaa****aaaa", "*", None, TASK.upper()])
def test_a_record_of_the_task_is_taken(wild: Wild, shown: str | None) -> None:
    wild.answer = lambda _: envelope(data={"taskId": shown, "successFlag": "PENDING"})
    assert isinstance(ask(wild.address, look_up), WavRecord)


@pytest.mark.parametrize(
    ("header", "low", "high"),
    [
        pytest.param("7", 7.0, 7.0, id="seconds"),
        pytest.param("99999", 3600.0, 3600.0, id="more than an hour"),
        pytest.param(format_datetime(datetime.now(UTC) + timedelta(days=1)), 3600.0, 3600.0, id="a date"),
        pytest.param("Wed, 21 Oct 2015 07:28:00 GMT", 0.0, 0.0, id="a date that is over"),
    ],
)
@pytest.mark.parametrize("answer", [envelope(455), HTMLResponse(PAGE, 503)], ids=["an envelope", "a page"])
def test_the_pause_that_is_asked_for_is_told(
    wild: Wild, header: str, low: float, high: float, answer: Response
) -> None:
    answer.headers["Retry-After"] = header
    wild.answer = lambda _: answer
    for question in (look_up, tracks):
        found = ask(wild.address, question)
        assert isinstance(found, ServiceUnavailable)
        assert found.retry_after is not None
        assert low <= found.retry_after <= high


@pytest.mark.parametrize("header", ["", "soon", "-1", "1.5", "Wed, 99 Oct 2015"])
def test_a_pause_that_cannot_be_read_is_none(wild: Wild, header: str) -> None:
    wild.answer = lambda _: Response("", 503, {"Retry-After": header})
    found = ask(wild.address, look_up)
    assert isinstance(found, ServiceUnavailable)
    assert found.retry_after is None


def test_a_lookup_is_asked_as_often_as_it_is_told(wild: Wild) -> None:
    async def question(client: Client) -> object:
        return await client.fetch_record(TASK, retries=1)

    wild.answer = lambda _: envelope(500)
    ask(wild.address, look_up)
    ask(wild.address, question)
    assert len(wild.seen) == 1 + 2


# Tracks by either route

TRACK = {"id": "audio-1", "audio_url": "https://x/a.mp3"}
JOB = envelope(data={"state": "success", "resultJson": json.dumps({"data": [TRACK]})})
SONGS = envelope(data={"status": "SUCCESS", "response": {"sunoData": [TRACK]}})
PENDING = envelope(data={"status": "PENDING"})


def by_path(**answers: Response) -> Callable[[Seen], Response]:
    return lambda seen: answers["jobs" if "/jobs/" in seen.path else "generate"]


@pytest.mark.first_cases(6)
@pytest.mark.parametrize("provider", [KIE, KIE_JOBS], ids=lambda provider: provider.name)
@pytest.mark.parametrize(
    ("generate", "jobs", "found"),
    [
        pytest.param(SONGS, envelope(422), 1, id="the old route"),
        pytest.param(envelope(422, "recordInfo is null"), JOB, 1, id="the new route"),
        pytest.param(envelope(data=None), JOB, 1, id="the old one has null"),
        pytest.param(envelope(500), JOB, 1, id="the old one is in trouble"),
        pytest.param(HTMLResponse(PAGE, 404), JOB, 1, id="the old one is gone"),
        pytest.param(PENDING, JOB, 1, id="the old one is behind"),
        pytest.param(PENDING, envelope(422), 0, id="still at work"),
        pytest.param(envelope(404), envelope(422), TaskUnknown, id="neither knows it"),
        pytest.param(
            envelope(404), envelope(500), ServiceUnavailable, id="one does not know, one is in trouble"
        ),
        pytest.param(envelope(401), envelope(401), NotAuthorized, id="a refused key"),
    ],
)
def test_kie_is_asked_by_both_routes(
    wild: Wild, provider: Provider, generate: Response, jobs: Response, found: int | type[SunoWavError]
) -> None:
    wild.answer = by_path(generate=generate, jobs=jobs)
    answer = ask(wild.address, tracks, provider)
    assert (len(answer.tracks) if isinstance(answer, MusicTask) else type(answer)) == found


def test_sunoapi_is_asked_once(wild: Wild) -> None:
    wild.answer = lambda _: envelope(404)
    assert isinstance(ask(wild.address, tracks), TaskUnknown)
    assert len(wild.seen) == 1
