"""What is in each `.part`, so that another run can continue it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from suno_wav_cli.journal.database import stored
from suno_wav_cli.journal.holding import PartialFile, read, written

if TYPE_CHECKING:
    from pathlib import Path

    from suno_wav_cli.journal.database import Database
    from suno_wav_cli.journal.entry import JournalEntry


class Parts:
    """Every method raises UsageError where the journal cannot be used."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def holding(self, path: Path, entry: JournalEntry) -> tuple[PartialFile, str] | None:
        """Tell what of this conversion's file should be in the `.part`, and the evidence of it; None where nobody knows."""
        rows = self._database.rows(
            "SELECT validator, length, missing, evidence FROM part WHERE path = ? AND conversion = ?",
            stored(path),
            entry.id,
        )
        if not rows:
            return None
        validator, length, missing, evidence = rows[0]
        return PartialFile(validator=validator, length=length, missing=read(missing)), evidence

    def keep(self, path: Path, entry: JournalEntry, holding: PartialFile, evidence: str) -> None:
        """Record what is safe on the disk, and by what it is known again."""
        self._database.execute(
            "INSERT OR REPLACE INTO part VALUES (?, ?, ?, ?, ?, ?)",
            stored(path),
            entry.id,
            holding.validator,
            holding.length,
            written(holding.missing),
            evidence,
        )

    def forget(self, path: Path) -> None:
        """Record that the `.part` is to be begun anew, or is none any more."""
        self._database.execute("DELETE FROM part WHERE path = ?", stored(path))
