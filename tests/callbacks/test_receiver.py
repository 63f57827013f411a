"""The receiver as a real server on a real port, met by the service, by proxies and by strangers."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from collections import defaultdict
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
import pytest

from suno_wav_cli.callbacks import refusal
from suno_wav_cli.callbacks.handlers import Handlers
from suno_wav_cli.callbacks.limited_server import ReceiverLimits, serve
from suno_wav_cli.callbacks.notifications import make_notification_handler
from suno_wav_cli.callbacks.receiver import receiver_app
from suno_wav_cli.system.loopback import address_of, bind_socket
from suno_wav_cli.terminal.json_lines import json_lines

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from starlette.types import ASGIApp, Receive, Scope, Send

    from suno_wav_cli.callbacks.payload import ReceivedCallback
    from suno_wav_cli.callbacks.refusal import RefusedRequest
    from suno_wav_cli.events import Event

T = TypeVar("T")

PATH = "/suno-wav-callback/unguessable"
GENUINE = b'{"code": 200, "msg": "success", "data": {"audio_wav_url": "https://cdn.example/a.wav", "task_id": "task-1"}}'
DEADLINE = 0.3
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Loading some for a client that speaks plain http takes longer than the test."""

SMALL = ReceiverLimits(body=1000, request_seconds=DEADLINE, grace_seconds=0.1, connections=16)
PATIENT = ReceiverLimits(body=1000, request_seconds=10.0, grace_seconds=0.3, connections=16)


def callback(task_id: str | None, code: int | None) -> dict[str, Any]:
    """What is reported of a callback that claims these."""
    return {"event": "callback_received", "task_id": task_id, "code": code}


@dataclass(frozen=True)
class Line:
    """One TCP connection, byte by byte. Unlike a stream it keeps what came before a reset."""

    raw: socket.socket

    async def send(self, content: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self.raw, content)

    async def receive(self) -> bytes:
        return await asyncio.get_running_loop().sock_recv(self.raw, 65536)

    async def rest(self) -> bytes:
        """Everything until the other side closes or resets."""
        received = b""
        with suppress(ConnectionResetError):
            while piece := await self.receive():
                received += piece
        return received


class Wakes:
    """What was woken: an event for each task."""

    def __init__(self) -> None:
        self._events: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def of(self, task_id: str) -> asyncio.Event:
        return self._events[task_id]

    def wake(self, task_id: str) -> None:
        self._events[task_id].set()


