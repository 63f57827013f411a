"""What was sent to object stores, and whether the store has it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from suno_wav_cli.journal.rows import loaded, stored

if TYPE_CHECKING:
    from pathlib import Path

    from suno_wav_cli.journal.database import Database
    from suno_wav_cli.journal.entry import JournalEntry
    from suno_wav_cli.journal.runs import Runs


@dataclass(frozen=True, kw_only=True)
class UploadRecord:
    """An upload of a conversion's file. `is_done` if the store has it whole."""

    bytes: int
    sha256: str
    is_done: bool


class Uploads:
    """The journal's table of uploads. Every method raises UsageError if the journal fails."""

    def __init__(self, database: Database, runs: Runs) -> None:
        self._database = database
        self._runs = runs

    def begin(self, entry: JournalEntry, target: Path, size: int, sha256: str, *, in_parts: bool) -> None:
        """Record that the file is about to be sent. In parts, a crash leaves them at the store."""
        run = self._runs.begin()
        with self._database.transaction():
            self._database.update(entry.id, {"bytes": size})
            self._database.execute(
                "INSERT OR REPLACE INTO upload VALUES (?, ?, ?, ?, ?, ?, ?)",
                entry.id,
                stored(target),
                size,
                sha256,
                "in parts" if in_parts else "whole",
                run,
                time.time(),
            )

    def end(self, entry: JournalEntry, target: Path) -> None:
        """Record that the store has the file: its size was checked."""
        self._database.change(
            "UPDATE upload SET state = 'done', updated = ? WHERE conversion = ? AND target = ?",
            time.time(),
            entry.id,
            stored(target),
        )

    def find(self, entry: JournalEntry, target: Path) -> UploadRecord | None:
        rows = self._database.rows(
            "SELECT bytes, sha256, state FROM upload WHERE conversion = ? AND target = ?",
            entry.id,
            stored(target),
        )
        if not rows:
            return None
        size, sha256, state = rows[0]
        return UploadRecord(bytes=size, sha256=sha256, is_done=state == "done")

    def take_left_open(self) -> list[Path]:
        """Return the objects whose parts a dead run may have left at a store, each once."""
        rows = self._database.rows("SELECT conversion, target, run FROM upload WHERE state = 'in parts'")
        left = [(row_id, target) for row_id, target, run in rows if not self._runs.is_alive(run)]
        for row_id, target in left:
            self._database.change(
                "UPDATE upload SET state = 'left open' WHERE conversion = ? AND target = ?", row_id, target
            )
        return [loaded(target) for _, target in left]
