"""The client and the program against proxies' pages, redirects, floods and nonsense."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import socket
import ssl
import struct
import subprocess
import sys
import zlib
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse

from suno_wav_cli.api.client import Client
from suno_wav_cli.api.providers import KIE, KIE_JOBS, SUNOAPI
from suno_wav_cli.api.timing import ApiTiming
from suno_wav_cli.errors import (
    ConversionFailed,
    NotAuthorized,
    ServiceUnavailable,
    SubmissionUnknown,
    SunoWavError,
    TooManyRequests,
)
from suno_wav_cli.models import Secret, Song, WavState
from suno_wav_cli.system.loopback import address_of, bind_socket
from suno_wav_cli.system.pacing import Backoff
from tests.support.program import Sandbox, run_program
from tests.support.quick import examples, shortlist
from tests.support.wild import (
    KEY,
    PAGE,
    TASK,
    TUNE_BYTES,
    Seen,
    Wild,
    a_wild_server,
    envelope,
    good_answer,
    settings_for,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from suno_wav_cli.api.providers import Provider


def ask(
    address: str,
    question: Callable[[Client], Awaitable[object]],
    provider: Provider = SUNOAPI,
    timing: ApiTiming = ApiTiming(),
) -> object:
    """Put one question, and tell the answer, or the error if it is one of ours."""

    async def asked() -> object:
        # Nothing here is encrypted, and loading the certificates takes time.
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        key, once = Secret(value=KEY), Backoff(retries=0)
        async with Client(provider, address, key, tls, once, timing=timing) as client:
            try:
                return await question(client)
            except SunoWavError as error:
                return error

    return asyncio.run(asked())


async def at_once(_is_closed: Callable[[], bool]) -> None:
    """Let a submission leave as soon as its connection is open."""


def submit(client: Client) -> Awaitable[object]:
    return client.submit(Song(audio_id="song"), "https://example.com/callback", at_once)


def look_up(client: Client) -> Awaitable[object]:
    return client.fetch_record(TASK)


def tracks(client: Client) -> Awaitable[object]:
    return client.fetch_music_task(TASK)


# Answers that are no envelopes


@pytest.mark.first_cases(2)
@pytest.mark.parametrize(
    ("status", "of_submission", "of_tracks"),
    [
        pytest.param(200, SubmissionUnknown, ServiceUnavailable, id="200"),
        pytest.param(202, SubmissionUnknown, ServiceUnavailable, id="202: it may have been accepted"),
        pytest.param(301, ConversionFailed, ConversionFailed, id="301 to nowhere"),
        pytest.param(401, NotAuthorized, NotAuthorized, id="401"),
        pytest.param(403, NotAuthorized, NotAuthorized, id="403"),
        pytest.param(404, ConversionFailed, ConversionFailed, id="404"),
        pytest.param(429, TooManyRequests, TooManyRequests, id="429"),
        pytest.param(500, SubmissionUnknown, ServiceUnavailable, id="500"),
        pytest.param(502, SubmissionUnknown, ServiceUnavailable, id="502"),
        pytest.param(504, SubmissionUnknown, ServiceUnavailable, id="504"),
    ],
)
def test_pages_are_classified_by_their_status(
    wild: Wild, status: int, of_submission: type[SunoWavError], of_tracks: type[SunoWavError]
) -> None:
    """But the lookup of a task that is paid for: a proxy's page says nothing about it."""
    wild.answer = lambda _: HTMLResponse(PAGE, status)
    assert [type(ask(wild.address, question)) for question in (submit, look_up, tracks)] == [
        of_submission,
        NotAuthorized if status == 401 else ServiceUnavailable,
        of_tracks,
    ]
    assert wild.methods == ["POST", "GET", "GET"]