@dataclass(frozen=True)
class Receiver:
    """A receiver that serves; `events` is what it reported so far."""

    address: str
    wakes: Wakes = field(default_factory=Wakes)
    events: list[dict[str, Any]] = field(default_factory=list)
    threads: set[int] = field(default_factory=set)
    refused: list[RefusedRequest] = field(default_factory=list)

    def report(self, event: Event) -> None:
        self.events.extend(json.loads(line) for line in json_lines(event))
        self.threads.add(threading.get_ident())

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Line]:
        host, _, port = self.address.removeprefix("http://").partition(":")
        with socket.socket() as raw:
            raw.setblocking(False)
            await asyncio.get_running_loop().sock_connect(raw, (host, int(port)))
            yield Line(raw=raw)

    async def answer_to(self, content: bytes) -> bytes:
        async with self.connected() as line:
            await line.send(content)
            return await asyncio.wait_for(line.rest(), 20)

    async def ask(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        async with httpx.AsyncClient(trust_env=False, timeout=60, verify=NO_CERTIFICATES) as http:
            return await http.request(method, self.address + path, **arguments)

    async def post(self, content: bytes, path: str = PATH) -> httpx.Response:
        return await self.ask("POST", path, content=content, headers={"Content-Type": "application/json"})

    async def woken(self, task_id: str) -> None:
        await asyncio.wait_for(self.wakes.of(task_id).wait(), 60)


class Receivers:
    """One server for each set of limits, all in one loop that runs while a story does.

    Each story meets a new receiver. Only the servers are shared, because each takes a quarter of a
    second to end.
    """

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self._places: dict[ReceiverLimits, Place] = {}

    def run(self, story: Callable[[Receiver], Awaitable[T]], limits: ReceiverLimits = SMALL) -> T:
        return self._runner.run(self._told(story, limits))

    def close(self) -> None:
        self._runner.run(self._stack.aclose())
        self._runner.close()

    async def _told(self, story: Callable[[Receiver], Awaitable[T]], limits: ReceiverLimits) -> T:
        if limits not in self._places:
            bound = self._stack.enter_context(bind_socket(0))
            place = self._places[limits] = Place(address=address_of(bound))
            await self._stack.enter_async_context(serve(place, bound, limits, place.refuse))
        place = self._places[limits]
        receiver = Receiver(address=place.address)
        place.refused = receiver.refused
        handle = make_notification_handler(receiver.wakes.wake, receiver.report)
        place.app = receiver_app(PATH, Handlers(handle=handle, refused=receiver.refused.append), limits)
        return await story(receiver)


@dataclass
class Place:
    """A server's address and the receiver that stands there now."""

    address: str
    app: ASGIApp | None = None
    refused: list[RefusedRequest] = field(default_factory=list)

    def refuse(self, request: RefusedRequest) -> None:
        self.refused.append(request)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        await self.app(scope, receive, send)


@pytest.fixture(scope="module")
def receivers() -> Iterator[Receivers]:
    made = Receivers()
    yield made
    made.close()


def request(body: bytes, *headers: bytes, path: str = PATH, method: str = "POST") -> bytes:
    """Make a request by hand, with the right length unless headers are given."""
    lines = headers or (b"Content-Length: %d" % len(body),)
    start = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n".encode()
    return start + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body


def chunked(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (*pieces, b""))


def statuses(received: bytes) -> list[int]:
    return [int(part[:3]) for part in received.split(b"HTTP/1.1 ")[1:]]


@pytest.fixture(autouse=True)
def nothing_is_printed_or_logged(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> Iterator[None]:
    """Strangers cannot write to standard error."""
    yield
    assert tuple(capfd.readouterr()) == ("", "")
    # pytest listens to asyncio's logger, which would print otherwise. That uvicorn's is silent is a test of its own.
    shown = [record.getMessage() for record in caplog.get_records("call") if record.name == "asyncio"]
    assert shown == []


def test_callback_is_acknowledged_and_wakes_its_task(receivers: Receivers) -> None:
    async def story(receiver: Receiver) -> tuple[int, str, object, list[dict[str, Any]]]:
        answer = await receiver.post(GENUINE)
        await receiver.woken("task-1")
        return answer.status_code, answer.headers["Content-Type"], answer.json(), receiver.events

    assert receivers.run(story) == (
        200,
        "application/json",
        {"status": "received"},
        [callback("task-1", 200)],
    )


def test_callback_is_handled_in_the_event_loops_thread(receivers: Receivers) -> None:
    """An asyncio.Event and the screen belong to that thread."""

    async def story(receiver: Receiver) -> set[int]:
        await receiver.post(GENUINE)
        await receiver.woken("task-1")
        return receiver.threads

    assert receivers.run(story) == {threading.get_ident()}


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/", id="the root"),
        pytest.param("/suno-wav-callback", id="without the token"),
        pytest.param(PATH[:-1], id="a shorter token"),
        pytest.param(PATH + "x", id="a longer token"),
        pytest.param(PATH + "/", id="a slash more"),
        pytest.param(PATH + "/more", id="a folder below"),
        pytest.param(PATH.upper(), id="another case"),
        pytest.param("/favicon.ico", id="a browser"),
        pytest.param("/?next=" + PATH, id="the path as a query"),
        pytest.param("/%ff%fe" + PATH[4:], id="bytes that are no text"),
    ],
)
def test_wrong_path_is_404(receivers: Receivers, path: str) -> None:
    async def story(receiver: Receiver) -> tuple[int, list[dict[str, Any]]]:
        return (await receiver.post(GENUINE, path)).status_code, receiver.events

    assert receivers.run(story) == (404, [])


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/hooks/mine" + PATH, id="the prefix of a proxy"),
        pytest.param(PATH + "?utm_source=x", id="a query"),
    ],
)
def test_additions_of_a_proxy_to_the_path_are_accepted(receivers: Receivers, path: str) -> None:
    async def story(receiver: Receiver) -> int:
        answer = await receiver.post(GENUINE, path)
        await receiver.woken("task-1")
        return answer.status_code

    assert receivers.run(story) == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_other_methods_are_405_with_allow(receivers: Receivers, method: str) -> None:
    async def story(receiver: Receiver) -> tuple[int, str, list[dict[str, Any]]]:
        answer = await receiver.ask(method, PATH)
        return answer.status_code, answer.headers["Allow"], receiver.events

    assert receivers.run(story) == (405, "POST", [])


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(request(b"x" * 1001), id="with its length"),
        pytest.param(request(b" " * 100_000), id="much larger"),
        pytest.param(
            request(chunked(b"x" * 600, b"x" * 600), b"Transfer-Encoding: chunked"),
            id="chunked, without a length",
        ),
        pytest.param(
            request(b"x" * 1001, b"Content-Length: 10000000000"),
            id="a length that was promised and never comes",
        ),
        pytest.param(
            request(GENUINE + b" " * 1000, b"Content-Length: %d" % (len(GENUINE) + 1000)),
            id="genuine, and padded",
        ),
    ],
)
def test_body_over_the_limit_is_413_and_ends_the_connection(receivers: Receivers, sent: bytes) -> None:
    async def story(receiver: Receiver) -> tuple[list[int], list[dict[str, Any]]]:
        return statuses(await receiver.answer_to(sent)), receiver.events

    assert receivers.run(story, PATIENT) == ([413], [])


