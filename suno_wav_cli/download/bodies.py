"""The bytes of an answer, in blocks: from the connection itself where that is possible, for httpx costs twice the CPU.

httpx hands on each TLS record of 16 KiB through four layers. Once the head is read, a body of a known length over HTTP/1.1
is nothing but the connection's next bytes.
"""

from __future__ import annotations

import ssl
import time
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from suno_wav_cli.download.replies import Content

LARGEST_BLOCK = 256 * 1024
"""Bytes; more at a time brings nothing."""

_LATEST = 0.1
"""Seconds after which a block is handed on, however little is in it, so that the bar moves on a slow line too."""


def blocks(
    response: httpx.Response, content: Content, *, size: int = LARGEST_BLOCK, silence: float
) -> Iterator[bytes | memoryview]:
    """Yield the body in blocks of at most `size` bytes, each valid until the next one is asked for.

    Raises httpx.HTTPError where it breaks off, comes to an early end, or is silent for `silence` seconds.
    """
    connection = None if content.coded else _connection(response)
    length = content.span.length
    if connection is None or length is None:
        pieces = response.iter_bytes() if content.coded else response.iter_raw()
        for piece in pieces:
            for start in range(0, len(piece), size):
                yield piece[start : start + size]
        return
    # Held until the end: with its iterator gone, httpx closes the connection.
    raw = response.iter_raw()
    # What came together with the head, or else the first bytes behind it: httpx keeps nothing back.
    first = next(raw, b"")
    for start in range(0, len(first), size):
        yield first[start : start + size]
    if length > len(first):
        yield from _from(connection, length - len(first), size, silence)


def _connection(response: httpx.Response) -> socket.socket | None:
    """Find the socket whose next bytes are the body's; None where there is none, and httpx must read."""
    if response.http_version != "HTTP/1.1" or "Transfer-Encoding" in response.headers:
        return None
    stream = response.extensions["network_stream"]
    if isinstance(stream.get_extra_info("ssl_object"), ssl.SSLObject):
        # TLS inside of TLS, behind an https proxy: what the socket gives is encrypted once more.
        return None
    connection: socket.socket = stream.get_extra_info("socket")
    return connection


def _from(connection: socket.socket, length: int, size: int, silence: float) -> Iterator[memoryview]:
    buffer = memoryview(bytearray(min(size, length)))
    connection.settimeout(silence)
    while length:
        filled, since = 0, time.monotonic()
        wanted = min(len(buffer), length)
        trouble: httpx.HTTPError | None = None
        try:
            while filled < wanted and time.monotonic() - since < _LATEST:
                count = connection.recv_into(buffer[filled:wanted])
                if count == 0:
                    raise httpx.RemoteProtocolError("the body ended early")
                filled += count
        except TimeoutError:
            trouble = httpx.ReadTimeout(f"no byte for {silence:g} s")
        except OSError as error:
            trouble = httpx.ReadError(str(error))
        except httpx.HTTPError as error:
            trouble = error
        if filled:
            # What came before the trouble is as good as the rest.
            yield buffer[:filled]
        if trouble is not None:
            raise trouble
        length -= filled
