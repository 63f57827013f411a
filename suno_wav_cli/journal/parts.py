"""What is in each `.part`, so that another run can continue it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from suno_wav_cli.holding import Holding, read, written
from suno_wav_cli.journal.database import stored

if TYPE_CHECKING:
    from pathlib import Path

    from suno_wav_cli.entries import Entry
    from suno_wav_cli.journal.database import Database


class Parts:
    """Every method raises UsageError where the journal cannot be used."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def holding(self, path: Path, entry: Entry, inode: int) -> Holding | None:
        """Tell what of this conversion's file is in the `.part`; None where it is of another one, or not known."""
        rows = self._database.rows(
            "SELECT validator, length, missing FROM part WHERE path = ? AND conversion = ? AND inode = ?",
            stored(path),
            entry.id,
            str(inode),
        )
        if not rows:
            return None
        validator, length, missing = rows[0]
        return Holding(validator, length, read(missing))

    def keep(self, path: Path, entry: Entry, inode: int, holding: Holding) -> None:
        """Record what is safe on the disk."""
        self._database.execute(
            "INSERT OR REPLACE INTO part VALUES (?, ?, ?, ?, ?, ?)",
            stored(path),
            entry.id,
            # Of 64 bits without a sign, which SQLite does not have.
            str(inode),
            holding.validator,
            holding.length,
            written(holding.missing),
        )

    def forget(self, path: Path) -> None:
        """Record that the `.part` is to be begun anew, or is none any more."""
        self._database.execute("DELETE FROM part WHERE path = ?", stored(path))