def test_body_of_exactly_the_limit_is_received(receivers: Receivers) -> None:
    body = GENUINE + b" " * (SMALL.body - len(GENUINE))

    async def story(receiver: Receiver) -> int:
        return (await receiver.post(body)).status_code

    assert receivers.run(story) == 200


def test_chunked_callback_is_received(receivers: Receivers) -> None:
    sent = request(chunked(GENUINE[:10], GENUINE[10:]), b"Transfer-Encoding: chunked", b"Connection: close")

    async def story(receiver: Receiver) -> list[int]:
        answer = await receiver.answer_to(sent)
        await receiver.woken("task-1")
        return statuses(answer)

    assert receivers.run(story) == [200]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b'{"code": 200, "data": {', id="cut"),
        pytest.param(b"task_id=task-1&code=200", id="a form"),
        pytest.param(b"\xff\xfe\xfa\x80", id="bytes that are no text"),
        pytest.param(b"\x00", id="a zero"),
        pytest.param(b"[" * 60_000, id="deeply nested lists"),
        pytest.param(b'{"data":' * 7_500, id="deeply nested objects"),
        pytest.param(b'{"code": ' + b"9" * 5_000 + b"}", id="a number of 5000 digits"),
        pytest.param(b"null", id="null"),
        pytest.param(b"200", id="a number"),
        pytest.param(b'"task-1"', id="a text"),
        pytest.param(b'[{"task_id": "task-1"}]', id="a list"),
    ],
)
def test_body_without_a_json_object_is_400(receivers: Receivers, body: bytes) -> None:
    async def story(receiver: Receiver) -> tuple[int, list[dict[str, Any]]]:
        return (await receiver.post(body)).status_code, receiver.events

    assert receivers.run(story, ReceiverLimits()) == (400, [])


LONG_PATH = "/suno-wav-callback/dT8Fh0lRkq3V9xT7Yw2LrB8nZc5Hd1JudT8Fh0lRkq3"
GZIP = b"\x1f\x8b\x08" + b"x" * 50


@pytest.mark.parametrize(
    ("path", "reason", "shown"),
    [
        (f"{LONG_PATH}/", refusal.EXTRA_SLASH, "/suno-wav-callback/(hidden)/"),
        (f"{LONG_PATH}///", refusal.EXTRA_SLASH, "/suno-wav-callback/(hidden)///"),
        (LONG_PATH.lower(), refusal.OTHER_CASE, "/suno-wav-callback/(hidden)"),
        ("/suno-wav-callback", refusal.NO_SECRET, "/suno-wav-callback"),
        ("/suno-wav-callback/", refusal.NO_SECRET, "/suno-wav-callback/"),
        ("/prefix/suno-wav-callback", refusal.NO_SECRET, "/prefix/suno-wav-callback"),
        (LONG_PATH[:-1], refusal.NO_SUCH_PATH, "/suno-wav-callback/(hidden)"),
        ("/.env", refusal.NO_SUCH_PATH, "/.env"),
        ("/a" * 100, refusal.NO_SUCH_PATH, "/a" * 40 + "…"),
        ("", refusal.NO_SUCH_PATH, ""),
    ],
)
def test_what_is_wrong_with_a_path(path: str, reason: refusal.Refusal, shown: str) -> None:
    """And no part of the secret one is shown."""
    assert refusal.refuse_head("POST", path, LONG_PATH, is_loop=False) is reason
    assert refusal.shown_path(path, LONG_PATH) == shown


