"""Bodies read from real connections, encrypted and not: whatever comes counts, and what does not come is said."""

from __future__ import annotations

import gzip
import random
import ssl
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from suno_wav_cli.download.body import LARGEST_BLOCK, read_blocks
from suno_wav_cli.download.fetch import RateLimit, Transfer
from suno_wav_cli.download.part_file import open_part
from suno_wav_cli.download.response import Content
from suno_wav_cli.errors import BrokenOff, StartOver
from suno_wav_cli.journal.parts import ByteRange, PartialFile
from tests.support.context import PART, TARGET, WISHES
from tests.support.program import wait_until
from tests.support.wire import (
    HOST,
    Certificate,
    new_certificate,
    proxy_to,
    read_head,
    reset,
    serve,
    wait_for_close,
)

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    from suno_wav_cli.download.fetch import DownloadPolicy
    from tests.support.wire import Responder

BODY = random.Random(1).randbytes(700_001)
HEAD = f'HTTP/1.1 200 OK\r\nContent-Length: {len(BODY)}\r\nETag: "a"\r\nAccept-Ranges: bytes\r\n\r\n'.encode()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return new_certificate(tmp_path_factory.mktemp("certificate"))


@dataclass(frozen=True)
class Server:
    """Serves with TLS where it has a certificate."""

    certificate: Certificate | None

    @contextmanager
    def told(self, told: Responder) -> Iterator[str]:
        tls = self.certificate.server() if self.certificate else None
        with serve(told, tls) as port:
            yield f"{'https' if tls else 'http'}://127.0.0.1:{port}/song.wav"

    @property
    def wishes(self) -> DownloadPolicy:
        return replace(WISHES, tls=self.certificate.client()) if self.certificate else WISHES


@pytest.fixture(params=["http", "https"])
def server(request: pytest.FixtureRequest, certificate: Certificate) -> Server:
    return Server(certificate=certificate if request.param == "https" else None)


def fetched(url: str, wishes: DownloadPolicy, partial: PartialFile | None = None) -> Transfer:
    """Run one transfer; `.part` holds what came. Raises as Transfer.run."""
    with open_part(TARGET) as part:
        transfer = Transfer(url, part, wishes, partial)
        transfer.run()
        return transfer


def sends(*pieces: bytes, then: Callable[[socket.socket], None] = lambda _: None) -> Responder:
    def told(connection: socket.socket) -> None:
        read_head(connection)
        for piece in pieces:
            connection.sendall(piece)
        then(connection)

    return told


def close_properly(connection: socket.socket) -> None:
    """Say that it is the end, as TLS wants it."""
    if isinstance(connection, ssl.SSLSocket):
        connection.unwrap()


SMALL_PIECES = [BODY[at : at + 700] for at in range(0, len(BODY), 700)]


@pytest.mark.first_cases(4)
@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([HEAD, BODY], id="the body after the head"),
        pytest.param([HEAD + BODY], id="both at once"),
        pytest.param([HEAD + BODY[:1], BODY[1:]], id="the first byte with the head"),
        pytest.param(
            [HEAD[:20], HEAD[20:] + BODY[:70_000], BODY[70_000:]], id="more than one read with the head"
        ),
        pytest.param([HEAD, *SMALL_PIECES], id="in small pieces"),
        pytest.param([HEAD + BODY + b"and more"], id="more than was promised"),
        pytest.param([HEAD.replace(b"HTTP/1.1", b"HTTP/1.0") + BODY], id="an old server"),
        pytest.param([b"HTTP/1.1 200 OK\r\n\r\n" + BODY], id="ended by the end of the connection"),
        pytest.param(
            [
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                + b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in [*SMALL_PIECES, b""])
            ],
            id="in chunks",
        ),
    ],
)
def test_a_body_comes_byte_for_byte_however_it_is_sent(server: Server, pieces: list[bytes]) -> None:
    with server.told(sends(*pieces, then=close_properly)) as url:
        transfer = fetched(url, server.wishes)
    assert PART.read_bytes() == BODY
    assert (transfer.segments.received, transfer.segments.length) == (len(BODY), len(BODY))


@pytest.mark.first_cases(5)
@pytest.mark.parametrize(
    ("then", "said"),
    [
        pytest.param(lambda _: None, "broke off", id="closed, by TLS without a word"),
        pytest.param(close_properly, "broke off", id="closed properly"),
        pytest.param(wait_for_close, "silent for 0.2 s", id="silent"),
    ],
)
@pytest.mark.parametrize("count", [0, 1, 100_000, len(BODY) - 1])
def test_what_came_before_the_trouble_is_kept(
    server: Server, then: Callable[[socket.socket], None], said: str, count: int
) -> None:
    wishes = replace(server.wishes, stall_timeout=0.2)
    with server.told(sends(HEAD, BODY[:count], then=then)) as url, open_part(TARGET) as part:
        transfer = Transfer(url, part, wishes)
        with pytest.raises(BrokenOff, match=said):
            transfer.run()
        assert transfer.segments.received == count
        assert transfer.segments.partial_file() == PartialFile(
            validator='"a"', length=len(BODY), missing=(ByteRange(start=count, stop=len(BODY)),)
        )
        assert part.path.read_bytes() == BODY[:count]


