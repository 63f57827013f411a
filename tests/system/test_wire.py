"""Strangers that lead downloads into private networks, or send heads without end: real servers."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from suno_wav_cli.api.client import Client
from suno_wav_cli.api.providers import SUNOAPI
from suno_wav_cli.callbacks.sender import CallbackRequest, post_callback
from suno_wav_cli.download.cover import fetch_cover
from suno_wav_cli.download.fetch import DownloadPolicy, RateLimit, Transfer
from suno_wav_cli.download.part_file import open_part
from suno_wav_cli.errors import BrokenOff, DownloadFailed, PrivateHost, ServiceUnavailable
from suno_wav_cli.models import Secret
from suno_wav_cli.system.http_problems import Problem
from suno_wav_cli.system.pacing import Backoff
from suno_wav_cli.system.private_hosts import choose_public
from suno_wav_cli.system.wire import bound
from tests.support.cdn import tune
from tests.support.program import run_program
from tests.support.wild import KEY, TASK
from tests.support.wire import HOST, Certificate, new_certificate, proxy_to, read_head, serve

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

SONG = Path("song.wav")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return new_certificate(tmp_path_factory.mktemp("certificate"))


def policy(tls: ssl.SSLContext, *, private_hosts: bool = False) -> DownloadPolicy:
    return DownloadPolicy(
        tls=tls,
        local=True,
        private_hosts=private_hosts,
        rate=RateLimit(None),
        max_size=10**9,
        min_speed=1,
        stall_timeout=20.0,
    )


def download(url: str, terms: DownloadPolicy) -> bytes:
    with open_part(SONG) as part:
        Transfer(url, part, terms).run()
        return part.path.read_bytes()


def answer_of(content: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(content) + content


# Private addresses


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "0", "[::ffff:127.0.0.1]"]
)
def test_no_connection_is_made_into_a_private_network(host: str, certificate: Certificate) -> None:
    """Not even one that is closed again: that would tell the service which ports are open."""
    called: list[object] = []
    with serve(called.append) as port, pytest.raises(PrivateHost, match="into a private network"):
        download(f"https://{host}:{port}/song.wav", policy(certificate.client()))
    assert called == []


def test_a_redirect_into_a_private_network_is_not_followed(
    certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first server is reached by a proxy, so that it may be anywhere."""
    called: list[object] = []
    with serve(called.append) as inside:
        there = (
            f"HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1:{inside}/admin\r\nContent-Length: 0\r\n\r\n"
        )

        def redirect(connection: socket.socket) -> None:
            read_head(connection)
            connection.sendall(there.encode())

        with serve(redirect, certificate.server()) as port, serve(proxy_to(port, [])) as proxy:
            monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy}")
            monkeypatch.setenv("no_proxy", "127.0.0.1")
            url = f"https://{HOST}/song.wav"
            with pytest.raises(PrivateHost, match=r"127\.0\.0\.1"):
                download(url, policy(certificate.client()))
            with pytest.raises(DownloadFailed, match=r"private network.*--allow-private-hosts allows it"):
                asyncio.run(fetch_cover(url, policy(certificate.client())))
    assert called == []


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("how", ["refused", "allowed", "by a proxy"])
def test_a_program_whose_service_is_elsewhere(how: str, certificate: Certificate) -> None:
    """A proxy resolves names itself, and so decides what it reaches."""
    content = tune("demo")

    def respond(connection: socket.socket) -> None:
        if b"song.wav" in read_head(connection):
            connection.sendall(answer_of(content))
            return
        record = {"taskId": TASK, "successFlag": "SUCCESS", "response": {"audioWavUrl": url}}
        connection.sendall(answer_of(json.dumps({"code": 200, "msg": "success", "data": record}).encode()))

    with serve(respond, certificate.server()) as port, serve(proxy_to(port, [])) as proxy:
        # This machine itself is never reached by a proxy.
        url = f"https://{HOST if how == 'by a proxy' else f'127.0.0.1:{port}'}/song.wav"
        done = run_program(
            *("status", TASK, "--download", "--out", "song.wav", "--base-url", f"https://{HOST}"),
            *(["--allow-private-hosts"] if how == "allowed" else []),
            env={
                "SUNO_API_KEY": KEY,
                "SSL_CERT_FILE": str(certificate.path),
                # With a user name and a password, which proxies may have.
                "https_proxy": f"http://me:sesame@127.0.0.1:{proxy}",
            },
        )
    if how == "refused":
        assert done.code == 9
        assert "the file's address leads into a private network: 127.0.0.1\n" in done.err
        assert "allow it: --allow-private-hosts" in done.err
    else:
        assert (done.code, SONG.read_bytes()) == (0, content)