def test_a_path_without_a_secret_may_be_mistyped_too() -> None:
    plain = "/suno-wav-callback"
    assert refusal.refuse_head("POST", "/suno-wav-callback/", plain, is_loop=False) is refusal.EXTRA_SLASH
    assert refusal.refuse_head("POST", "/", plain, is_loop=False) is refusal.NO_SUCH_PATH
    assert refusal.refuse_head("GET", plain, plain, is_loop=False) is refusal.WRONG_METHOD
    assert refusal.refuse_head("POST", plain, plain, is_loop=True) is refusal.LOOP
    assert refusal.refuse_head("POST", plain, plain, is_loop=False) is None


@pytest.mark.parametrize(
    ("body", "headers", "reason"),
    [
        (b"", (), refusal.EMPTY),
        (b"{", (), refusal.NOT_JSON),
        (GENUINE[:-1], (("content-type", "application/json"),), refusal.NOT_JSON),
        (GZIP, (), refusal.COMPRESSED),
        (b"\x8b\x03\x80", (("content-encoding", "br"),), refusal.COMPRESSED),
        (b"{", (("content-encoding", "identity"),), refusal.NOT_JSON),
        (b"a=b", (("content-type", "application/x-www-form-urlencoded"),), refusal.FORM),
        (b"--x", (("content-type", "Multipart/Form-Data; boundary=x"),), refusal.FORM),
        (b"<xml/>", (("content-type", "text/xml"),), refusal.NOT_JSON),
    ],
)
def test_what_is_wrong_with_a_body(
    body: bytes, headers: tuple[tuple[str, str], ...], reason: refusal.Refusal
) -> None:
    assert refusal.refuse_body(body, headers) is reason


@pytest.mark.first_cases(3)
@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (request(GENUINE, path=PATH + "/"), refusal.EXTRA_SLASH),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", refusal.TLS_HERE),
        (request(GZIP, b"Content-Length: %d" % len(GZIP), b"Content-Encoding: gzip"), refusal.COMPRESSED),
        (request(b""), refusal.EMPTY),
        (request(b"[]"), refusal.NOT_AN_OBJECT),
        (request(b"", method="GET"), refusal.WRONG_METHOD),
        (request(b"x" * 1001), refusal.refuse_size(1000)),
        (request(b"{", b"Content-Length: 900"), refusal.CUT_SHORT),
        (b"rubbish\r\n\r\n", refusal.NOT_HTTP),
    ],
)
def test_what_was_refused_is_told(receivers: Receivers, sent: bytes, reason: refusal.Refusal) -> None:
    async def story(receiver: Receiver) -> list[refusal.Refusal]:
        await receiver.answer_to(sent)
        return [refused.refusal for refused in receiver.refused]

    assert receivers.run(story) == [reason]


def test_deeply_nested_object_does_no_harm(receivers: Receivers) -> None:
    """Whether it can be parsed is up to the version of Python; it names no task either way."""
    body = b'{"data":' * 7_000 + b"1" + b"}" * 7_000

    async def story(receiver: Receiver) -> tuple[int, int]:
        return (await receiver.post(body)).status_code, (await receiver.post(GENUINE)).status_code

    assert receivers.run(story, ReceiverLimits()) in ((200, 200), (400, 200))