@pytest.mark.first_cases(2)
@pytest.mark.parametrize(
    ("status", "exit_code", "posts"),
    [
        pytest.param(200, 6, 1, id="200"),
        pytest.param(202, 6, 1, id="202"),
        pytest.param(403, 3, 1, id="403"),
        pytest.param(404, 7, 1, id="404"),
        pytest.param(429, 6, 2, id="429"),
        pytest.param(502, 6, 1, id="502"),
    ],
)
def test_a_submission_answered_with_a_page_is_retried_only_if_certainly_refused(
    wild: Wild, status: int, exit_code: int, posts: int
) -> None:
    """The page itself is not shown."""
    wild.answer = lambda _: HTMLResponse(PAGE, status)
    done = wild.run("convert", "song", "--quiet")
    assert (done.code, done.out, wild.methods) == (exit_code, "", ["POST"] * posts)
    what_happened, what_to_do = done.err.splitlines()
    assert what_happened.startswith("song: error: ")
    assert f"HTTP {status} with something that is not an answer of the API" in what_happened
    assert what_to_do.startswith("  ")
    assert PAGE not in done.err
    assert list(Path().iterdir()) == []


def test_a_code_in_an_envelope_counts_whatever_the_http_status(wild: Wild) -> None:
    wild.answer = lambda _: JSONResponse({"code": 200, "msg": "success", "data": {"taskId": TASK}}, 500)
    assert ask(wild.address, submit) == TASK
    wild.answer = lambda _: JSONResponse({"code": 401, "msg": "no"}, 200)
    assert isinstance(ask(wild.address, submit), NotAuthorized)


@pytest.mark.first_cases(4)
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b'{"code": 200, "data": {"taskId": "a', id="cut off"),
        pytest.param(b"[" * 200_000, id="deep arrays"),
        pytest.param(b'{"a":' * 100_000, id="deep objects"),
        pytest.param(b'{"code": 200, "data":' + b"[" * 100_000 + b"]" * 100_000 + b"}", id="deep and whole"),
        pytest.param(b'{"code": null}', id="no code"),
        pytest.param(b'{"code": true}', id="a truth as code"),
        pytest.param(b'{"code": "two hundred"}', id="words as code"),
        pytest.param(b'{"code": ' + b"9" * 5000 + b"}", id="an endless number"),
        pytest.param(b"[200]", id="an array"),
        pytest.param(b'"200"', id="a text"),
        pytest.param(b"\xff\xfe\x00", id="bytes"),
    ],
)
def test_an_answer_without_an_envelope_is_service_trouble(wild: Wild, body: bytes) -> None:
    """Of a submission nothing is known then; a lookup may be repeated."""
    wild.answer = lambda _: Response(body, media_type="application/json")
    assert [type(ask(wild.address, question)) for question in (submit, look_up)] == [
        SubmissionUnknown,
        ServiceUnavailable,
    ]


@pytest.mark.parametrize("code", [pytest.param(401, id="number"), pytest.param(" 401 ", id="text")])
def test_a_code_may_come_as_text(wild: Wild, code: object) -> None:
    wild.answer = lambda _: JSONResponse({"code": code, "msg": "no"})
    assert [type(ask(wild.address, question)) for question in (submit, look_up)] == [NotAuthorized] * 2


# Floods


async def hundred_megabytes() -> AsyncIterator[bytes]:
    for _ in range(1600):
        yield b" " * 65536


TEN_MEGABYTES = json.dumps({"code": 200, "msg": "x" * 10_000_000, "data": {"taskId": TASK}}).encode()


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    "flood",
    [
        pytest.param(lambda _: Response(TEN_MEGABYTES), id="10 MB"),
        pytest.param(
            lambda _: Response(gzip.compress(TEN_MEGABYTES), headers={"Content-Encoding": "gzip"}),
            id="10 MB, packed",
        ),
        pytest.param(lambda _: StreamingResponse(hundred_megabytes()), id="100 MB, little by little"),
    ],
)
def test_an_answer_that_is_too_long_is_not_read_to_its_end(
    wild: Wild, flood: Callable[[Seen], Response]
) -> None:
    wild.answer = flood
    assert [type(ask(wild.address, question)) for question in (submit, look_up)] == [
        SubmissionUnknown,
        ServiceUnavailable,
    ]


# Encoded answers

SUBMITTED = json.dumps({"code": 200, "msg": "success", "data": {"taskId": TASK}}).encode()


def encoded(body: bytes, coding: str, status: int = 200) -> Response:
    return Response(body, status, {"Content-Encoding": coding, "Content-Type": "application/json"})


