"""What of a file is there already, while the rest is still to be fetched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, kw_only=True)
class ByteRange:
    """The bytes from `start` to before `stop`; None where the file's length is not known."""

    start: int
    stop: int | None

    @property
    def length(self) -> int | None:
        return None if self.stop is None else self.stop - self.start


@dataclass(frozen=True, kw_only=True)
class PartialFile:
    """What is there, and by what the rest is known to be of the same file.

    `validator` is the server's strong ETag, `length` that of the whole file where the server told it; `missing` is in
    order, without overlaps, and empty for a file that is complete.
    """

    validator: str
    length: int | None
    missing: tuple[ByteRange, ...]

    @property
    def received(self) -> int:
        """How many bytes are there."""
        return received(self.missing, self.length)

    def present(self) -> tuple[ByteRange, ...]:
        """List what is there, in order."""
        edges = [0, *(edge for span in self.missing for edge in (span.start, span.stop)), self.length]
        pairs = zip(edges[::2], edges[1::2], strict=False)
        return tuple(
            ByteRange(start=start, stop=stop)
            for start, stop in pairs
            if start is not None and stop is not None and start < stop
        )

    @property
    def end(self) -> int:
        """The end of the last byte that is there: a file that is shorter has lost some."""
        if not self.missing:
            return self.length or 0
        last = self.missing[-1]
        return last.start if last.stop in (None, self.length) else self.length or 0


def received(missing: tuple[ByteRange, ...], length: int | None) -> int:
    """Count what is there of a file; where nobody knows where its last missing span ends, all before that is there."""
    if missing and missing[-1].stop is None:
        return missing[-1].start
    return (length or 0) - sum(span.length or 0 for span in missing)


def written(missing: Iterable[ByteRange]) -> str:
    """Write spans as text: `0-100,200-`, each up to before its second number."""
    return ",".join(f"{span.start}-{'' if span.stop is None else span.stop}" for span in missing)


def read(text: str) -> tuple[ByteRange, ...]:
    """Read what `written` wrote. Raises ValueError."""
    spans = [part.split("-") for part in text.split(",")] if text else []
    return tuple(ByteRange(start=int(start), stop=int(stop) if stop else None) for start, stop in spans)
