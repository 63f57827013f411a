"""The journal's file, and the errors that it can cause.

SQLite in WAL mode with `synchronous=FULL`: a change that has returned survives a crash and a power
cut. Every change is one transaction, so two processes never see half of one.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from suno_wav_cli.errors import JournalUnusable
from suno_wav_cli.journal.entry import JournalEntry, State
from suno_wav_cli.journal.migrations import SCHEMA_VERSION, bring_up_to_date, version_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_BUSY_SECONDS = 5.0
"""How long to wait for another program. The event loop waits too; a change takes under 1 ms."""

_ENTRIES = (
    "SELECT *, (SELECT title FROM track WHERE track.audio_id = conversion.audio_id) AS title FROM conversion"
)


class Database:
    """An open journal. Every method raises UsageError if the file cannot be used."""

    def __init__(self, connection: sqlite3.Connection, path: Path | None) -> None:
        self._connection = connection
        self._path = path

    def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        try:
            return self._connection.execute(statement, values)
        except sqlite3.Error as error:
            raise _unusable(self._path, error) from error

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        cursor = self.execute(statement, *values)
        try:
            return [tuple(row) for row in cursor]
        except sqlite3.Error as error:
            raise _unusable(self._path, error) from error

    def entries(self, where: str, *values: Any) -> list[JournalEntry]:
        """Find conversions. `where` is the SQL after WHERE, without values."""
        cursor = self.execute(f"{_ENTRIES} WHERE {where}", *values)
        try:
            return [_entry(row) for row in cursor]
        except (sqlite3.Error, TypeError, ValueError, ArithmeticError) as error:
            raise _unusable(self._path, error) from error

    def entry(self, where: str, *values: Any) -> JournalEntry | None:
        """Find the first of those conversions."""
        found = self.entries(f"{where} LIMIT 1", *values)
        return found[0] if found else None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            self._connection.rollback()
            raise


@contextmanager
def open_database(path: Path | None) -> Iterator[Database]:
    """Open the journal at `path`, or make it. None keeps it in memory. Raise UsageError."""
    try:
        if path is not None:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        connection = sqlite3.connect(path or ":memory:", isolation_level=None, timeout=_BUSY_SECONDS)
    except (OSError, sqlite3.Error) as error:
        raise _unusable(path, error) from error
    with closing(connection):
        connection.row_factory = sqlite3.Row
        try:
            _write_ahead(connection)
            bring_up_to_date(connection)
        except sqlite3.Error as error:
            raise _unusable(path, error) from error
        yield Database(connection, path)


@contextmanager
def open_for_reading(path: Path) -> Iterator[Database | None]:
    """Open the journal without changing it. Yield None if it is missing or of an earlier version.

    Raise UsageError.
    """
    try:
        there = path.exists()
    except OSError as error:
        raise _unusable(path, error) from error
    if not there:
        yield None
        return
    # In a folder that is not writable, SQLite cannot make the files that WAL needs.
    options = "mode=ro" if os.access(path.parent, os.W_OK) else "mode=ro&immutable=1"
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?{options}", uri=True, isolation_level=None, timeout=_BUSY_SECONDS
        )
    except sqlite3.Error as error:
        raise _unusable(path, error) from error
    with closing(connection):
        connection.row_factory = sqlite3.Row
        try:
            current = version_of(connection) == SCHEMA_VERSION
        except sqlite3.Error as error:
            raise _unusable(path, error) from error
        yield Database(connection, path) if current else None


def stored(path: Path | None) -> bytes | None:
    """Return a path as the file holds it: bytes, because a name need not be text."""
    return None if path is None else os.fsencode(path.absolute())


def loaded(path: bytes) -> Path:
    return Path(os.fsdecode(path))


def _write_ahead(connection: sqlite3.Connection) -> None:
    # Programs that start at once on a new file collide here, and SQLite does not wait by itself.
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
    connection.execute("PRAGMA synchronous = FULL")


def _entry(row: sqlite3.Row) -> JournalEntry:
    """Raise TypeError, ValueError or ArithmeticError for a row that is not of this schema."""
    fields = dict(row)
    target, credits_before = fields["target"], fields["credits_before"]
    return JournalEntry(
        **fields
        | {
            "state": State(fields["state"]),
            "target": loaded(target) if target else None,
            "credits_before": None if credits_before is None else Decimal(credits_before),
        }
    )


def _unusable(path: Path | None, error: Exception) -> JournalUnusable:
    message = f"the journal {path} cannot be used: {error}"
    if isinstance(error, OSError | sqlite3.OperationalError):
        # The folder, its permissions, the disk or another program, not the content of the file.
        return JournalUnusable(
            message, "Repair the file or folder, or name another one: SUNO_WAV_HOME=FOLDER"
        )
    return JournalUnusable(
        message,
        f"It is damaged, and was not touched. To save what can be read: sqlite3 {path} .recover | sqlite3 NEW; then put "
        "NEW in its place. Without it, songs that were paid for are not known and would be paid for again.",
    )