@cache
def bomb() -> bytes:
    """Return 1 GB of zeros, compressed once to 1 MB."""
    packer = zlib.compressobj(1, wbits=31)
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(1024)) + packer.flush()


def times(count: int, body: bytes) -> bytes:
    for _ in range(count):
        body = gzip.compress(body)
    return body


def test_the_client_asks_for_answers_that_are_not_encoded(wild: Wild) -> None:
    wild.answer = lambda _: envelope(data={"taskId": TASK})
    assert ask(wild.address, submit) == TASK
    assert wild.seen[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        pytest.param("identity", SUBMITTED, id="identity"),
        pytest.param("gzip", gzip.compress(SUBMITTED), id="gzip"),
        pytest.param("X-GZip", gzip.compress(SUBMITTED), id="its old name"),
        pytest.param("deflate", zlib.compress(SUBMITTED), id="deflate"),
        pytest.param("gzip, identity", gzip.compress(SUBMITTED), id="gzip and nothing else"),
        pytest.param("UTF-8", SUBMITTED, id="a character set, which is no coding"),
    ],
)
def test_an_answer_may_be_encoded_once(wild: Wild, coding: str, body: bytes) -> None:
    wild.answer = lambda _: encoded(body, coding)
    assert ask(wild.address, submit) == TASK


@pytest.mark.first_cases(7)
@pytest.mark.parametrize("status", [200, 307, 404, 429])
@pytest.mark.parametrize(
    ("coding", "body"),
    [
        pytest.param("gzip, gzip", times(2, SUBMITTED), id="gzip twice"),
        pytest.param("gzip, gzip, gzip", times(3, SUBMITTED), id="gzip thrice"),
        pytest.param("gzip", SUBMITTED, id="plain JSON called gzip"),
        pytest.param("deflate", SUBMITTED, id="plain JSON called deflate"),
        pytest.param("gzip", gzip.compress(SUBMITTED)[:-9], id="gzip without its end"),
        pytest.param("gzip", gzip.compress(TEN_MEGABYTES), id="gzip of too much"),
        pytest.param("gzip", b"", id="nothing called gzip"),
        pytest.param("br", SUBMITTED, id="another coding"),
    ],
)
def test_an_answer_that_cannot_be_decoded_leaves_a_submission_unknown(
    wild: Wild, status: int, coding: str, body: bytes
) -> None:
    """It may have said that the song was accepted, whatever its status."""
    wild.answer = lambda _: encoded(body, coding, status)
    assert isinstance(ask(wild.address, submit), SubmissionUnknown)
    assert wild.methods == ["POST"]


