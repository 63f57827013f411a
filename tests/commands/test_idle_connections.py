"""A service that ends connections on which nothing was asked yet: no outcome is unknown by it."""

from __future__ import annotations

import select
import socket
import ssl
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.support.program import Sandbox, run_program
from tests.support.wire import connect_to, new_certificate, serve

if TYPE_CHECKING:
    from pathlib import Path

TLS_HANDSHAKE = b"\x16"


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "TLS"])
def test_a_connection_that_is_ended_before_its_turn_is_opened_again(
    sandbox: Sandbox, tmp_path: Path, *, encrypted: bool
) -> None:
    """Of TLS, only its own end comes, as from servers that wait for ours."""
    certificate, ended = new_certificate(tmp_path), []
    port = urlsplit(sandbox.base_url).port
    assert port is not None

    def respond(connection: socket.socket) -> None:
        # The sandbox names addresses of files that are not encrypted.
        if encrypted and connection.recv(1, socket.MSG_PEEK) == TLS_HANDSHAKE:
            with certificate.server().wrap_socket(connection, server_side=True) as inside:
                relay_or_end(inside)
        else:
            relay_or_end(connection)

    def relay_or_end(connection: socket.socket) -> None:
        # A connection is opened a second before the turn.
        if select.select([connection], [], [], 0.3)[0]:
            connect_to(port, connection)
            return
        ended.append(connection)
        if isinstance(connection, ssl.SSLSocket):
            connection.unwrap()

    songs = [f"demo+idle{number}-{encrypted}" for number in range(3)]
    with serve(respond) as relay:
        address = f"{'https' if encrypted else 'http'}://127.0.0.1:{relay}"
        done = run_program(
            *("convert", *songs, "--out", ".", "--window", "1/1s", "--tunnel", "none", "--json"),
            *("--base-url", address),
            env={**sandbox.settings, "SSL_CERT_FILE": str(certificate.path)},
        )
    assert sorted(event["audio_id"] for event in done.named("saved")) == songs, done
    assert done.code == 0
    assert ended


def test_a_service_that_closes_every_connection_is_not_asked_without_a_pause(tmp_path: Path) -> None:
    """Each connection is closed when it is open: the end comes in the last packet of the handshake."""
    certificate, opened = new_certificate(tmp_path), []
    tls = certificate.server()
    # From TLS 1.3 on, the client is the last.
    tls.maximum_version = ssl.TLSVersion.TLSv1_2

    def respond(connection: socket.socket) -> None:
        opened.append(connection)
        # What is sent waits for more, 200 ms at most.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        tls.wrap_socket(connection, server_side=True).close()

    with serve(respond) as port:
        address = f"https://127.0.0.1:{port}"
        done = run_program(
            *("convert", "demo", "--retries", "1", "--tunnel", "none", "--json"),
            env={**Sandbox(base_url=address).settings, "SSL_CERT_FILE": str(certificate.path)},
        )
    (failed,) = done.named("song_failed")
    assert failed["message"] == "the service closes its connections before anything is sent", done
    assert failed["remedy"].endswith(f": suno-wav doctor --provider sandbox --base-url {address}")
    assert done.code == 6
    # Two for each try.
    assert len(opened) == 4
