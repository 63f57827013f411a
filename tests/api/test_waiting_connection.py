"""The connection of a payment, which is open before the payment may leave: who ends it meanwhile."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from threading import Event
from typing import TYPE_CHECKING

import pytest

from suno_wav_cli.api.client import Client
from suno_wav_cli.api.providers import SUNOAPI
from suno_wav_cli.errors import ServiceUnavailable, SubmissionUnknown, SunoWavError
from suno_wav_cli.models import Secret, Song
from suno_wav_cli.system.pacing import Backoff
from tests.support.wild import KEY, TASK
from tests.support.wire import Certificate, new_certificate, proxy_to, read_head, reset, serve, wait_for_close

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_BODY = b'{"code":200,"msg":"success","data":{"taskId":"%s"}}' % TASK.encode()
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
    len(_BODY),
    _BODY,
)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return new_certificate(tmp_path_factory.mktemp("certificate"))


class TurnMissed(Exception):
    pass


def submit(
    address: str, turn: Callable[[Callable[[], bool]], Awaitable[None]], tls: ssl.SSLContext
) -> str | SunoWavError:
    async def run() -> str | SunoWavError:
        key, once = Secret(value=KEY), Backoff(retries=0)
        async with Client(SUNOAPI, address, key, tls, once) as client:
            try:
                return await client.submit(Song(audio_id="song"), None, turn)
            except SunoWavError as error:
                return error

    return asyncio.run(run())


def finish(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_WR)
    wait_for_close(connection)


def say_farewell(connection: socket.socket) -> None:
    """End TLS, but not the connection beneath, until the client has done so, too."""
    assert isinstance(connection, ssl.SSLSocket)
    connection.unwrap()


def answer_unasked(connection: socket.socket) -> None:
    """As some servers do before they close a connection on which nothing was asked for long."""
    connection.sendall(b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
    wait_for_close(connection)


_ENDS = [
    pytest.param(finish, False, id="closed"),
    pytest.param(reset, False, id="reset"),
    pytest.param(answer_unasked, False, id="408"),
    pytest.param(finish, True, id="closed beneath TLS"),
    pytest.param(say_farewell, True, id="TLS closed, which is all that has come"),
    pytest.param(answer_unasked, True, id="408 in TLS"),
]


def address_of(port: int, *, encrypted: bool) -> str:
    return f"{'https' if encrypted else 'http'}://127.0.0.1:{port}"


class Turn:
    """Comes when the connection is open, and takes until the server has ended it."""

    def __init__(self, end: Callable[[socket.socket], None]) -> None:
        self._end = end
        self._has_begun = Event()

    def respond(self, connection: socket.socket) -> None:
        self._has_begun.wait(10)
        self._end(connection)

    async def go_on(self, is_closed: Callable[[], bool]) -> None:
        assert not is_closed()
        self._has_begun.set()
        async with asyncio.timeout(10):
            while not is_closed():  # noqa: ASYNC110 - nothing tells when that changes
                await asyncio.sleep(0.001)

    async def miss(self, is_closed: Callable[[], bool]) -> None:
        await self.go_on(is_closed)
        raise TurnMissed


@pytest.mark.parametrize(("end", "encrypted"), _ENDS)
def test_an_end_is_seen_before_the_payment_leaves(
    end: Callable[[socket.socket], None], encrypted: bool, certificate: Certificate
) -> None:
    turn = Turn(end)
    with serve(turn.respond, certificate.server() if encrypted else None) as port, pytest.raises(TurnMissed):
        submit(address_of(port, encrypted=encrypted), turn.miss, certificate.client())


@pytest.mark.parametrize(("end", "encrypted"), _ENDS)
def test_an_end_that_is_seen_after_the_last_look_is_no_unknown_outcome(
    end: Callable[[socket.socket], None], encrypted: bool, certificate: Certificate
) -> None:
    """The turn has claimed the song by then. Nothing has left."""
    turn = Turn(end)
    with serve(turn.respond, certificate.server() if encrypted else None) as port:
        error = submit(address_of(port, encrypted=encrypted), turn.go_on, certificate.client())
    assert isinstance(error, ServiceUnavailable)
    assert not isinstance(error, SubmissionUnknown)


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "TLS"])
def test_a_connection_that_stays_open_is_used(encrypted: bool, certificate: Certificate) -> None:
    """Though the server has sent what belongs to TLS alone: tickets for a later session."""
    heads = []

    def respond(connection: socket.socket) -> None:
        heads.append(read_head(connection))
        connection.sendall(_ANSWER)
        wait_for_close(connection)

    async def wait_a_little(is_closed: Callable[[], bool]) -> None:
        end = time.monotonic() + 0.2
        while time.monotonic() < end:
            await asyncio.sleep(0.01)
            assert not is_closed()

    with serve(respond, certificate.server() if encrypted else None) as port:
        task = submit(address_of(port, encrypted=encrypted), wait_a_little, certificate.client())
    assert task == TASK
    assert len(heads) == 1


def test_an_end_behind_a_proxy_is_seen(certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> None:
    """There TLS begins only after the proxy's own answer."""
    seen: list[bytes] = []
    turn = Turn(say_farewell)
    with serve(turn.respond, certificate.server()) as port, serve(proxy_to(port, seen)) as proxy:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy}")
        with pytest.raises(TurnMissed):
            submit("https://cdn.invalid", turn.miss, certificate.client())
    assert seen == [b"CONNECT cdn.invalid:443 HTTP/1.1"]