@pytest.mark.long
@pytest.mark.parametrize(
    ("coding", "pack"),
    shortlist(
        [
            pytest.param("gzip, gzip, gzip", lambda: times(2, bomb()), id="gzip thrice"),
            pytest.param("gzip", bomb, id="gzip"),
            pytest.param("gzip, gzip", lambda: times(1, bomb()), id="gzip twice"),
            pytest.param("deflate", lambda: b"\x78\x01" + bomb()[10:-8] + bytes(4), id="deflate"),
        ]
    ),
)
@pytest.mark.parametrize("arguments", shortlist([["convert", "song"], ["status", TASK], ["credits"]]))
def test_an_answer_that_decodes_to_a_gigabyte_takes_little_memory(
    wild: Wild, coding: str, pack: Callable[[], bytes], arguments: list[str]
) -> None:
    answer = encoded(pack(), coding)
    wild.answer = lambda _: answer
    limited = (
        "import resource\n"
        "resource.setrlimit(resource.RLIMIT_AS, (600_000_000, 600_000_000))\n"
        "from suno_wav_cli.cli.main import main\n"
        "main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", limited, *arguments],
        env=os.environ | settings_for(wild.address) | {"SUNO_WAV_RETRIES": "0"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 6, done.stderr
    assert "HTTP 200 with something that is not an answer of the API" in done.stderr
    assert wild.methods.count("POST") == (arguments[0] == "convert")


# Redirects


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed(wild: Wild, status: int) -> None:
    """The key would go along. "See other" follows on what was done: perhaps a payment."""
    with a_wild_server() as elsewhere:
        wild.answer = lambda seen: RedirectResponse(elsewhere.address + seen.path, status)
        assert [type(ask(wild.address, question)) for question in (submit, tracks, look_up)] == [
            SubmissionUnknown if status == 303 else ConversionFailed,
            ConversionFailed,
            ServiceUnavailable,
        ]
        assert (wild.methods, elsewhere.seen) == (["POST", "GET", "GET"], [])


@pytest.mark.parametrize(
    "location",
    [
        pytest.param("http://[", id="half an address"),
        pytest.param("http://xn--/", id="a name that no name can be"),
        pytest.param("//\x00", id="a null"),
        pytest.param("ftp://x/" + "y" * 60_000, id="a long one"),
    ],
)
def test_a_redirect_to_an_invalid_url_raises_our_own_error(wild: Wild, location: str) -> None:
    wild.answer = lambda _: Response(status_code=302, headers={"Location": location})
    assert isinstance(ask(wild.address, submit), SunoWavError)
    assert isinstance(ask(wild.address, look_up), SunoWavError)


@pytest.mark.long
def test_the_program_names_the_host_that_redirected_and_the_option_to_check(wild: Wild) -> None:
    with a_wild_server() as elsewhere:
        wild.answer = lambda seen: RedirectResponse(elsewhere.address + seen.path, 307)
        done = wild.run("convert", "song", "--quiet")
        assert (done.code, elsewhere.seen) == (7, [])
    assert done.err == (
        "song: error: 127.0.0.1 is not the API: HTTP 307 with something that is not an answer of the API\n"
        "  Check --base-url. (Redirects are not followed: the key would go along.)\n"
    )


# Connections


@contextmanager
def raw_server(answer: bytes) -> Iterator[str]:
    """Read a little of each request, say `answer`, and reset the connection."""

    def serve(bound: socket.socket) -> None:
        while True:
            try:
                connection, _ = bound.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                connection.sendall(answer)
                # Lingering for no time at all means a reset.
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with bind_socket(0) as bound:
        thread = Thread(target=serve, args=(bound,))
        thread.start()
        try:
            yield address_of(bound)
        finally:
            bound.shutdown(socket.SHUT_RDWR)
            thread.join()


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-", id="half a head"),
        pytest.param(b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"code": 200', id="half a body"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", id="a chunk of zz bytes"
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope", id="not gzip"
        ),
        pytest.param(b"SSH-2.0-OpenSSH_9.6\r\n", id="another protocol"),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50_000, id="headers without end"),
    ],
)
def test_a_connection_that_dies_leaves_a_submission_unknown_and_a_lookup_to_be_repeated(
    answer: bytes,
) -> None:
    with raw_server(answer) as address:
        assert [type(ask(address, question)) for question in (submit, look_up)] == [
            SubmissionUnknown,
            ServiceUnavailable,
        ]


def test_a_refused_connection_was_certainly_no_submission(free_port: int) -> None:
    address = f"http://127.0.0.1:{free_port}"
    assert [type(ask(address, question)) for question in (submit, look_up)] == [ServiceUnavailable] * 2


@pytest.mark.long
def test_the_program_retries_after_a_refused_connection(free_port: int) -> None:
    env = settings_for(f"http://127.0.0.1:{free_port}")
    done = run_program("convert", "song", "--json", env=env)
    assert done.code == 6
    assert len(done.named("submission_delayed")) == 1
    assert done.err == (
        f"song: error: the service cannot be reached at 127.0.0.1:{free_port}: the connection was refused\n"
        "  Check the network and the address, which comes from SUNO_WAV_BASE_URL, then try again. "
        f"`suno-wav doctor --base-url http://127.0.0.1:{free_port}` looks closer.\n"
    )


@pytest.mark.long
def test_the_program_waits_out_a_service_in_trouble(wild: Wild) -> None:
    """A proxy's page, half an answer, nonsense, and then the file."""
    wild.serves()
    good = wild.answer
    troubles = [HTMLResponse(PAGE, 502), Response(b'{"code": 2'), JSONResponse([]), envelope(500, "oops")]

    def answer(seen: Seen) -> Response:
        return troubles.pop(0) if seen.path == SUNOAPI.record_path and troubles else good(seen)

    wild.answer = answer
    done = wild.run("convert", "song", "--retries", "0")
    assert (done.code, done.out) == (0, "song.wav\n")
    # Two of the four say the same, and each reason is shown once.
    assert done.err.count("; retrying\n") == 3
    assert wild.methods.count("POST") == 1
    assert Path("song.wav").read_bytes() == TUNE_BYTES


