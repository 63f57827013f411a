"""Which bytes of a file are still missing, and who of several connections fetches which: arithmetic."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from suno_wav_cli.journal.holding import ByteRange

if TYPE_CHECKING:
    from collections.abc import Iterable

SMALLEST = 4 * 1024 * 1024
"""Bytes that are worth a connection of their own: opening one takes about as long as fetching these."""

_LARGEST = 64 * 1024 * 1024
"""Bytes; the hash of the file follows what has arrived without a gap, and so never lags behind by much more than this."""


class Segment:
    """A span that one connection fetches. `position` is the next byte; `stop` may be lowered by another thread.

    What lies before `claimed` is its connection's alone, written or not.
    """

    def __init__(self, span: ByteRange) -> None:
        self.position = self.claimed = span.start
        self.stop = span.stop

    @property
    def room(self) -> int | None:
        """How many bytes are still missing; None where nobody knows."""
        return None if self.stop is None else self.stop - self.position


class Segments:
    """The missing spans, handed out to connections. May be used from several threads."""

    def __init__(self, missing: Iterable[ByteRange], connections: int) -> None:
        self._lock = threading.Lock()
        self._taken: list[Segment] = []
        self._free = [piece for span in missing for piece in _pieces(span, connections)]

    def take(self) -> Segment | None:
        """Give a segment to fetch: the first that is free, or else half of the longest that somebody is at.

        None where nothing is left that is worth another connection.
        """
        with self._lock:
            if self._free:
                segment = Segment(self._free.pop(0))
            else:
                shared = max(self._taken, key=_unclaimed, default=None)
                if shared is None or _unclaimed(shared) < 2 * SMALLEST:
                    return None
                middle = shared.claimed + _unclaimed(shared) // 2
                segment = Segment(ByteRange(start=middle, stop=shared.stop))
                shared.stop = middle
            self._taken.append(segment)
            return segment

    def claim(self, segment: Segment, count: int) -> int:
        """Tell how many of its next `count` bytes may be written by who has the segment: nobody else is given them now."""
        with self._lock:
            if segment.room is not None:
                count = min(count, segment.room)
            segment.claimed = segment.position + count
            return count

    def extend(self, segment: Segment, stop: int | None) -> bool:
        """Let who has fetched a segment go on into the next, where that is free and its answer reaches to before `stop`."""
        with self._lock:
            following = self._free[0] if self._free else None
            if following is None or following.start != segment.stop or stop is None:
                return False
            if following.stop is None or following.stop > stop:
                return False
            self._free.pop(0)
            segment.stop = following.stop
            return True

    def missing(self) -> tuple[ByteRange, ...]:
        """Tell what is missing at this moment, in order."""
        with self._lock:
            spans = [ByteRange(start=taken.position, stop=taken.stop) for taken in self._taken] + self._free
        return _joined(sorted((span for span in spans if span.length != 0), key=lambda span: span.start))


def _unclaimed(segment: Segment) -> int:
    """Tell how many bytes could be given to another connection: none where nobody knows the segment's end."""
    return 0 if segment.stop is None else segment.stop - segment.claimed


def _joined(spans: Iterable[ByteRange]) -> tuple[ByteRange, ...]:
    """Make one span of those that touch."""
    joined: list[ByteRange] = []
    for span in spans:
        if joined and joined[-1].stop == span.start:
            joined[-1] = ByteRange(start=joined[-1].start, stop=span.stop)
        else:
            joined.append(span)
    return tuple(joined)


def _pieces(span: ByteRange, connections: int) -> list[ByteRange]:
    """Cut a span so that every connection has a part of it, in the order of the file."""
    if not span.length or span.stop is None or connections == 1:
        return [span]
    # As many for each, that all end together.
    rounds = -(-span.length // (connections * _LARGEST))
    size = max(-(-span.length // (connections * rounds)), SMALLEST)
    return [
        ByteRange(start=start, stop=min(start + size, span.stop))
        for start in range(span.start, span.stop, size)
    ]
