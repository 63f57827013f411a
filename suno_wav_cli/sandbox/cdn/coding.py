"""A file's body packed, or said to be packed, in the ways that servers have for it."""

from __future__ import annotations

import gzip
import zlib
from types import MappingProxyType
from typing import TYPE_CHECKING

from suno_wav_cli.sandbox.cdn.body import Body
from suno_wav_cli.sandbox.cdn.faults import Fault, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_BLOCK = bytes(1 << 20)


def _pack(content: bytes) -> bytes:
    return gzip.compress(content, compresslevel=1, mtime=0)


def _pack_members(content: bytes) -> bytes:
    third = len(content) // 3
    return _pack(content[:third]) + _pack(b"") + _pack(content[third:])


def _pack_raw(content: bytes) -> bytes:
    packer = zlib.compressobj(1, wbits=-15)
    return packer.compress(content) + packer.flush()


def _leave(content: bytes) -> bytes:
    return content


_CODINGS: Mapping[Kind, tuple[str, Callable[[bytes], bytes]]] = MappingProxyType(
    {
        Kind.GZIP: ("gzip", _pack),
        Kind.X_GZIP: ("x-gzip", _pack),
        Kind.MEMBERS: ("gzip", _pack_members),
        Kind.TWICE: ("gzip, gzip", lambda content: _pack(_pack(content))),
        Kind.ZLIB: ("deflate", lambda content: zlib.compress(content, 1)),
        Kind.DEFLATE: ("deflate", _pack_raw),
        Kind.LIE: ("gzip", _leave),
        Kind.AWS: ("aws-chunked", _leave),
        Kind.UTF: ("UTF-8", _leave),
        Kind.NONE: ("none", _leave),
    }
)


def encode(body: Body, fault: Fault) -> tuple[Body, str]:
    """Return the packed body, and its Content-Encoding."""
    if fault.kind is Kind.BOMB:
        packed, name = _make_bomb(fault.number or 0), "gzip"
    else:
        name, pack = _CODINGS[fault.kind]
        content, at = bytearray(), 0
        while at < body.size:
            content += body.read(at, body.size)
            at = len(content)
        packed = pack(bytes(content))
    return Body(size=len(packed), read=lambda start, stop: packed[start:stop]), name


def _make_bomb(size: int) -> bytes:
    """Pack so many zero bytes, which take a thousandth of that."""
    packer, packed = zlib.compressobj(9, wbits=31), bytearray()
    for start in range(0, size, len(_BLOCK)):
        packed += packer.compress(_BLOCK[: size - start])
    return bytes(packed) + packer.flush()