# Any JSON whatever

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.sampled_from(
        ["SUCCESS", "PENDING", "https://a/b.wav", "http://[", "\ud800", "\x1b[2J", 10**400, -(10**400), 200]
    ),
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(), inner, max_size=4)),
    max_leaves=8,
)
IDS = st.fixed_dictionaries({}, optional={"taskId": JSON, "task_id": JSON})
RECORDS = st.fixed_dictionaries(
    {},
    optional={
        "taskId": JSON,
        "musicId": JSON,
        "musicIndex": JSON,
        "successFlag": JSON,
        "status": JSON,
        "response": st.one_of(
            JSON, st.fixed_dictionaries({}, optional={"audioWavUrl": JSON, "audio_wav_url": JSON})
        ),
        "audioWavUrl": JSON,
        "audio_wav_url": JSON,
        "createTime": JSON,
        "completeTime": JSON,
        "errorCode": JSON,
        "errorMessage": JSON,
    },
)
RESULTS = st.one_of(
    JSON.map(json.dumps),
    st.fixed_dictionaries({}, optional={"resultUrls": st.one_of(JSON, st.lists(JSON))}).map(json.dumps),
)
JOBS = st.fixed_dictionaries(
    {},
    optional={
        "state": JSON,
        "resultJson": st.one_of(JSON, RESULTS),
        "failCode": JSON,
        "failMsg": JSON,
        "createTime": JSON,
        "completeTime": JSON,
    },
)
TRACKS = st.fixed_dictionaries(
    {
        "response": st.fixed_dictionaries(
            {
                "sunoData": st.lists(
                    st.one_of(JSON, st.fixed_dictionaries({}, optional={"id": JSON, "title": JSON}))
                )
            }
        )
    }
)
ENVELOPES = st.fixed_dictionaries(
    {"code": st.one_of(st.sampled_from([200, "200", 402, 404, 408, 409, 422, 429, 500, 505, 10**400]), JSON)},
    optional={"msg": JSON, "data": st.one_of(IDS, RECORDS, JOBS, TRACKS, JSON), "taskId": JSON},
)


@pytest.mark.long
@settings(max_examples=examples(150), deadline=None, database=None)
@given(
    answer=st.one_of(ENVELOPES, JSON),
    question=st.sampled_from([submit, look_up, tracks]),
    provider=st.sampled_from([SUNOAPI, KIE, KIE_JOBS]),
)
@example(answer={"code": 200, "data": {"createTime": 10**400}}, question=look_up, provider=SUNOAPI)
@example(answer={"code": 200, "data": {"resultJson": "[" * 100_000}}, question=look_up, provider=KIE_JOBS)
def test_any_json_gives_a_result_or_one_of_our_errors(
    wild_server: Wild, answer: object, question: Callable[[Client], Awaitable[object]], provider: Provider
) -> None:
    """Anything else would come out of `ask` as a traceback."""
    wild_server.answer = lambda _: Response(json.dumps(answer), media_type="application/json")
    assert ask(wild_server.address, question, provider) is not None