@pytest.mark.parametrize(
    ("content", "reported"),
    [
        pytest.param(
            {
                "code": 200,
                "msg": "success",
                "data": {"audio_wav_url": "https://x/a.wav", "task_id": "task-1"},
            },
            callback("task-1", 200),
            id="as documented",
        ),
        pytest.param(
            {"code": 200, "data": {"audioWavUrl": "https://x/a.wav", "task_id": "task-1"}},
            callback("task-1", 200),
            id="the URL in camel case",
        ),
        pytest.param(
            {"code": 200, "data": {"response": {"audioWavUrl": "https://x/a.wav"}, "task_id": "task-1"}},
            callback("task-1", 200),
            id="the URL in a response",
        ),
        pytest.param(
            {"code": 200, "data": {"audio_wav_url": "https://x/a.wav", "taskId": "task-1"}},
            callback("task-1", 200),
            id="the task id in camel case",
        ),
        pytest.param(
            {
                "code": 200,
                "taskId": "task-1",
                "successFlag": "SUCCESS",
                "response": {"audioWavUrl": "https://x"},
            },
            callback("task-1", 200),
            id="the record at top level",
        ),
        pytest.param(
            {"taskId": "task-1", "state": "success", "resultJson": "{}"},
            callback("task-1", None),
            id="kie-jobs, without a code",
        ),
        pytest.param(
            {"code": 200, "taskId": "task-1", "data": {"state": "success"}},
            callback("task-1", 200),
            id="the id at top level beside data",
        ),
        pytest.param(
            {"code": 501, "msg": "failed", "data": None, "taskId": "task-1"},
            callback("task-1", 501),
            id="data is null",
        ),
        *[
            pytest.param(
                {"code": code, "msg": "no", "data": {"audio_wav_url": None, "task_id": "task-1"}},
                callback("task-1", code),
                id=f"failed with {code}",
            )
            for code in (400, 451, 500, 501)
        ],
    ],
)
def test_every_shape_wakes_the_right_task_only(
    receivers: Receivers, content: dict[str, Any], reported: dict[str, Any]
) -> None:
    async def story(receiver: Receiver) -> tuple[int, list[dict[str, Any]], bool]:
        other = receiver.wakes.of("task-2")
        answer = await receiver.post(json.dumps(content).encode())
        await receiver.woken("task-1")
        return answer.status_code, receiver.events, other.is_set()

    assert receivers.run(story) == (200, [reported], False)


def test_callback_without_a_task_is_acknowledged_and_reported(receivers: Receivers) -> None:
    """Else the service would send it three times more."""

    async def story(receiver: Receiver) -> tuple[int, list[dict[str, Any]]]:
        answer = await receiver.post(b'{"code": 500, "msg": "error", "data": null}')
        # What comes after it on its heels tells that it was worked on.
        await receiver.post(GENUINE)
        await receiver.woken("task-1")
        return answer.status_code, receiver.events

    assert receivers.run(story) == (200, [callback(None, 500), callback("task-1", 200)])


def test_callback_may_come_before_its_task_is_known(receivers: Receivers) -> None:
    """The service may post it before its answer to the submission has arrived."""

    async def story(receiver: Receiver) -> bool:
        await receiver.post(GENUINE)
        await receiver.post(GENUINE.replace(b"task-1", b"task-2"))
        await receiver.woken("task-2")
        return receiver.wakes.of("task-1").is_set()

    assert receivers.run(story) is True


def test_duplicates_are_acknowledged_and_wake_once(receivers: Receivers) -> None:
    async def story(receiver: Receiver) -> tuple[list[int], bool, int]:
        waiting = receiver.wakes.of("task-1")
        answers = await asyncio.gather(*(receiver.post(GENUINE) for _ in range(5)))
        await receiver.post(GENUINE.replace(b"task-1", b"last"))
        await receiver.woken("last")
        was_set = waiting.is_set()
        waiting.clear()
        return [answer.status_code for answer in answers], was_set, len(receiver.events)

    assert receivers.run(story) == ([200] * 5, True, 6)