def test_the_first_address_that_answers_is_used() -> None:
    """A host may have several addresses, of which some are not reachable."""

    def respond(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(answer_of(b"here"))

    def choose(host: str, found: list[str]) -> list[str]:
        assert (host, found) == ("127.0.0.1", ["127.0.0.1"])
        return ["127.0.0.2", *found]

    with serve(respond) as port, httpx.Client(trust_env=False) as client:
        bound(client, choose)
        assert client.get(f"http://127.0.0.1:{port}").content == b"here"
        with pytest.raises(httpx.ConnectError):
            client.get("http://nowhere.invalid")


def test_a_password_in_a_files_address_goes_nowhere() -> None:
    heads: list[bytes] = []

    def redirect(connection: socket.socket) -> None:
        heads.append(read_head(connection))
        connection.sendall(there.encode())

    with serve(redirect) as port:
        there = (
            f"HTTP/1.1 302 Found\r\nLocation: http://me:sesame@127.0.0.1:{port}/\r\nContent-Length: 0\r\n\r\n"
        )
        for url in (f"http://me:sesame@127.0.0.1:{port}/", f"http://127.0.0.1:{port}/"):
            with pytest.raises(DownloadFailed, match="a user name or a password") as caught:
                download(url, policy(ssl.create_default_context(), private_hosts=True))
            assert "sesame" not in str(caught.value)
    assert len(heads) == 1


# Heads and bodies without end


def flood(piece: bytes, begin: bytes = b"") -> Callable[[socket.socket], None]:
    def respond(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(begin)
        while True:
            connection.sendall(piece)

    return respond


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
FLOODS = [
    pytest.param(flood(b"HTTP/1.1 102 Processing\r\n\r\n" * 1000), "131,072 bytes come before", id="102"),
    pytest.param(flood(b"HTTP/1.1 103 \r\nLink: </a>\r\n\r\n" * 99), "131,072 bytes come before", id="103"),
    pytest.param(flood(b"HTTP/1.1 100 \r\n\r\n"), "131,072 bytes come before", id="100 one by one"),
    pytest.param(flood(b"A: b\r\n" * 1000, b"HTTP/1.1 200 OK\r\n"), None, id="headers"),
    pytest.param(flood(b"a" * 1000, b"HTTP/1.1 200 OK\r\nA: "), None, id="a header's line"),
    pytest.param(flood(b"1\r\n \r\n" * 1000, CHUNKED), "too small pieces", id="one-byte chunks"),
    pytest.param(
        flood(b"1;" + b"a" * 50_000 + b"\r\n \r\n", CHUNKED), "too small pieces", id="chunk extensions"
    ),
    pytest.param(flood(b"A: b\r\n" * 1000, CHUNKED + b"0\r\n"), None, id="trailers"),
]


@pytest.mark.first_cases(1)
@pytest.mark.timing
@pytest.mark.parametrize(("respond", "expected"), FLOODS)
def test_an_api_that_floods_costs_little(
    respond: Callable[[socket.socket], None], expected: str | None
) -> None:
    async def look_up(port: int) -> None:
        tls = ssl.create_default_context()
        address = f"http://127.0.0.1:{port}"
        async with Client(SUNOAPI, address, Secret(value=KEY), tls, Backoff(retries=0)) as client:
            await client.fetch_record(TASK)

    with serve(respond) as port:
        began = time.thread_time()
        with pytest.raises(ServiceUnavailable, match=expected):
            asyncio.run(look_up(port))
    # Seconds of CPU, where an unbounded flood took as long as an answer may take.
    assert time.thread_time() - began < 5


@pytest.mark.long
@pytest.mark.timing
@pytest.mark.parametrize(("respond", "expected"), FLOODS[:5])
def test_a_cdn_that_floods_its_head_costs_little(
    respond: Callable[[socket.socket], None], expected: str | None
) -> None:
    with serve(respond) as port:
        began = time.thread_time()
        with pytest.raises(BrokenOff, match=expected):
            download(f"http://127.0.0.1:{port}/", policy(ssl.create_default_context(), private_hosts=True))
    assert time.thread_time() - began < 5


@pytest.mark.first_cases(1)
@pytest.mark.timing
@pytest.mark.parametrize("coding", [b"", b"Content-Encoding: gzip\r\n"], ids=["plain", "compressed"])
def test_a_cdn_that_sends_tiny_chunks_costs_little(coding: bytes) -> None:
    """Each costs as much as a large one, and a thousand bytes a second of them are not too slow."""
    head = b"HTTP/1.1 200 OK\r\n" + coding + b"Transfer-Encoding: chunked\r\n\r\n"
    # The beginning of a gzip file, whose comment does not end.
    head += b"a\r\n\x1f\x8b\x08\x10\0\0\0\0\0\0\r\n" if coding else b""
    with serve(flood(b"1\r\n \r\n" * 1000, head)) as port:
        began = time.thread_time()
        with pytest.raises(DownloadFailed, match="in 10,000 pieces of 1 bytes"):
            download(f"http://127.0.0.1:{port}/", policy(ssl.create_default_context(), private_hosts=True))
    assert time.thread_time() - began < 5


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    "chunk",
    [
        pytest.param(b"1\r\n \r\n" * 1000, id="tiny chunks"),
        pytest.param(b"1;" + b"a" * 500 + b"\r\n \r\n", id="chunk extensions"),
    ],
)
def test_a_cover_in_tiny_chunks_is_given_up(chunk: bytes) -> None:
    """Before its time is up: ten seconds of them would cost as much CPU for every song."""
    tls = ssl.create_default_context()
    with serve(flood(chunk, CHUNKED + b"3\r\n\xff\xd8\xff\r\n")) as port:
        url = f"http://127.0.0.1:{port}/"
        with pytest.raises(
            DownloadFailed, match=r"the cover cannot be downloaded: .* in 10,000 pieces of 1 bytes"
        ):
            asyncio.run(fetch_cover(url, policy(tls, private_hosts=True), seconds=300.0))


@pytest.mark.long
@pytest.mark.timing
def test_a_receiver_of_callbacks_that_floods_costs_little() -> None:
    with serve(flood(b"HTTP/1.1 102 Processing\r\n\r\n" * 1000)) as port:
        began = time.thread_time()
        answer = asyncio.run(post_callback(CallbackRequest(body=b"{}"), f"http://127.0.0.1:{port}/", 60.0))
    assert (answer.problem, answer.detail) == (
        Problem.BROKEN,
        "more than 131,072 bytes come before its answer",
    )
    assert time.thread_time() - began < 5


@pytest.mark.long
def test_some_interim_answers_and_a_long_head_are_no_trouble() -> None:
    def respond(connection: socket.socket) -> None:
        for _ in range(2):
            read_head(connection)
            connection.sendall(b"HTTP/1.1 102 Processing\r\n\r\n" * 1000 + b"HTTP/1.1 200 OK\r\n")
            connection.sendall(b"A: " + b"b" * 60_000 + b"\r\nContent-Length: 4\r\n\r\nhere")

    with serve(respond) as port, httpx.Client(trust_env=False) as client:
        bound(client)
        for _ in range(2):
            assert client.get(f"http://127.0.0.1:{port}").content == b"here"


def test_a_public_address_is_the_default(certificate: Certificate) -> None:
    with httpx.Client(trust_env=False, verify=certificate.client()) as client:
        bound(client, choose_public)
        with pytest.raises(PrivateHost):
            client.get("https://localhost:9/")