@pytest.mark.parametrize(
    ("created", "shown"),
    [
        pytest.param(1_735_689_600_000, "2025-01-01 00:00:00", id="epoch milliseconds"),
        pytest.param("2025-01-01 00:00:00", "2025-01-01 00:00:00", id="text"),
        pytest.param(1e300, None, id="beyond any calendar"),
        pytest.param(10**400, None, id="beyond any float"),
        pytest.param(True, None, id="no time at all"),
    ],
)
def test_an_invalid_time_does_not_hide_the_file(wild: Wild, created: object, shown: object) -> None:
    wild.serves(createTime=created)
    record = ask(wild.address, look_up)
    assert (getattr(record, "state", record), getattr(record, "created", record)) == (WavState.READY, shown)


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda _: envelope(400, "half a pair: \ud800"), id="a refusal"),
        pytest.param(lambda _: envelope(500, "half a pair: \ud800"), id="trouble"),
        pytest.param(
            partial(good_answer, "", {"successFlag": "FAILED, half a pair: \ud800"}), id="a failure"
        ),
    ],
)
def test_a_message_that_cannot_be_encoded_is_still_shown(
    wild: Wild, answer: Callable[[Seen], Response]
) -> None:
    """JSON can hold half of a surrogate pair. Neither the journal nor the terminal fails on it."""
    wild.answer = answer
    done = wild.run("convert", "song", "--quiet")
    assert (done.code in (6, 7), done.out, len(done.err.splitlines())) == (True, "", 2)
    assert "half a pair: " in done.err


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    "url",
    [
        pytest.param("https://a..b/song.wav", id="an empty label"),
        pytest.param("https://xn--/song.wav", id="a name that no name can be"),
        pytest.param(f"https://{'a' * 300}.example/song.wav", id="a label that is too long"),
        pytest.param("http://192.0.2.1/song.wav", id="not encrypted"),
    ],
)
def test_an_address_that_leads_nowhere_is_a_failed_download(wild: Wild, url: str) -> None:
    wild.serves(response={"audioWavUrl": url})
    done = wild.run("convert", "song", "--quiet", "--retries", "0")
    assert (done.code, done.out, len(done.err.splitlines())) == (9, "", 2)
    assert not Path("song.wav").exists()


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("https://127.0.0.1:99999/song.wav", id="a port beyond the last"),
        pytest.param("https://127.0.0.1:x/song.wav", id="a port that is no number"),
        pytest.param("https://[/song.wav", id="half an IPv6 address"),
        pytest.param("ftp://127.0.0.1/song.wav", id="another protocol"),
        pytest.param("song.wav", id="no host"),
    ],
)
def test_an_invalid_url_is_ignored(wild: Wild, url: str) -> None:
    """As `SUCCESS` without one: another may come at the next question."""
    wild.serves(response={"audioWavUrl": url})
    record = ask(wild.address, look_up)
    assert (getattr(record, "state", record), getattr(record, "url", record)) == (WavState.PENDING, None)


# What is sent


@pytest.mark.long
def test_the_headers_and_the_body_are_those_of_the_contract(wild: Wild) -> None:
    wild.serves()
    assert wild.run("convert", "song-1", "--task-id", "m" * 32).code == 0
    submission, lookup, download = wild.seen
    assert [seen.path for seen in wild.seen] == [SUNOAPI.submit_path, SUNOAPI.record_path, "/song.wav"]
    assert json.loads(submission.body) == {
        "taskId": "m" * 32,
        "audioId": "song-1",
        "callBackUrl": "https://example.com/callback",
    }
    assert submission.headers["content-type"] == "application/json"
    for seen in (submission, lookup):
        assert seen.headers["authorization"] == f"Bearer {KEY}"
        assert seen.headers["user-agent"].startswith("suno-wav/")
    assert download.headers["user-agent"].startswith("suno-wav/")
    assert "authorization" not in download.headers, "the key is for the API's host only"


def test_a_music_task_that_is_not_known_is_not_made_up(wild: Wild) -> None:
    wild.serves()
    ask(wild.address, submit)
    assert json.loads(wild.seen[0].body) == {
        "audioId": "song",
        "callBackUrl": "https://example.com/callback",
    }


@pytest.mark.long
def test_this_machines_addresses_bypass_the_proxy(sandbox: Sandbox) -> None:
    with bind_socket(0) as proxy:
        address = address_of(proxy)
        names = ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY")
        done = sandbox.run("convert", "demo+proxy", env=dict.fromkeys(names, address))
        proxy.setblocking(False)
        with pytest.raises(BlockingIOError):
            proxy.accept()
    assert done.code == 0
    assert sandbox.counted("callbacks", "demo+proxy") == 1


# What is not told


def everything_written(folder: Path) -> bytes:
    return b"\n".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.mark.first_cases(2)