def count_unacknowledged(connection: socket.socket) -> int:
    """Return how many sent bytes the other side's system has not confirmed yet."""
    import fcntl
    import termios

    count: bytes = fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, bytes(4))
    return int.from_bytes(count, sys.byteorder)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what the other side has got")
def test_what_came_before_a_stop_is_kept(server: Server) -> None:
    """A block that is not full yet when the transfer is stopped, by a person or for being slow."""
    sent = threading.Event()
    came = BODY[:50_000]

    def signal_and_wait(connection: socket.socket) -> None:
        wait_until(lambda: count_unacknowledged(connection) == 0)
        sent.set()
        wait_for_close(connection)

    with (
        server.told(sends(HEAD, came, then=signal_and_wait)) as url,
        open_part(TARGET) as part,
    ):
        transfer = Transfer(url, part, server.wishes)

        def stop() -> None:
            sent.wait(20)
            transfer.stop(BrokenOff("enough"))

        stopping = threading.Thread(target=stop)
        stopping.start()
        with pytest.raises(BrokenOff, match="enough"):
            transfer.run()
        stopping.join()
        assert transfer.segments.received == len(came)
        assert part.path.read_bytes() == came


def test_a_reset_is_one_of_our_errors(server: Server) -> None:
    with (
        server.told(sends(HEAD, BODY[:1000], then=reset)) as url,
        pytest.raises(BrokenOff, match="broke off"),
    ):
        fetched(url, server.wishes)


def test_a_range_that_is_less_than_was_asked_for_is_not_the_end(server: Server) -> None:
    """A server may cut a range short: the file's length says how much is missing, not this answer."""
    partial = (
        f'HTTP/1.1 206 Partial Content\r\nETag: "a"\r\nContent-Range: bytes 10-999/{len(BODY)}\r\n'
        "Content-Length: 990\r\n\r\n"
    ).encode()
    with server.told(sends(partial, BODY[10:1000])) as url, open_part(TARGET) as part:
        part.write(0, BODY[:10])
        transfer = Transfer(
            url,
            part,
            server.wishes,
            PartialFile(validator='"a"', length=None, missing=(ByteRange(start=10, stop=None),)),
        )
        with pytest.raises(BrokenOff, match="ended early, at byte 1,000"):
            transfer.run()
        assert transfer.segments.partial_file() == PartialFile(
            validator='"a"', length=len(BODY), missing=(ByteRange(start=1000, stop=len(BODY)),)
        )


