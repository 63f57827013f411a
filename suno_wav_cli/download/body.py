"""The bytes of an answer, in blocks: from the connection itself where that is possible, for httpx costs twice the CPU.

httpx hands on each TLS record of 16 KiB through four layers. Once the head is read, a body of a known length over HTTP/1.1
is nothing but the connection's next bytes.
"""

from __future__ import annotations

import ssl
import time
import zlib
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from suno_wav_cli.download.response import Content

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
    if content.coded:
        yield from _unpacked(response, size)
        return
    connection, length = _connection(response), content.span.length
    if connection is None or length is None:
        for piece in response.iter_raw():
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


def _unpacked(response: httpx.Response, size: int) -> Iterator[bytes]:
    """Unpack by hand, for httpx would make a thousand times as much of a piece at once."""
    # 15 bits of window, and 32 for either header: gzip's or zlib's.
    unpacker = zlib.decompressobj(wbits=47)
    for piece in response.iter_raw():
        packed = piece
        while not unpacker.eof:
            try:
                block = unpacker.decompress(packed, size)
            except zlib.error as error:
                raise httpx.DecodingError(f"it is packed wrongly: {error}") from error
            packed = unpacker.unconsumed_tail
            if block:
                yield block
            if len(block) < size and not packed:
                break
    if not unpacker.eof:
        raise httpx.RemoteProtocolError("the body ended early")


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