@pytest.mark.first_cases(2)
@pytest.mark.parametrize(
    "begun",
    [
        pytest.param(b"", id="silent"),
        pytest.param(b"PO", id="half a method"),
        pytest.param(b"POST " + PATH.encode() + b" HTTP/1.1\r\nHost: x\r\nContent-Le", id="half a header"),
        pytest.param(request(b"", b"Content-Length: 100"), id="no body"),
        pytest.param(request(GENUINE[:50], b"Content-Length: 100"), id="half a body"),
        pytest.param(request(b"5\r\nab", b"Transfer-Encoding: chunked"), id="half a chunk"),
        pytest.param(request(b"", b"Content-Length: 10", b"Expect: 100-continue"), id="waits to be asked"),
        pytest.param(request(GENUINE), id="whole, and then idle"),
        pytest.param(request(GENUINE) + b"POST /", id="whole, and half of another"),
    ],
)
def test_open_connection_is_closed_at_the_deadline(receivers: Receivers, begun: bytes) -> None:
    async def story(receiver: Receiver) -> float:
        async with receiver.connected() as line:
            await line.send(begun)
            start = time.monotonic()
            await asyncio.wait_for(line.rest(), 20)
            return time.monotonic() - start

    assert DEADLINE * 0.8 < receivers.run(story) < DEADLINE * 20


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    "begun",
    [
        pytest.param(b"", id="from the first byte on"),
        pytest.param(request(b"", b"Content-Length: 900"), id="in the body"),
        pytest.param(request(b"", b"Transfer-Encoding: chunked") + b"f", id="in a chunk's size"),
        pytest.param(b"POST / HTTP/1.1\r\nX: ", id="in a header"),
    ],
)
def test_slow_bytes_do_not_move_the_deadline(receivers: Receivers, begun: bytes) -> None:
    async def story(receiver: Receiver) -> float:
        async with receiver.connected() as line:
            start = time.monotonic()
            await line.send(begun)
            closed = asyncio.ensure_future(line.rest())
            while not (await asyncio.wait([closed], timeout=0.02))[0]:
                with suppress(OSError):
                    await line.send(b"0")
            return time.monotonic() - start

    assert receivers.run(story) < DEADLINE * 20


@pytest.mark.timing
def test_callback_is_answered_while_other_requests_stall(receivers: Receivers) -> None:
    async def story(receiver: Receiver) -> tuple[int, float]:
        async with receiver.connected() as silent, receiver.connected() as half:
            await silent.send(b"P")
            await half.send(request(b"{", b"Content-Length: 100"))
            start = time.monotonic()
            answer = await receiver.post(GENUINE)
            return answer.status_code, time.monotonic() - start

    status, seconds = receivers.run(story, PATIENT)
    assert status == 200
    assert seconds < PATIENT.request_seconds / 2


@pytest.mark.first_cases(4)
@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(200)), [400], id="TLS"),
        pytest.param(b"SSH-2.0-OpenSSH_9.6\r\n\r\n", [400], id="SSH"),
        pytest.param(b"\x00" * 5000 + b"\r\n\r\n", [400], id="zeros"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [404], id="HTTP/2"),
        pytest.param(
            b"POST " + PATH.encode() + b" HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 200_000,
            [400],
            id="an endless header",
        ),
        pytest.param(request(GENUINE, b"Content-Length: -5"), [400], id="a negative length"),
        pytest.param(
            request(GENUINE, b"Content-Length: " + b"9" * 6000), [400], id="a length of 6000 digits"
        ),
        pytest.param(request(GENUINE, b"Content-Length: 5", b"Content-Length: 6"), [400], id="two lengths"),
        pytest.param(request(b"zz\r\n", b"Transfer-Encoding: chunked"), [400], id="a chunk without a size"),
        pytest.param(request(GENUINE, b"Transfer-Encoding: gzip"), [400], id="another transfer encoding"),
        pytest.param(request(GENUINE, b"Content-Length: 5"), [400], id="more than the length says"),
        pytest.param(request(GENUINE) + b"\x00\x01\x02\r\n\r\n", [200, 400], id="rubbish after a callback"),
        pytest.param(
            request(GENUINE) + request(b"", method="GET") + b"rubbish" * 1000,
            [200, 405],
            id="after a refusal",
        ),
    ],
)
def test_rubbish_is_refused_and_the_next_callback_received(
    receivers: Receivers, sent: bytes, answered: list[int]
) -> None:
    """The connection ends with the first refusal."""

    async def story(receiver: Receiver) -> tuple[list[int], int]:
        received = statuses(await receiver.answer_to(sent))
        return received, (await receiver.post(GENUINE)).status_code

    received, after = receivers.run(story, PATIENT)
    assert after == 200
    assert received == answered


