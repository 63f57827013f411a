"""The ngrok agent fetched by the real pyngrok, from a server that stands where ngrok's does: behind a proxy, with TLS."""

from __future__ import annotations

import io
import os
import socket
import ssl
import subprocess
import tarfile
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest

from tests.support.ngrok_world import NgrokWorld, ngrok_world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.program import Finished, Sandbox

HOST = "bin.ngrok.com"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for ngrok's server that its own program would trust if told so; with its key."""
    file = tmp_path_factory.mktemp("certificate") / "both.pem"
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "2",
                "-subj",
                f"/CN={HOST}",
            ),
            *("-addext", f"subjectAltName=DNS:{HOST}", "-keyout", "key.pem", "-out", "certificate.pem"),
        ],
        cwd=file.parent,
        capture_output=True,
        check=True,
    )
    file.write_bytes((file.parent / "key.pem").read_bytes() + (file.parent / "certificate.pem").read_bytes())
    return file


def archive(program: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        member = tarfile.TarInfo("ngrok")
        member.size, member.mode = len(program), 0o755
        tar.addfile(member, io.BytesIO(program))
    return packed.getvalue()


@contextmanager
def downloads(certificate: Path, content: bytes, sent: int | None = None) -> Iterator[dict[str, str]]:
    """Serve `content` as ngrok's server, but only its first `sent` bytes and then nothing; the variables that lead there."""
    closing = Event()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    class Proxy(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            self.send_response(200)
            self.end_headers()
            with suppress(OSError), context.wrap_socket(self.connection, server_side=True) as inner:
                inner.recv(65536)
                head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n"
                inner.sendall(head.encode() + content[:sent])
                if sent is not None:
                    closing.wait(30)
            self.close_connection = True

        def log_message(self, *_arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield {
                "https_proxy": f"http://127.0.0.1:{server.server_port}",
                "SSL_CERT_FILE": str(certificate.parent / "certificate.pem"),
            }
        finally:
            closing.set()
            server.shutdown()
            thread.join()


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[NgrokWorld]:
    """No agent is on PATH; the stand-in waits to be downloaded."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    with ngrok_world(tmp_path / "ngrok") as world:
        yield world
        assert world.left == []


def place() -> Path:
    return Path(os.environ["XDG_CONFIG_HOME"]) / "ngrok" / "ngrok"


def convert(sandbox: Sandbox, world: NgrokWorld, song: str, env: dict[str, str]) -> Finished:
    return sandbox.run(
        "convert",
        song,
        "--poll-interval",
        "1s",
        env={
            **world.env(),
            "PATH": os.environ["PATH"],
            "SUNO_WAV_PROVIDER": "sunoapi",
            "SUNO_API_KEY": "key-1",
            "NGROK_AUTHTOKEN": "token-1",
            **env,
        },
    )


@pytest.mark.parametrize(
    "before", [None, b"\x7fELF, the first half"], ids=["nothing there", "half of one there"]
)
def test_an_agent_that_is_not_there_or_does_not_work_is_downloaded(
    sandbox: Sandbox, world: NgrokWorld, certificate: Path, before: bytes | None
) -> None:
    """It is said on standard error with its source, and standard output stays what it is."""
    if before is not None:
        place().parent.mkdir(parents=True)
        place().write_bytes(before)
    song = f"demo+download-{before is None}"
    with downloads(certificate, archive(world.executable.read_bytes())) as env:
        done = convert(sandbox, world, song, env)
    assert (done.code, done.out) == (0, f"{song}.wav\n")
    first = done.err.splitlines()[0]
    assert first.startswith(f"suno-wav: ngrok agent not found; downloading it from https://{HOST}/")
    assert first.endswith(f" to {place()}")
    assert "no callbacks" not in done.err
    assert place().stat().st_mode & 0o777 == 0o700
    assert [*place().parent.iterdir()] == [place()]
    # From now on it is there.
    assert "downloading it" not in convert(sandbox, world, f"{song}-again", {}).err


@pytest.mark.parametrize(
    ("served", "reason"),
    [
        pytest.param((b"", None), "the ngrok agent cannot be downloaded: ", id="nothing"),
        pytest.param(
            (archive(bytes(100_000))[:100], None), "the ngrok agent cannot be downloaded: ", id="cut"
        ),
        pytest.param(
            (archive(b"not a program"), None),
            "what was downloaded is not a working ngrok agent",
            id="rubbish",
        ),
        pytest.param(
            (archive(os.urandom(500_000)), 250_000), "the ngrok agent cannot be downloaded: ", id="stalled"
        ),
    ],
)
def test_what_cannot_be_downloaded_whole_leaves_nothing_and_costs_no_song(
    sandbox: Sandbox, world: NgrokWorld, certificate: Path, served: tuple[bytes, int | None], reason: str
) -> None:
    song = f"demo+broken-{len(served[0])}"
    with downloads(certificate, *served) as env:
        done = convert(sandbox, world, song, env)
    assert (done.code, done.out) == (0, f"{song}.wav\n")
    assert f"no callbacks ({reason}" in done.err
    assert [*place().parent.iterdir()] == []


def test_without_a_network_the_download_is_given_up_at_once(sandbox: Sandbox, world: NgrokWorld) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    done = convert(sandbox, world, "demo+offline", {"https_proxy": f"http://127.0.0.1:{port}"})
    assert done.code == 0
    assert "no callbacks (the ngrok agent cannot be downloaded: Connection refused): polling" in done.err
