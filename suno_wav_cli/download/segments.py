"""Which bytes of a file are still missing, and which connection fetches them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from suno_wav_cli.errors import StartOver
from suno_wav_cli.journal.parts import ByteRange, PartialFile, count_received

if TYPE_CHECKING:
    from collections.abc import Iterable

    from suno_wav_cli.download.response import Content

SMALLEST = 4 * 1024 * 1024
"""Bytes worth a connection of their own: opening one takes about as long as fetching these."""

_LARGEST = 64 * 1024 * 1024
"""Bytes. The hash follows what has arrived without a gap, and lags by little more than this."""

_WORTH_SEVERAL = 16 * 1024 * 1024
"""Missing bytes from which on several connections are tried."""


class Segment:
    """A range that one connection fetches. `Segments` alone changes it.

    `position` is the next byte to write, and `claimed` the end of what its connection is writing.
    """

    def __init__(self, byte_range: ByteRange) -> None:
        self.position = self.claimed = byte_range.start
        self.stop = byte_range.stop

    @property
    def rest(self) -> ByteRange:
        return ByteRange(start=self.position, stop=self.stop)

    @property
    def unclaimed(self) -> int:
        """How many bytes another connection could take over: none while the end is unknown."""
        return 0 if self.stop is None else self.stop - self.claimed

    @property
    def is_complete(self) -> bool:
        return self.position == self.stop


class Segments:
    """The state that all threads of a transfer share: what is known of the file, and its bytes.

    Every method may be called from any thread. One lock guards this invariant: each byte of the
    file either has been written, or lies in one range of `_free`, or lies between the `position`
    and the `stop` of one segment in `_taken`. A segment's connection advances `position`; others may
    lower `stop`, but never below `claimed`. So no byte is written twice, and none is left out.
    """

    def __init__(self, partial: PartialFile | None, connections: int) -> None:
        self._lock = threading.Lock()
        self._connections = connections
        self._is_shared = False
        self._is_length_announced = True
        self._taken: list[Segment] = []
        if partial is None:
            # Until the first answer nothing is known of the file.
            self._validator, self._length = None, None
            self._free = [ByteRange(start=0, stop=None)]
        else:
            self._validator, self._length = partial.validator, partial.length
            self._free = self._divide(partial.missing)

    # What is known

    @property
    def validator(self) -> str | None:
        with self._lock:
            return self._validator

    @property
    def length(self) -> int | None:
        with self._lock:
            return self._length

    @property
    def is_length_announced(self) -> bool:
        """Whether the server told the length, rather than just ended its answer."""
        with self._lock:
            return self._is_length_announced and self._length is not None

    @property
    def received(self) -> int:
        """The number of bytes that have arrived."""
        with self._lock:
            return count_received(self._missing(), self._length)

    @property
    def helpers(self) -> int:
        """How many connections may join the first one."""
        with self._lock:
            return self._connections - 1

    @property
    def is_shared(self) -> bool:
        """Whether a second connection has joined."""
        with self._lock:
            return self._is_shared

    def arrived(self) -> int:
        """Return how many bytes have arrived without a gap, from the file's beginning."""
        with self._lock:
            missing = self._missing()
            return missing[0].start if missing else self._length or 0

    def partial_file(self) -> PartialFile | None:
        """Return what has been written. None if no server could confirm the rest of it."""
        with self._lock:
            if self._validator is None:
                return None
            return PartialFile(validator=self._validator, length=self._length, missing=self._missing())

    # What a connection does

    def share(self) -> bool:
        """Record that another connection joins. Return whether it is the second one."""
        with self._lock:
            is_second, self._is_shared = not self._is_shared, True
            return is_second

    def take(self) -> Segment | None:
        """Return a segment to fetch: the first free one, or half of the longest that is taken.

        None if nothing is left that is worth another connection.
        """
        with self._lock:
            if self._free:
                segment = Segment(self._free.pop(0))
            else:
                longest = max(self._taken, key=lambda taken: taken.unclaimed, default=None)
                if longest is None or longest.unclaimed < 2 * SMALLEST:
                    return None
                middle = longest.claimed + longest.unclaimed // 2
                segment = Segment(ByteRange(start=middle, stop=longest.stop))
                longest.stop = middle
            self._taken.append(segment)
            return segment

    def begin(self, segment: Segment, content: Content) -> None:
        """Take in what an answer says of the file. Raise StartOver if it is of another file."""
        with self._lock:
            if self._validator is None:
                self._validator, self._length = content.validator, content.length
                if not content.divisible:
                    self._connections = 1
                first, *self._free = self._divide((content.span,))
                segment.stop = first.stop
            elif None not in (self._length, content.length) and content.length != self._length:
                raise StartOver("the file has changed")
            elif segment.stop is None:
                # The answer tells where the file ends, though it may bring less of it.
                self._length = segment.stop = content.length

    def claim(self, segment: Segment, count: int) -> int:
        """Reserve up to `count` bytes for this segment's connection to write. Return how many."""
        with self._lock:
            if segment.stop is not None:
                count = min(count, segment.stop - segment.position)
            segment.claimed = segment.position + count
            return count

    def advance(self, segment: Segment, count: int, reach: int | None) -> bool:
        """Record that `count` claimed bytes were written. Return whether the segment is complete.

        If it is, and the next range is free and ends within `reach` of the same answer, the segment
        goes on into that range instead.
        """
        with self._lock:
            segment.position += count
            following = self._free[0] if segment.is_complete and self._free else None
            if (
                following is not None
                and following.start == segment.stop
                and None not in (following.stop, reach)
                and (following.stop or 0) <= (reach or 0)
            ):
                segment.stop = self._free.pop(0).stop
            return segment.is_complete

    def end(self, segment: Segment) -> bool:
        """Record that the answer has ended. Return whether the segment is complete."""
        with self._lock:
            if segment.stop is None:
                # Where the server told no length, the end of the answer is that of the file.
                self._length = segment.stop = segment.position
                self._is_length_announced = False
            return segment.is_complete

    # With the lock held

    def _missing(self) -> tuple[ByteRange, ...]:
        ranges = [taken.rest for taken in self._taken] + self._free
        return _join(sorted((gap for gap in ranges if gap.length != 0), key=lambda gap: gap.start))

    def _divide(self, missing: tuple[ByteRange, ...]) -> list[ByteRange]:
        """Cut the missing ranges for the connections, or settle for one connection."""
        lengths = [gap.length for gap in missing]
        if None in lengths or sum(filter(None, lengths)) < _WORTH_SEVERAL:
            self._connections = 1
        return [piece for gap in missing for piece in _cut(gap, self._connections)]


def _join(ranges: Iterable[ByteRange]) -> tuple[ByteRange, ...]:
    """Make one range of those that touch."""
    joined: list[ByteRange] = []
    for one in ranges:
        if joined and joined[-1].stop == one.start:
            joined[-1] = ByteRange(start=joined[-1].start, stop=one.stop)
        else:
            joined.append(one)
    return tuple(joined)


def _cut(whole: ByteRange, connections: int) -> list[ByteRange]:
    """Cut a range so that every connection gets a part of it, in the order of the file."""
    if not whole.length or whole.stop is None or connections == 1:
        return [whole]
    # As many for each, so that all end together.
    rounds = -(-whole.length // (connections * _LARGEST))
    size = max(-(-whole.length // (connections * rounds)), SMALLEST)
    return [
        ByteRange(start=start, stop=min(start + size, whole.stop))
        for start in range(whole.start, whole.stop, size)
    ]
