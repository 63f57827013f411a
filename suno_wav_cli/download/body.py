"""The body of an answer, in blocks.

httpx passes each TLS record of 16 KiB through four layers, which costs twice the CPU. But once the
head is read, a body of known length over HTTP/1.1 is just the connection's next bytes. So these are
read from the socket itself wherever possible.
"""

from __future__ import annotations

import ssl
import time
from typing import TYPE_CHECKING

import httpx

from suno_wav_cli.download.coding import undo
from suno_wav_cli.errors import DownloadFailed

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from suno_wav_cli.download.response import Content

LARGEST_BLOCK = 256 * 1024
"""Bytes; more at a time brings nothing."""

_MANY_PIECES = 10_000
_LEAST_PIECE = 100
"""Bytes, on average."""

_LATEST = 0.1
"""Seconds after which a block is yielded before it is full, to show progress on a slow line."""


def read_blocks(
    response: httpx.Response, content: Content, *, size: int = LARGEST_BLOCK, silence: float
) -> Iterator[bytes | memoryview]:
    """Yield the body in blocks of at most `size` bytes, each valid until the next one is read.

    Raise httpx.HTTPError if the body breaks off, ends early, or is silent for `silence` seconds,
    and DownloadFailed if it is not compressed as the server says.
    """
    if content.codings:
        yield from undo(content.codings, read_pieces(response), size)
        return
    connection, length = _find_socket(response), content.span.length
    if connection is None or length is None:
        for piece in read_pieces(response):
            for start in range(0, len(piece), size):
                yield piece[start : start + size]
        return
    # Kept until the end: without its iterator, httpx closes the connection.
    raw = response.iter_raw()
    # What came together with the head, or else the first bytes after it: httpx holds nothing back.
    first = next(raw, b"")
    for start in range(0, len(first), size):
        yield first[start : start + size]
    if length > len(first):
        yield from _read_socket(connection, length - len(first), size, silence)


def read_pieces(response: httpx.Response) -> Iterator[bytes]:
    """Yield what httpx reads. Raise DownloadFailed for chunks so small that they cost more than the file."""
    count = size = 0
    for piece in response.iter_raw():
        yield piece
        count, size = count + 1, size + len(piece)
        if count == _MANY_PIECES:
            if size < count * _LEAST_PIECE:
                raise DownloadFailed(
                    f"the file's server sends it in {count:,} pieces of {size / count:.0f} bytes",
                    "Try again; if it stays so, ask your provider.",
                )
            count = size = 0


def _find_socket(response: httpx.Response) -> socket.socket | None:
    """Return the socket whose next bytes are the body's, or None if httpx must read it."""
    if response.http_version != "HTTP/1.1" or "Transfer-Encoding" in response.headers:
        return None
    stream = response.extensions["network_stream"]
    if isinstance(stream.get_extra_info("ssl_object"), ssl.SSLObject):
        # TLS inside TLS, behind an https proxy: the socket's bytes are encrypted once more.
        return None
    connection: socket.socket = stream.get_extra_info("socket")
    return connection


def _read_socket(connection: socket.socket, length: int, size: int, silence: float) -> Iterator[memoryview]:
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
            # What came before the error is as good as the rest.
            yield buffer[:filled]
        if trouble is not None:
            raise trouble
        length -= filled
