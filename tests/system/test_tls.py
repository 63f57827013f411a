"""Certificates are loaded only for encrypted connections, and untrusted ones are refused."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from suno_wav_cli.download.fetch import DownloadPolicy, RateLimit, Transfer
from suno_wav_cli.download.part_file import open_part
from suno_wav_cli.errors import DownloadFailed, UsageError
from suno_wav_cli.system.tls import make_tls_context
from tests.support.cdn import tune
from tests.support.program import Finished, command_line, run_program

if TYPE_CHECKING:
    from collections.abc import Iterator

OPENSSL = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
NOBODY = "https://127.0.0.1:9"


@contextmanager
def encrypted(folder: Path) -> Iterator[str]:
    """A TLS service with a self-signed certificate: the balance, and a file at any other path."""
    subprocess.run(
        [*OPENSSL.split(), "-keyout", "key.pem", "-out", "certificate.pem"],
        cwd=folder,
        capture_output=True,
        check=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")

    class Service(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            balance = json.dumps({"code": 200, "msg": "success", "data": 12.4}).encode()
            content = balance if self.path.startswith("/api/") else tune("demo")
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        server.handle_error = lambda *_: None  # type: ignore[method-assign]
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"https://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with encrypted(folder) as address:
        yield address


def asked(address: str, certificates: Path | None) -> Finished:
    env = {"SUNO_API_KEY": "any"} | ({} if certificates is None else {"SSL_CERT_FILE": str(certificates)})
    return run_program("credits", "--base-url", address, "--retries", "0", env=env)


@pytest.mark.long
def test_a_certificate_is_trusted_only_if_it_is_named(address: str, folder: Path) -> None:
    assert asked(address, folder / "certificate.pem").code == 0
    stranger = asked(address, None)
    assert stranger.code == 6
    assert "self-signed certificate" in stranger.err


def terms() -> DownloadPolicy:
    return DownloadPolicy(
        tls=make_tls_context(),
        local=False,
        private_hosts=True,
        rate=RateLimit(None),
        max_size=10**9,
        min_speed=1,
        stall_timeout=20,
    )


@pytest.mark.long
def test_a_file_is_fetched_only_from_a_trusted_server(
    address: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_part(Path("stranger.wav")) as part, pytest.raises(DownloadFailed, match="not trusted"):
        Transfer(address + "/file", part, terms()).run()
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "certificate.pem"))
    with open_part(Path("song.wav")) as part:
        Transfer(address + "/file", part, terms()).run()
        assert part.path.read_bytes() == tune("demo")


def test_unloadable_certificates_are_reported_before_anything_starts() -> None:
    done = asked(NOBODY, Path("none.pem"))
    assert done.code == 2
    assert done.err.startswith("error: the certificates cannot be loaded: ")
    assert "SSL_CERT_FILE" in done.err


def test_unloadable_certificates_do_not_matter_without_encryption(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "none.pem")
    make_tls_context(None, "http://127.0.0.1:9")
    with pytest.raises(UsageError):
        make_tls_context(None, "HTTPS://127.0.0.1:9")


@pytest.mark.long
def test_a_request_without_encryption_loads_no_certificates_and_no_server() -> None:
    arguments = ("credits", "--provider", "sandbox", "--base-url", "http://127.0.0.1:9", "--retries", "0")
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *command_line(*arguments)[1:]],
        env={**os.environ, "SSL_CERT_FILE": "none.pem"},
        capture_output=True,
        text=True,
        check=False,
    )
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert done.returncode == 6, "nobody listens there; 2 where certificates were asked for"
    assert "httpx" in imported
    assert imported & {"click", "pygments", "rich", "starlette", "uvicorn"} == set()
