"""`trigger` as a person runs it, against receivers with every mistake of the documentation."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import re
import signal
import subprocess
import time
from itertools import pairwise
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from suno_wav_cli.callbacks.recording import RecordedCallback, write
from suno_wav_cli.commands.trigger.command import trigger
from suno_wav_cli.commands.trigger.reach import find_reach_problem
from suno_wav_cli.commands.trigger.request import Request as TriggerRequest
from suno_wav_cli.commands.trigger.samples import SAMPLES
from suno_wav_cli.config.credentials import Secrets
from suno_wav_cli.config.run import Run
from suno_wav_cli.config.settings import Settings
from suno_wav_cli.errors import NotDelivered
from suno_wav_cli.events.trigger import AnswerOverdue, CallbackSent
from suno_wav_cli.system.loopback import address_of, bind_socket
from tests.support.program import ENDS_WITHIN, run_program, start_program
from tests.support.target import KEY, UNGUESSABLE, Receiver, Request, receiving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from suno_wav_cli.events import Event

TASK = "988e5c0f14b24a3f9a57e1d0c6b2c8d3"
SIGNED = {"SUNO_WAV_HMAC_KEY": KEY}
LOCAL = "only this machine reaches this address, and the service does not"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as opened:
        yield opened


def without_times(text: str) -> str:
    return re.sub(r" in \d+\.\d\d s", " in TIME", text)


# What is posted


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:3000/x", LOCAL),
        ("http://[::1]:3000/x", LOCAL),
        ("https://192.168.1.5/x", "this address is in a private network, which the service does not reach"),
        ("https://nas.local/x", "this address is in a private network, which the service does not reach"),
        ("http://example.com/x", "the service asks for https, and this address is http"),
        ("https://example.com/x", None),
        ("https://8.8.8.8/x", None),
    ],
)
def test_addresses_that_the_service_does_not_reach(url: str, words: str | None) -> None:
    assert find_reach_problem(url) == words


def test_callback_is_as_documented(receiver: Receiver) -> None:
    done = receiver.run("--task-id", TASK, "--wav-url", "https://cdn.invalid/song.wav")
    assert (done.code, without_times(done.out)) == (0, "200 in TIME: received\n")
    assert done.err == (
        f"suno-wav: {receiver.address}: {LOCAL}\n"
        f"suno-wav: POST success to {receiver.address}, task {TASK}\n"
        'suno-wav: the answer says: {"status": "received"}\n'
    )
    (request,) = receiver.arrived
    assert (request.method, request.path) == ("POST", f"/hook/{UNGUESSABLE}")
    assert request.json == {
        "code": 200,
        "msg": "success",
        "data": {"audio_wav_url": "https://cdn.invalid/song.wav", "task_id": TASK},
    }
    assert {name.lower() for name, _ in request.headers} == {
        "host",
        "content-type",
        "content-length",
        "user-agent",
    }
    assert request.header("Content-Type") == "application/json"
    assert request.header("User-Agent").startswith("suno-wav/")


@pytest.mark.long
def test_defaults_look_like_real_values(receiver: Receiver) -> None:
    receiver.run()
    receiver.run()
    data = [request.json["data"] for request in receiver.arrived]
    assert all(re.fullmatch(r"[0-9a-f]{32}", one["task_id"]) for one in data)
    assert all(re.fullmatch(r"https://example\.com/[0-9a-f]{32}\.wav", one["audio_wav_url"]) for one in data)
    assert data[0]["task_id"] != data[1]["task_id"]


WAV = "https://cdn.invalid/song.wav"
NO_FILE: dict[str, Any] = {
    "msg": "WAV format conversion failed",
    "data": {"audio_wav_url": None, "task_id": TASK},
}


@pytest.mark.first_cases(2)
@pytest.mark.parametrize(
    ("event", "expected"),
    [
        pytest.param("failure", NO_FILE | {"code": 501}, id="failure"),
        pytest.param("failure-400", NO_FILE | {"code": 400}, id="failure-400"),
        pytest.param("failure-451", NO_FILE | {"code": 451}, id="failure-451"),
        pytest.param("failure-500", NO_FILE | {"code": 500}, id="failure-500"),
        pytest.param("camel", {"data": {"audioWavUrl": WAV, "task_id": TASK}}, id="camel"),
        pytest.param("camel-id", {"data": {"audioWavUrl": WAV, "taskId": TASK}}, id="camel-id"),
        pytest.param(
            "response", {"data": {"response": {"audioWavUrl": WAV}, "task_id": TASK}}, id="response"
        ),
        pytest.param("null", {"data": None, "taskId": TASK}, id="null"),
        pytest.param("no-id", {"data": None}, id="no-id"),
    ],
)
def test_every_shape(receiver: Receiver, event: str, expected: dict[str, Any]) -> None:
    done = receiver.run("--event", event, "--task-id", TASK, "--wav-url", WAV)
    assert done.code == 0
    (request,) = receiver.arrived
    assert request.json == {"code": 200, "msg": "success"} | expected


def test_top_level_and_jobs_shapes(receiver: Receiver) -> None:
    for event in ("top-level", "jobs"):
        receiver.run("--event", event, "--task-id", TASK, "--wav-url", WAV)
    record, jobs = (request.json for request in receiver.arrived)
    assert (record["taskId"], record["response"]["audioWavUrl"], record["successFlag"]) == (
        TASK,
        WAV,
        "SUCCESS",
    )
    assert (jobs["taskId"], json.loads(jobs["data"]["resultJson"])) == (TASK, {"resultUrls": [WAV]})


def test_twice(receiver: Receiver) -> None:
    done = receiver.run("--event", "twice")
    assert (done.code, without_times(done.out)) == (0, "200 in TIME: received\n" * 2)
    first, second = receiver.arrived
    assert first.body == second.body


def test_list_names_every_event() -> None:
    done = run_program("trigger", "--list")
    assert (done.code, done.err) == (0, "")
    assert [line.split()[0] for line in done.out.splitlines()] == [*SAMPLES]


# What strangers send


@pytest.mark.long
@pytest.mark.parametrize(
    ("event", "fault"),
    [
        pytest.param("not-json", "the body is not JSON", id="not-json"),
        pytest.param("huge", "no callback is that large", id="huge"),
        pytest.param("wrong-type", "its Content-Type is not application/json", id="wrong-type"),
        pytest.param("get", "a callback is a POST", id="get"),
    ],
)
def test_refusing_what_strangers_send_is_right(event: str, fault: str) -> None:
    with receiving((400, 0)) as careful, receiving() as careless, receiving((500, 0)) as broken:
        refused, taken, failed = (one.run("--event", event) for one in (careful, careless, broken))
    assert (refused.code, without_times(refused.out)) == (0, f"400 in TIME: correctly refused: {fault}\n")
    assert (taken.code, without_times(taken.out)) == (
        0,
        f"200 in TIME: received, though a careful receiver refuses it: {fault}\n",
    )
    assert (failed.code, "the receiver failed" in failed.out) == (11, True)


def test_501_refuses_a_method() -> None:
    with receiving((501, 0)) as receiver:
        done = receiver.run("--event", "get")
    assert (done.code, "correctly refused" in done.out) == (0, True)


@pytest.mark.long
def test_samples_of_strangers(receiver: Receiver) -> None:
    for event in ("not-json", "huge", "wrong-type", "get"):
        receiver.run("--event", event)
    broken, huge, text, get = receiver.arrived
    with pytest.raises(json.JSONDecodeError):
        json.loads(broken.body)
    assert len(huge.body) > 1_000_000
    assert (text.header("Content-Type"), text.json["code"]) == ("text/plain", 200)
    assert (get.method, get.body) == ("GET", b"")


# What comes back

PATH = "Compare the address with the path that the receiver serves, to the last slash."
METHOD = "Let the receiver accept POST, and check the path."
BODY = "Let it read JSON and pass over what it does not know: `suno-wav trigger --list` has every spelling."
STRANGER = (
    "The service sends no credentials. If the receiver checks signatures, add --sign, with the same key."
)
PROXY = "Start the receiver, on the port that it is forwarded to."
LOG = "Look at the receiver's log."


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    ("status", "reason", "remedy"),
    [
        (404, "the receiver knows no such path", PATH),
        (410, "the receiver knows no such path", PATH),
        (405, "the receiver does not accept POST at this path", METHOD),
        (501, "the receiver does not accept POST at this path", METHOD),
        (
            415,
            "the receiver does not take this content type",
            "Let it take Content-Type: application/json, which is what the service sends.",
        ),
        (400, "the receiver does not understand the body", BODY),
        (422, "the receiver does not understand the body", BODY),
        (401, "the receiver requires authorization", STRANGER),
        (403, "the receiver requires authorization", STRANGER),
        (413, "the body is too large for the receiver", "Let it take bodies of 64 KiB."),
        (
            429,
            "the receiver limits the rate of requests",
            "Lift the limit for this path: every callback counts.",
        ),
        (418, "the receiver refuses it", LOG),
        (201, "only HTTP 200 counts", "Let the receiver answer HTTP 200."),
        (304, "only HTTP 200 counts", "Let the receiver answer HTTP 200."),
        (302, "redirects are not followed", "Use the address that it redirects to."),
        (308, "redirects are not followed", "Use the address that it redirects to."),
        (500, "the receiver failed", LOG),
        (502, "nothing behind the proxy or tunnel answers", PROXY),
    ],
)
def test_every_status_but_200_is_explained(status: int, reason: str, remedy: str) -> None:
    with receiving((status, 0), body=b"") as receiver:
        done = receiver.run("--task-id", TASK)
    assert (done.code, without_times(done.out)) == (
        11,
        f"{status} in TIME: the service counts this as failed: {reason}\n",
    )
    assert done.err == (
        f"suno-wav: {receiver.address}: {LOCAL}\n"
        f"suno-wav: POST success to {receiver.address}, task {TASK}\n"
        "error: the service would count this callback as failed\n"
        f"  {remedy}\n"
    )
    assert len(receiver.arrived) == 1


def test_204_is_not_200() -> None:
    with receiving((204, 0), body=b"") as receiver:
        done = receiver.run()
    assert (done.code, "only HTTP 200 counts" in done.out) == (11, True)


def test_late_answer_is_shown_with_its_true_time() -> None:
    with receiving((200, 0.7)) as receiver:
        done = receiver.run("--answer-timeout", "500ms")
    assert done.code == 11
    told = re.fullmatch(
        r"200 in (\d\.\d\d) s: the service counts this as failed: it waits 0\.5 s\n", done.out
    )
    assert told is not None
    assert 0.7 <= float(told[1]) < 4
    assert (
        "suno-wav: no answer within 0.5 s, and the service would give up; still waiting\n"
        'suno-wav: the answer says: {"status": "received"}\n'
        "error: the service would count this callback as failed\n"
        "  Let the receiver answer first, and work afterwards.\n"
    ) in done.err


@pytest.mark.long
def test_speed_leaves_the_receiver_its_time() -> None:
    """A healthy receiver that needs a moment is not called failed, however fast time runs."""
    with receiving((200, 1.5)) as receiver:
        done = receiver.run("--speed", "10000", "--retries")
    assert (done.code, len(receiver.arrived)) == (0, 1)


@pytest.mark.timing
def test_a_receiver_that_never_answers_is_given_up() -> None:
    """After four times as long as the service waits."""
    reported: list[Event] = []
    run = Run(
        settings=Settings(),
        choices=(),
        secrets=Secrets(api_key=None, ngrok_token=None, hmac_key=None),
        environ={},
        report=reported.append,
        interactive=False,
    )
    with receiving((200, 60)) as receiver:
        request = TriggerRequest(
            url=receiver.url,
            event=None,
            task_id=None,
            wav_url=None,
            recording=None,
            sign=False,
            retries=False,
            speed=1,
            answer_timeout=0.05,
        )
        with pytest.raises(NotDelivered) as raised:
            trigger(request, run)
    assert raised.value.remedy == "Let the receiver answer first, and work afterwards."
    overdue, delivered = reported[2:]
    assert isinstance(overdue, AnswerOverdue)
    assert isinstance(delivered, CallbackSent)
    assert (delivered.status, delivered.received) == (None, False)
    assert delivered.verdict == "the service counts this as failed: it waits 0.05 s"
    assert delivered.seconds >= 0.2


def test_connection_refused(free_port: int) -> None:
    done = run_program("trigger", f"http://127.0.0.1:{free_port}/{UNGUESSABLE}")
    assert (done.code, without_times(done.out)) == (
        11,
        "no answer in TIME: the service counts this as failed: connection refused\n",
    )
    assert "  Start the receiver, or correct the port.\n" in done.err


def test_name_that_does_not_resolve() -> None:
    done = run_program("trigger", f"https://suno-wav.invalid/{UNGUESSABLE}")
    assert done.code == 11
    assert "the service counts this as failed: its name does not resolve" in done.out
    assert "  Correct the host name, or wait until its DNS entry is known.\n" in done.err


def test_https_to_an_http_server(receiver: Receiver) -> None:
    done = run_program("trigger", receiver.url.replace("http://", "https://"))
    assert done.code == 11
    assert "the service counts this as failed: the TLS handshake failed (" in done.out
    assert "Use a certificate that is valid for this name" in done.err
    assert UNGUESSABLE not in done.out + done.err


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"220 mail.example.com ESMTP\r\n", id="another protocol"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", id="half an answer"),
    ],
)
def test_connection_that_breaks(said: bytes) -> None:
    with bind_socket(0) as bound:

        def answer() -> None:
            connection, _ = bound.accept()
            with connection:
                while b"task_id" not in connection.recv(65536):
                    pass
                connection.sendall(said)

        thread = Thread(target=answer)
        thread.start()
        done = run_program("trigger", f"{address_of(bound)}/{UNGUESSABLE}")
        thread.join()
    assert done.code == 11
    assert "the service counts this as failed: the connection broke" in done.out


def test_first_line_of_the_answer_is_bounded_printable_and_without_the_path() -> None:
    body = f"\n\n  \x1b[31mCannot POST /hook/{UNGUESSABLE} ({UNGUESSABLE}) {'x' * 10_000}\nmore\n".encode()
    with receiving((404, 0), body=body) as receiver:
        done = receiver.run()
    (line,) = [line for line in done.err.splitlines() if "the answer says" in line]
    assert line.startswith(
        "suno-wav: the answer says: \N{REPLACEMENT CHARACTER}[31mCannot POST (hidden) ((hidden)) x"
    )
    assert len(line) < 250
    assert "more" not in done.err


def test_endless_answer_is_not_read_to_its_end() -> None:
    with receiving(body=b"x" * 50_000_000) as receiver:
        done = receiver.run()
    assert (done.code, without_times(done.out)) == (0, "200 in TIME: received\n")


# Signatures


def expected_signature(task_id: str, timestamp: str) -> str:
    digest = hmac.new(KEY.encode(), f"{task_id}.{timestamp}".encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def is_signed_now(request: Request, task_id: str) -> bool:
    timestamp = request.header("X-Webhook-Timestamp")
    return request.header("X-Webhook-Signature") == expected_signature(task_id, timestamp) and (
        abs(time.time() - int(timestamp)) < 60
    )


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("event", ["success", "failure", "no-id", "not-json", "get"])
def test_signs(receiver: Receiver, event: str) -> None:
    done = receiver.run("--sign", "--event", event, "--task-id", TASK, env=SIGNED)
    (request,) = receiver.arrived
    assert is_signed_now(request, TASK)
    assert f"task {TASK}, signed\n" in done.err


def test_signs_with_the_key_of_the_configuration(receiver: Receiver) -> None:
    home = Path(os.environ["SUNO_WAV_HOME"])
    home.mkdir()
    (home / "config.toml").write_text(f'hmac_key = "{KEY}"\n')
    (home / "config.toml").chmod(0o600)
    receiver.run("--sign", "--task-id", TASK)
    assert is_signed_now(receiver.arrived[0], TASK)


def test_signs_only_with_sign(receiver: Receiver) -> None:
    receiver.run(env=SIGNED)
    assert not [name for name, _ in receiver.arrived[0].headers if name.lower().startswith("x-")]


def test_key_repeated_by_the_receiver_is_not_shown() -> None:
    with receiving((403, 0), body=f"wrong, the key is {KEY}".encode()) as receiver:
        done = receiver.run("--sign", env=SIGNED)
    assert "the answer says: wrong, the key is (hidden)" in done.err


# Recordings


def recorded(body: bytes, *headers: tuple[str, str]) -> str:
    return str(write(RecordedCallback(received=1.0, headers=headers, body=body), Path.cwd(), "callback"))


OLD_SIGNATURE = (("X-Webhook-Timestamp", "1735689600"), ("X-Webhook-Signature", "b2xk"))


def test_recording_is_posted_with_its_headers_and_bytes(receiver: Receiver) -> None:
    body = b'{ "data":{"taskId" : "abc"}}\xff'
    own = (("User-Agent", "Service/1"), ("Content-Type", "text/x"), ("X-One", "\xe9"), ("X-One", "2"))
    about_the_connection = (
        ("Host", "elsewhere"),
        ("Content-Length", "9"),
        ("Connection", "close, X-Private"),
        ("X-Private", "1"),
        ("Transfer-Encoding", "chunked"),
    )
    done = receiver.run("--from", recorded(body, *own, *about_the_connection, *OLD_SIGNATURE))
    assert done.code == 0
    assert f"suno-wav: POST callback.json to {receiver.address}\n" in done.err
    (request,) = receiver.arrived
    assert request.body == body
    added = {("Host", receiver.address.removeprefix("http://")), ("Content-Length", str(len(body)))}
    assert set(request.headers) == {*own, *OLD_SIGNATURE, *added}


def test_recording_is_signed_afresh(receiver: Receiver) -> None:
    content = json.dumps({"code": 200, "taskId": TASK}).encode()
    receiver.run("--from", recorded(content, *OLD_SIGNATURE), "--sign", env=SIGNED)
    assert is_signed_now(receiver.arrived[0], TASK)


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("body", [b"{}", b"[]", b"no JSON", b"[" * 50_000])
def test_recording_without_a_task_cannot_be_signed(receiver: Receiver, body: bytes) -> None:
    done = receiver.run("--from", recorded(body), "--sign", env=SIGNED)
    assert (done.code, receiver.arrived) == (2, [])
    assert "callback.json names no task, and the signature is of its id\n  Leave out --sign." in done.err


# Retries


@pytest.mark.long
def test_retries_like_the_service() -> None:
    """After 1, 5 and 15 minutes, and signed anew each time; the last answer decides."""
    speed = 2000.0
    with receiving((500, 0), (404, 0), (204, 0), (200, 0), body=b"") as receiver:
        done = receiver.run("--retries", "--sign", "--speed", str(speed), env=SIGNED)
    assert (done.code, len(receiver.arrived)) == (0, 4)
    waits = [later.at - earlier.at for earlier, later in pairwise(receiver.arrived)]
    assert [wait > minutes * 60 / speed for wait, minutes in zip(waits, (1, 5, 15), strict=True)] == [
        True
    ] * 3
    assert len({request.body for request in receiver.arrived}) == 1
    assert [line.split()[0] for line in done.out.splitlines()] == ["500", "404", "204", "200"]
    assert done.err.count("the service would post it again in") == 3


@pytest.mark.long
def test_after_three_retries_the_service_gives_up() -> None:
    with receiving((500, 0)) as receiver:
        done = receiver.run("--retries", "--speed", "10000")
    assert (done.code, len(receiver.arrived)) == (11, 4)
    assert done.err.count("error:") == 1


def test_no_retries_by_default() -> None:
    with receiving((500, 0), (200, 0)) as receiver:
        assert receiver.run().code == 11
    assert len(receiver.arrived) == 1


def test_the_scheme_may_be_left_out(receiver: Receiver) -> None:
    assert run_program("trigger", receiver.url.removeprefix("http://")).code == 0
    assert len(receiver.arrived) == 1


# Wrong use


@pytest.mark.first_cases(2)
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param([], "there is no address to post to", id="no address"),
        pytest.param(["ftp://host/secret-path"], "URL is not an address", id="ftp"),
        pytest.param(["host:port/secret-path"], "URL is not an address", id="no port"),
        pytest.param(["http://a:secret-path@host/"], "URL is not an address", id="password"),
        pytest.param(["http://host:99999/secret-path"], "URL is not an address", id="port"),
        pytest.param(
            ["http://127.0.0.1:9/secret-path", "--event", "succes"], "there is no event 'succes'", id="event"
        ),
        pytest.param(
            ["http://127.0.0.1:9/secret-path", "--sign"], "there is no key to sign with", id="no key"
        ),
        pytest.param(
            ["http://127.0.0.1:9/secret-path", "--from", "absent.json"],
            "absent.json cannot be read: No such file or directory",
            id="no file",
        ),
        pytest.param(
            ["http://127.0.0.1:9/secret-path", "--from", "absent.json", "--event", "success"],
            "--from sends a recorded callback as it is",
            id="--from and --event",
        ),
    ],
)
def test_usage_errors_do_not_show_the_address(arguments: list[str], said: str) -> None:
    done = run_program("trigger", *arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"error: {said}")
    assert len(done.err.splitlines()) == 2
    assert "secret-path" not in done.err


# For scripts


def test_json_of_each_step() -> None:
    with receiving((503, 0), (200, 0)) as receiver:
        done = receiver.run(
            "--json", "--retries", "--speed", "10000", "--task-id", TASK, "--sign", env=SIGNED
        )
    assert (done.code, done.err) == (0, "")
    posting = {
        "event": "callback_sending",
        "name": "success",
        "method": "POST",
        "receiver": receiver.address,
        "task_id": TASK,
        "signed": True,
        "of": 1,
    }
    came_back = {
        "event": "callback_sent",
        "name": "success",
        "of": 1,
        "answer": '{"status": "received"}',
        "correctly_refused": False,
    }
    assert [{key: value for key, value in event.items() if key != "seconds"} for event in done.events] == [
        {"event": "address_noted", "receiver": receiver.address, "reason": LOCAL},
        posting,
        came_back
        | {
            "status": 503,
            "received": False,
            "verdict": "the service counts this as failed: nothing behind the proxy or tunnel answers",
        },
        {"event": "callback_retried"},
        posting,
        came_back | {"status": 200, "received": True, "verdict": "received"},
    ]


def test_json_of_a_failure(free_port: int) -> None:
    done = run_program("trigger", f"http://127.0.0.1:{free_port}/{UNGUESSABLE}", "--json")
    assert done.code == 11
    names = ["address_noted", "callback_sending", "callback_sent", "failed"]
    assert [event["event"] for event in done.events] == names
    assert done.events[2]["status"] is None
    assert done.events[3]["exit_code"] == 11
    assert UNGUESSABLE not in done.out + done.err


def test_the_log_file_holds_no_secret(receiver: Receiver) -> None:
    receiver.run("--log-file", "log", "--sign", env=SIGNED)
    log = Path("log").read_text()
    assert '"callback_sent"' in log
    assert UNGUESSABLE not in log
    assert KEY not in log


@pytest.mark.first_cases(1)
@pytest.mark.timing
@pytest.mark.parametrize("arguments", [["--retries"], []], ids=["between two tries", "while it waits"])
def test_ctrl_c_exits_at_once(arguments: list[str]) -> None:
    answer = (500, 0.0) if arguments else (200, 60.0)
    with receiving(answer) as receiver:
        program = start_program(
            *("trigger", receiver.url, "--json", *arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert program.stdout is not None
        awaited = "callback_retried" if arguments else "callback_sending"
        while awaited not in program.stdout.readline():
            pass
        began = time.monotonic()
        program.send_signal(signal.SIGINT)
        _, err = program.communicate(timeout=60)
        assert time.monotonic() - began < ENDS_WITHIN
    assert program.returncode == 130
    assert "stopped by Ctrl-C" in err
    assert "Traceback" not in err