def test_a_rest_is_asked_for_of_the_same_file_only(server: Server) -> None:
    """Not every server that sends a part of it names the file that it is of."""
    heads: list[bytes] = []

    def told(connection: socket.socket) -> None:
        heads.append(read_head(connection))
        connection.sendall(b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 400-999/1000\r\n")
        connection.sendall(b"Content-Length: 600\r\n\r\n" + BODY[400:1000])

    with server.told(told) as url:
        fetched(
            url,
            server.wishes,
            PartialFile(validator='"a"', length=1000, missing=(ByteRange(start=400, stop=1000),)),
        )
    (head,) = heads
    lines = head.lower().split(b"\r\n")
    assert b"range: bytes=400-999" in lines
    assert b'if-range: "a"' in lines


def test_more_than_a_range_was_said_to_be_is_not_taken_for_what_follows_it(server: Server) -> None:
    head = b'HTTP/1.1 206 Partial Content\r\nETag: "a"\r\nContent-Range: bytes 400-499/1000\r\nConnection: close\r\n\r\n'
    with server.told(sends(head, bytes(600))) as url, pytest.raises(StartOver):
        fetched(
            url,
            server.wishes,
            PartialFile(validator='"a"', length=1000, missing=(ByteRange(start=400, stop=1000),)),
        )


def test_a_slow_line_is_seen_to_move(server: Server) -> None:
    """A block is handed on before it is full."""

    def told(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(HEAD + BODY[:1000])
        wait_for_close(connection)

    with server.told(told) as url, open_part(TARGET) as part:
        transfer = Transfer(url, part, replace(server.wishes, stall_timeout=0.2))
        with pytest.raises(BrokenOff):
            transfer.run()
        assert transfer.segments.received == 1000


def test_a_large_limit_does_not_make_large_blocks(server: Server) -> None:
    """Blocks are written whole, and what another connection has taken over is not this one's any more."""
    with server.told(sends(HEAD + BODY)) as url:
        fetched(url, replace(server.wishes, rate=RateLimit(1 << 40)))
    assert PART.read_bytes() == BODY


@pytest.mark.timing
def test_a_limit_is_kept_whoever_asks() -> None:
    limit = RateLimit(1_000_000)
    begun = time.monotonic()
    delays = [limit.delay(100_000) for _ in range(10)]
    elapsed = time.monotonic() - begun
    assert delays == sorted(delays)
    assert 1.0 - elapsed <= delays[-1] <= 1.0
    assert RateLimit(None).delay(1 << 40) == 0.0


@pytest.mark.long
@pytest.mark.timing
def test_a_limited_download_takes_its_time(server: Server) -> None:
    begun = time.monotonic()
    with server.told(sends(HEAD + BODY)) as url:
        fetched(url, replace(server.wishes, rate=RateLimit(len(BODY))))
    # It does not wait after the last block, which is an eighth of a second.
    assert 0.85 < time.monotonic() - begun < 10
    assert PART.read_bytes() == BODY


@pytest.mark.parametrize("proxy_scheme", ["http", "https"])
def test_through_a_proxy(
    certificate: Certificate, proxy_scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind an https proxy the file's own TLS is inside of another."""
    asked: list[bytes] = []
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.path))
    tls = certificate.server()
    with (
        serve(sends(HEAD[:-2] + b"Connection: close\r\n\r\n" + BODY), tls) as port,
        serve(proxy_to(port, asked), tls if proxy_scheme == "https" else None) as proxy,
    ):
        monkeypatch.setenv("https_proxy", f"{proxy_scheme}://127.0.0.1:{proxy}")
        fetched(f"https://{HOST}/song.wav", replace(WISHES, tls=certificate.client(), local=False))
    assert PART.read_bytes() == BODY
    assert asked == [f"CONNECT {HOST}:443 HTTP/1.1".encode()]


def test_through_a_proxy_that_refuses(certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(sends(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")) as proxy:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy}")
        with pytest.raises(BrokenOff, match="403"):
            fetched(f"https://{HOST}/song.wav", replace(WISHES, tls=certificate.client()))


@pytest.mark.first_cases(1)
@pytest.mark.timing
def test_nothing_stays_open(server: Server) -> None:
    """However a transfer ends: no descriptor and no thread of it is left."""
    folder = Path("/proc/self/fd")
    if not folder.exists():
        pytest.skip("there is no list of descriptors")

    def descriptors() -> int:
        return sum(1 for entry in folder.iterdir() if "socket" in _target(entry))

    wishes = replace(server.wishes, stall_timeout=0.05)
    with server.told(sends(HEAD, BODY[:1000], then=wait_for_close)) as url:
        before = descriptors()
        for _ in range(5):
            with pytest.raises(BrokenOff):
                fetched(url, wishes)
        deadline = time.monotonic() + 5
        # The server is in this process too, and closes its ends a moment later.
        while descriptors() > before and time.monotonic() < deadline:
            time.sleep(0.01)
        assert descriptors() <= before


def _target(entry: Path) -> str:
    try:
        return str(entry.readlink())
    except OSError:
        return ""


def test_the_body_of_a_redirect_is_not_read() -> None:
    """It may be endless, and would be kept."""
    sent: list[int] = []

    def told(connection: socket.socket) -> None:
        if read_head(connection).startswith(b"GET /song"):
            connection.sendall(HEAD + BODY)
            return
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /song\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(1000):
            connection.sendall(b"10000\r\n" + bytes(0x10000) + b"\r\n")
            sent.append(0x10000)

    with serve(told) as port:
        fetched(f"http://127.0.0.1:{port}/moved", WISHES)
    assert PART.read_bytes() == BODY
    assert sum(sent) < 20_000_000


def test_what_unpacks_to_a_thousand_times_its_size_comes_in_small_blocks() -> None:
    packed = gzip.compress(bytes(30_000_000))
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n".encode()
    content = Content(span=ByteRange(start=0, stop=None), length=None, validator=None, codings=("gzip",))
    lengths = []
    with serve(sends(head, packed)) as port, httpx.stream("GET", f"http://127.0.0.1:{port}/") as response:
        for block in read_blocks(response, content, silence=5.0):
            assert not any(bytes(block[:1024]))
            lengths.append(len(block))
    assert sum(lengths) == 30_000_000
    assert max(lengths) <= LARGEST_BLOCK


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda packed: packed[:-9], id="without its end"),
        pytest.param(lambda packed: packed[:50] + b"\xff" * 50 + packed[100:], id="other bytes in it"),
    ],
)
def test_what_is_packed_wrongly_breaks_off(spoil: Callable[[bytes], bytes]) -> None:
    packed = spoil(gzip.compress(BODY))
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n".encode()
    with serve(sends(head, packed)) as port, pytest.raises(BrokenOff):
        fetched(f"http://127.0.0.1:{port}/song", WISHES)