@pytest.mark.long
def test_server_prints_nothing_without_logging_set_up() -> None:
    """Runs in a process of its own, because pytest handles all log records."""
    program = """
import asyncio, sys
from suno_wav_cli.system.loopback import bind_socket
from suno_wav_cli.callbacks.receiver import receiver_app
from suno_wav_cli.callbacks import refusal
from suno_wav_cli.callbacks.handlers import Handlers
from suno_wav_cli.callbacks.limited_server import ReceiverLimits, serve
from suno_wav_cli.terminal.json_lines import json_lines
from suno_wav_cli.callbacks.notifications import make_notification_handler

async def main():
    with bind_socket(0) as bound:
        handle = make_notification_handler(print, lambda event: None)
        app = receiver_app("/hook", Handlers(handle=handle), ReceiverLimits())
        async with serve(app, bound, ReceiverLimits()):
            print(bound.getsockname()[1], flush=True)
            await asyncio.to_thread(sys.stdin.read)

asyncio.run(main())
"""
    upgrade = (b"Content-Length: 2", b"Connection: Upgrade", b"Upgrade: websocket")
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        for sent in (
            b"rubbish\r\n\r\n",
            b"\x16\x03\x01",
            request(b"{", path="/hook"),
            request(b"{}", *upgrade),
        ):
            with socket.create_connection(("127.0.0.1", port), timeout=5) as raw:
                raw.sendall(sent)
                raw.shutdown(socket.SHUT_WR)
                with suppress(ConnectionResetError):
                    raw.recv(65536)
        assert process.communicate(timeout=60) == (b"", b"")
        assert process.returncode == 0


def test_pipelined_callbacks_are_answered_one_by_one(receivers: Receivers) -> None:
    last = GENUINE.replace(b"task-1", b"last")
    sent = request(GENUINE) * 30 + request(last, b"Content-Length: %d" % len(last), b"Connection: close")

    async def story(receiver: Receiver) -> tuple[list[int], int]:
        received = statuses(await receiver.answer_to(sent))
        await receiver.woken("last")
        return received, len(receiver.events)

    assert receivers.run(story, PATIENT) == ([200] * 31, 31)


def test_upgrade_is_not_granted(receivers: Receivers) -> None:
    sent = request(
        GENUINE,
        b"Content-Length: %d" % len(GENUINE),
        b"Connection: Upgrade, close",
        b"Upgrade: websocket",
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        b"Sec-WebSocket-Version: 13",
    )

    async def story(receiver: Receiver) -> list[int]:
        async with receiver.connected() as line:
            await line.send(sent)
            return statuses(await asyncio.wait_for(line.receive(), 5))

    assert receivers.run(story) == [200]


@pytest.mark.parametrize(
    "begun", [b"", b"POST", request(GENUINE[:50], b"Content-Length: 900"), request(GENUINE)]
)
def test_reset_connection_does_no_harm(receivers: Receivers, begun: bytes) -> None:
    async def story(receiver: Receiver) -> int:
        async with receiver.connected() as line:
            await line.send(begun)
            line.raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return (await receiver.post(GENUINE)).status_code

    assert receivers.run(story) == 200


def test_body_that_ends_early_is_not_a_callback(receivers: Receivers) -> None:
    async def story(receiver: Receiver) -> tuple[list[int], list[dict[str, Any]]]:
        async with receiver.connected() as line:
            await line.send(request(GENUINE, b"Content-Length: 900"))
            line.raw.shutdown(socket.SHUT_WR)
            return statuses(await asyncio.wait_for(line.rest(), 20)), receiver.events

    received, events = receivers.run(story)
    assert (200 in received, events) == (False, [])


@pytest.mark.long
@pytest.mark.timing
def test_callback_is_answered_among_more_connections_than_the_limit(
    receivers: Receivers,
) -> None:
    """The one that has waited longest makes room, and a genuine callback needs milliseconds."""

    async def story(receiver: Receiver) -> tuple[int, float]:
        lines = [receiver.connected() for _ in range(SMALL.connections * 6)]
        half = len(lines) // 2

        async def open_some(some: list[Any]) -> None:
            for line in some:
                await line.__aenter__()

        await open_some(lines[:half])
        start = time.monotonic()
        flood = asyncio.ensure_future(open_some(lines[half:]))
        answer = await receiver.post(GENUINE)
        seconds = time.monotonic() - start
        await flood
        for line in lines:
            await line.__aexit__(None, None, None)
        return answer.status_code, seconds

    status, seconds = receivers.run(story, PATIENT)
    assert status == 200
    assert seconds < PATIENT.request_seconds / 2


