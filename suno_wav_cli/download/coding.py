"""Content codings: which of them a body has, and undoing these in small steps."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import httpx

from suno_wav_cli.errors import DownloadFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

_UNDONE = ("gzip", "x-gzip", "deflate")
_OTHERS = ("br", "zstd", "compress", "x-compress", "dcb", "dcz", "exi", "aes128gcm", "pack200-gzip")
_MOST_LAYERS = 3
_MEMBER_START = b"\x1f"

_REMEDY = "Try again; if it stays so, ask your provider."


def read_codings(content_encoding: str) -> tuple[str, ...]:
    """Return the codings to undo, the outermost first. Raise DownloadFailed for any other.

    Some servers put other words here, such as `aws-chunked` or a character set. These are no
    codings, and the body is what it is.
    """
    # Quotes and parameters belong to other headers, but some servers write them.
    names = [name.partition(";")[0].strip(' \t"') for name in content_encoding.lower().split(",")]
    codings = tuple(name for name in reversed(names) if name in _UNDONE or name in _OTHERS)
    other = next((name for name in codings if name in _OTHERS), None)
    if other is not None or len(codings) > _MOST_LAYERS:
        raise DownloadFailed(
            f"the file's server compresses it in a way that was not asked for ({other or content_encoding[:60]})",
            _REMEDY,
        )
    return codings


def undo(codings: tuple[str, ...], pieces: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Yield what the pieces hold, in blocks of at most `size` bytes.

    Raise DownloadFailed if they do not begin as their codings do, and httpx.HTTPError if they end
    early or become unreadable.
    """
    for coding in codings:
        pieces = _inflate(pieces, coding, size)
    return pieces


def _inflate(pieces: Iterator[bytes], coding: str, size: int) -> Iterator[bytes]:
    """Decompress in small steps: httpx would turn one piece into a thousand times its size."""
    decoder, begun, unpacked = _new_decoder(), False, False
    for piece in pieces:
        packed, is_full = piece, False
        while packed or is_full:
            begun = True
            if decoder.eof:
                if not packed.startswith(_MEMBER_START):
                    # Padding, or nothing that was packed.
                    return
                decoder = _new_decoder()
            try:
                block = decoder.decompress(packed, size)
            except zlib.error as error:
                raise _unreadable(error, coding, unpacked=unpacked) from error
            packed = decoder.unused_data if decoder.eof else decoder.unconsumed_tail
            is_full = len(block) == size and not decoder.eof
            if block:
                unpacked = True
                yield block
    if begun and not decoder.eof:
        raise httpx.RemoteProtocolError("the body ended early")


def _new_decoder() -> zlib._Decompress:
    # 15 bits of window, and 32 to accept either header: gzip's or zlib's.
    return zlib.decompressobj(wbits=47)


def _unreadable(error: zlib.error, coding: str, *, unpacked: bool) -> Exception:
    if unpacked:
        return httpx.DecodingError(f"its compression is broken: {error}")
    return DownloadFailed(
        f"the file's server says that it is compressed with {coding}, but it cannot be unpacked", _REMEDY
    )