@pytest.mark.parametrize(
    "options",
    [
        pytest.param(["--json", "-v", "--log-file", "log"], id="JSON lines and a log file"),
        pytest.param(["-v"], id="words"),
    ],
)
@pytest.mark.parametrize(
    ("answer", "exit_code"),
    [
        pytest.param(None, 0, id="success"),
        pytest.param(lambda _: HTMLResponse(PAGE, 403), 3, id="a refused key"),
        pytest.param(lambda seen: envelope(400, str(seen.headers)), 7, id="a service that repeats it"),
    ],
)
def test_the_key_is_never_shown_nor_written(
    wild: Wild,
    tmp_path: Path,
    options: list[str],
    answer: Callable[[Seen], Response] | None,
    exit_code: int,
) -> None:
    """Not on the screen, in the log file or in the journal, even if the service repeats it."""
    wild.serves()
    wild.answer = answer or wild.answer
    done = wild.run("convert", "song", *options)
    assert done.code == exit_code
    assert wild.seen[0].headers["authorization"] == f"Bearer {KEY}"
    assert KEY not in done.out + done.err
    assert KEY.encode() not in everything_written(tmp_path)


# What a hostile service cannot do


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        pytest.param(["status", TASK, "--download"], "../escaped", id="status, a folder up"),
        pytest.param(["status", TASK, "--download"], "{work}/../escaped", id="status, an absolute path"),
        pytest.param(["convert", "--task-id", "b" * 32], "../escaped", id="convert"),
        pytest.param(
            ["convert", "--task-id", "b" * 32, "--out", "{audio_id}.wav"],
            "../escaped",
            id="convert by a template",
        ),
    ],
)
def test_an_id_from_the_service_cannot_lead_out_of_the_folder(
    wild: Wild, tmp_path: Path, arguments: list[str], name: str
) -> None:
    audio_id = name.format(work=os.fspath(Path.cwd()))
    wild.serves(musicId=audio_id)
    good = wild.answer

    def answer(seen: Seen) -> Response:
        listed = envelope(data={"response": {"sunoData": [{"id": audio_id}]}})
        return listed if seen.path == SUNOAPI.music_paths[0] else good(seen)

    wild.answer = answer
    wild.run(*arguments)
    assert list(tmp_path.glob("*.wav")) == []


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("code", [0, -1, 4, 201, 202, 302, 408, 499, 599])
def test_a_code_that_is_not_a_refusal_leaves_a_submission_unknown(wild: Wild, code: int) -> None:
    """Some services signal success with another code. A paid submission is never called refused."""
    wild.answer = lambda _: envelope(code, "whatever", {"taskId": TASK})
    first = wild.run("convert", "song")
    second = wild.run("convert", "song")
    assert (first.code, second.code, wild.methods.count("POST")) == (6, 6, 1)
    assert f"named task {TASK}" in first.err


def test_a_proxy_that_cannot_connect_was_certainly_no_submission(wild: Wild) -> None:
    """Only the CONNECT arrived, and not at the API."""
    wild.answer = lambda _: Response("no", 503)
    proxy = {"https_proxy": wild.address, "SUNO_API_KEY": KEY, "SUNO_WAV_RETRIES": "0"}
    done = run_program(
        "convert", "song", "--base-url", "https://api.example.invalid", "--tunnel", "none", env=proxy
    )
    assert (done.code, wild.methods) == (6, ["CONNECT"])
    assert "cannot be reached" in done.err
    assert "not known" not in done.err


@pytest.mark.long
def test_a_file_that_is_refused_while_the_service_is_away_can_be_continued(wild: Wild) -> None:
    """It is paid for, whatever the service says of this moment."""
    asked: list[str] = []

    def answer(seen: Seen) -> Response:
        asked.append(seen.path)
        if asked.count(SUNOAPI.record_path) > 1:
            return envelope(455, "maintenance")
        if seen.path == "/song.wav":
            return Response("expired", 403)
        return good_answer(f"{wild.address}/song.wav", {}, seen)

    wild.answer = answer
    done = wild.run("convert", "song", "--retries", "0")
    assert done.code == 6
    assert f"To continue: suno-wav resume {TASK}" in done.err
    assert "Nothing was charged" not in done.err