@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "one after the other"])
def test_connections_beyond_the_limit_are_closed_at_once(receivers: Receivers, at_once: bool) -> None:
    """However fast they come, the rest is closed at once and not at the deadline."""
    too_many = 60

    async def story(receiver: Receiver) -> int:
        contexts = [receiver.connected() for _ in range(too_many)]
        if at_once:
            lines = await asyncio.gather(*(context.__aenter__() for context in contexts))
        else:
            lines = [await context.__aenter__() for context in contexts]
        endings = [asyncio.ensure_future(line.rest()) for line in lines]
        closed = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENT.request_seconds / 2):
                for ending in asyncio.as_completed(endings):
                    await ending
                    closed += 1
                    if closed == too_many - PATIENT.connections:
                        break
        for ending in endings:
            ending.cancel()
        await asyncio.gather(*endings, return_exceptions=True)
        for context in contexts:
            await context.__aexit__(None, None, None)
        return closed

    assert receivers.run(story, PATIENT) == too_many - PATIENT.connections


def test_callback_that_came_while_the_machine_stood_still_is_answered(receivers: Receivers) -> None:
    """It has come whole, though its connection is past the deadline when the program sees it."""
    length = b"Content-Length: %d" % len(GENUINE)

    async def story(receiver: Receiver) -> list[int]:
        async with receiver.connected() as line:
            await line.send(request(GENUINE, length))
            received = await line.receive()
            await line.send(request(GENUINE, length, b"Connection: close"))
            # Client and server share a loop, so neither does anything meanwhile.
            time.sleep(DEADLINE * 1.5)  # noqa: ASYNC251
            return statuses(received + await asyncio.wait_for(line.rest(), 20))

    assert receivers.run(story) == [200, 200]


def test_connection_that_reads_no_answers_is_closed() -> None:
    """Its requests come whole, and their answers fill all buffers."""
    length = b"Content-Length: %d" % len(GENUINE)

    async def handle(_: ReceivedCallback) -> None:
        pass

    async def post_for_ever(line: Line) -> None:
        while True:
            await line.send(request(GENUINE, length) * 100)

    async def story() -> None:
        with bind_socket(0) as bound, socket.socket() as raw:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            raw.setblocking(False)
            async with serve(receiver_app(PATH, Handlers(handle=handle), SMALL), bound, SMALL):
                await asyncio.get_running_loop().sock_connect(raw, bound.getsockname())
                with pytest.raises((ConnectionResetError, BrokenPipeError)):
                    await asyncio.wait_for(post_for_ever(Line(raw=raw)), 60)

    asyncio.run(story())


def test_kept_alive_connection_counts_from_its_last_request(receivers: Receivers) -> None:
    """A tunnel's agent keeps one open: strangers who only connect do not push it out."""

    async def story(receiver: Receiver) -> tuple[int, int]:
        length = b"Content-Length: %d" % len(GENUINE)
        async with AsyncExitStack() as stack:
            line = await stack.enter_async_context(receiver.connected())
            await line.send(request(GENUINE, length))
            first = statuses(await line.receive())
            for _ in range(PATIENT.connections // 2):
                await (await stack.enter_async_context(receiver.connected())).send(b"P")
            await line.send(request(GENUINE, length)[:-5])
            for _ in range(PATIENT.connections - 1):
                await (await stack.enter_async_context(receiver.connected())).send(b"P")
            await line.send(GENUINE[-5:])
            return first[0], statuses(await asyncio.wait_for(line.receive(), 5))[0]

    assert receivers.run(story, PATIENT) == (200, 200)


@pytest.mark.long
def test_server_ends_soon_while_strangers_hold_connections() -> None:
    """A connection in the middle of a request must not delay Ctrl-C."""

    async def run() -> float:
        with bind_socket(0) as bound:
            receiver = Receiver(address=address_of(bound))
            handle = make_notification_handler(receiver.wakes.wake, receiver.report)
            app = receiver_app(PATH, Handlers(handle=handle), PATIENT)
            async with receiver.connected() as silent, receiver.connected() as half:
                async with serve(app, bound, PATIENT):
                    await silent.send(b"P")
                    await half.send(request(b"{", b"Content-Length: 100"))
                    # Answered, so the two before it were met too.
                    await receiver.post(GENUINE)
                    start = time.monotonic()
                return time.monotonic() - start

    assert asyncio.run(run()) < PATIENT.request_seconds / 2
