"""What each part file holds, so that another run can continue it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from suno_wav_cli.errors import JournalLocked
from suno_wav_cli.journal.rows import stored

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from suno_wav_cli.journal.database import Database
    from suno_wav_cli.journal.entry import JournalEntry


@dataclass(frozen=True, kw_only=True)
class ByteRange:
    """The bytes from `start` up to `stop`. `stop` is None while the file's length is unknown."""

    start: int
    stop: int | None

    @property
    def length(self) -> int | None:
        return None if self.stop is None else self.stop - self.start


@dataclass(frozen=True, kw_only=True)
class PartialFile:
    """The bytes of a file that have arrived, and what proves that the rest is of the same file.

    `validator` is the server's strong ETag. `length` is that of the whole file, None if the server
    did not say. `missing` is in order and without overlaps, and empty for a complete file.
    """

    validator: str
    length: int | None
    missing: tuple[ByteRange, ...]

    @property
    def received(self) -> int:
        """The number of bytes that have arrived."""
        return count_received(self.missing, self.length)

    @property
    def present(self) -> tuple[ByteRange, ...]:
        """The ranges that have arrived, in order."""
        edges = [0, *(edge for gap in self.missing for edge in (gap.start, gap.stop)), self.length]
        pairs = zip(edges[::2], edges[1::2], strict=False)
        return tuple(
            ByteRange(start=start, stop=stop)
            for start, stop in pairs
            if start is not None and stop is not None and start < stop
        )

    @property
    def end(self) -> int:
        """The end of the last byte that has arrived. A shorter part file has lost some."""
        if not self.missing:
            return self.length or 0
        last = self.missing[-1]
        return last.start if last.stop in (None, self.length) else self.length or 0


class Parts:
    """The journal's table of part files. Every method raises UsageError if the journal fails."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, path: Path, entry: JournalEntry) -> tuple[PartialFile, str] | None:
        """Return what this conversion left in the part file, and the fingerprint of its bytes."""
        rows = self._database.rows(
            "SELECT validator, length, missing, evidence FROM part WHERE path = ? AND conversion = ?",
            stored(path),
            entry.id,
        )
        if not rows:
            return None
        validator, length, missing, fingerprint = rows[0]
        partial = PartialFile(validator=validator, length=length, missing=parse_ranges(missing))
        return partial, fingerprint

    def keep(self, path: Path, entry: JournalEntry, partial: PartialFile, fingerprint: str) -> None:
        """Record what is safe on the disk, unless another program is writing to the journal."""
        # What stands there is true as well: it tells of fewer bytes. So a power cut may undo it, too.
        with suppress(JournalLocked), self._database.without_waiting(), self._database.without_sync():
            self._database.change(
                "INSERT OR REPLACE INTO part VALUES (?, ?, ?, ?, ?, ?)",
                stored(path),
                entry.id,
                partial.validator,
                partial.length,
                format_ranges(partial.missing),
                fingerprint,
            )

    def forget(self, path: Path) -> None:
        """Record that the part file starts over: then the disk must know it first."""
        self._database.change("DELETE FROM part WHERE path = ?", stored(path))

    def forget_renamed(self, path: Path) -> None:
        """Record that the part file is gone. Its row alone, after a power cut, claims bytes that are not there."""
        with self._database.without_sync():
            self.forget(path)


def count_received(missing: tuple[ByteRange, ...], length: int | None) -> int:
    """Count the bytes that have arrived: with an open end, all up to the last range."""
    if missing and missing[-1].stop is None:
        return missing[-1].start
    return (length or 0) - sum(gap.length or 0 for gap in missing)


def format_ranges(ranges: Iterable[ByteRange]) -> str:
    """Write ranges as text: `0-100,200-`, where each second number is excluded."""
    return ",".join(f"{one.start}-{'' if one.stop is None else one.stop}" for one in ranges)


def parse_ranges(text: str) -> tuple[ByteRange, ...]:
    """Read what `format_ranges` wrote. Raise ValueError for anything else."""
    pairs = [part.split("-") for part in text.split(",")] if text else []
    return tuple(ByteRange(start=int(start), stop=int(stop) if stop else None) for start, stop in pairs)
