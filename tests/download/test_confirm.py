"""The request that confirms a length: how long it may take."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING

import pytest

from suno_wav_cli.download.confirm import confirm_length
from tests.support.context import WISHES
from tests.support.wire import read_head, serve

if TYPE_CHECKING:
    import socket

_ANSWER = b"206 Partial Content\r\nContent-Range: bytes 9-9/10\r\nContent-Length: 1\r\n"


@pytest.mark.timing
def test_a_head_that_comes_byte_by_byte_has_an_end() -> None:
    is_over = Event()

    def told(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 " + _ANSWER + b"X-Slow: ")
        for _ in range(40):
            if is_over.wait(0.05):
                return
            connection.sendall(b"a")
        connection.sendall(b"\r\n\r\nx")

    with serve(told) as port:
        url = f"http://127.0.0.1:{port}/song.wav"
        confirmed = asyncio.run(confirm_length(url, 10, None, replace(WISHES, stall_timeout=0.4)))
        is_over.set()
    assert not confirmed


def test_an_answer_confirms() -> None:
    def told(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 " + _ANSWER + b"\r\nx")

    with serve(told) as port:
        assert asyncio.run(confirm_length(f"http://127.0.0.1:{port}/song.wav", 10, None, WISHES))
