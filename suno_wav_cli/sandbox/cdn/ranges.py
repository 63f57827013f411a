"""Which bytes a GET asks for (RFC 9110, 13.1.5 and 14)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.datastructures import Headers

# Longer numbers cannot be positions, and take Python long to read.
_ONE_RANGE = re.compile(r"bytes=[ \t]*(\d{0,100})-(\d{0,100})[ \t]*", re.IGNORECASE)


def parse_range(headers: Headers, etag: str | None, length: int) -> range | None:
    """Return the requested positions: None for the whole file, an empty range for a 416.

    Several ranges, other units and bad syntax are ignored, as the RFC lets a server do. An
    `If-Range` holds only for a strong `etag` that is the same; a file may have none.
    """
    match = _ONE_RANGE.fullmatch(",".join(headers.getlist("Range")))
    if match is None or not (match[1] or match[2]) or not _if_range_holds(headers, etag):
        return None
    if not match[1]:
        return range(max(0, length - int(match[2])), length)
    first = int(match[1])
    last = int(match[2]) if match[2] else length - 1
    if match[2] and last < first:
        return None
    return range(first, min(last + 1, length))


def _if_range_holds(headers: Headers, etag: str | None) -> bool:
    asked = headers.get("If-Range")
    return asked is None or (asked == etag and not asked.startswith("W/"))
