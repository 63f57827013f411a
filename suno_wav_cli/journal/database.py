"""The journal's file, and the errors that it can cause.

SQLite in WAL mode with `synchronous=FULL`: a change that has returned survives a crash and a power
cut. Every change is one transaction, so two processes never see half of one.

What the next run would find out by itself is written `without_sync`: it survives a crash of the
program too, and a power cut may undo it. Changes are undone in order, the last ones first, and none
that came before one with FULL: what is known before a payment and before a rename is safe.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from suno_wav_cli.errors import JournalLocked, JournalLost, JournalUnusable
from suno_wav_cli.journal.damage import advise_on_damage
from suno_wav_cli.journal.files import BUSY_SECONDS, connect, create, has_log, write_again
from suno_wav_cli.journal.migrations import SCHEMA_VERSION, bring_up_to_date, version_of
from suno_wav_cli.journal.rows import column_of, read_entry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from suno_wav_cli.journal.entry import JournalEntry

_LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)

_ENTRIES = (
    "SELECT *, (SELECT title FROM track WHERE track.audio_id = conversion.audio_id) AS title FROM conversion"
)


class Database:
    """An open journal. Every method raises UsageError if the file cannot be used."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        path: Path | None,
        on_restored: Callable[[Path], None] | None = None,
    ) -> None:
        self._connection = connection
        self._path = path
        self._on_restored = on_restored
        self._file = None if path is None else _identify(path)

    def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        try:
            return self._connection.execute(statement, values)
        except sqlite3.Error as error:
            raise unusable(self._path, error) from error

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        cursor = self.execute(statement, *values)
        try:
            return [tuple(row) for row in cursor]
        except sqlite3.Error as error:
            raise unusable(self._path, error) from error

    def entries(self, where: str, *values: Any) -> list[JournalEntry]:
        """Find conversions. `where` is the SQL after WHERE, without values."""
        cursor = self.execute(f"{_ENTRIES} WHERE {where}", *values)
        try:
            return [read_entry(row) for row in cursor]
        except (sqlite3.Error, TypeError, ValueError, ArithmeticError) as error:
            raise unusable(self._path, error) from error

    def entry(self, where: str, *values: Any) -> JournalEntry | None:
        """Find the first of those conversions."""
        found = self.entries(f"{where} LIMIT 1", *values)
        return found[0] if found else None

    def change(self, statement: str, *values: Any) -> sqlite3.Cursor:
        """Execute a statement that writes. Raise JournalLost if another file has taken the journal's name."""
        # SQLite goes on with a file that was removed or renamed, and reports nothing.
        if self._path is not None and not self._connection.in_transaction:
            found = _identify(self._path)
            if found is None:
                self._restore(self._path)
            elif found != self._file:
                raise _lost(self._path)
        return self.execute(statement, *values)

    def close(self) -> None:
        self._connection.close()

    def _restore(self, path: Path) -> None:
        """Write the whole journal again, which has vanished, and go on with that file."""
        try:
            write_again(self._connection, path)
            self._connection = connect(path, "mode=rw")
            _set_up(self._connection)
        except (OSError, sqlite3.Error) as error:
            raise _lost(path) from error
        self._file = _identify(path)
        if self._on_restored is not None:
            self._on_restored(path)

    def insert(self, columns: Mapping[str, object]) -> int | None:
        """Record a new conversion. Return the number of its row."""
        names, places = ", ".join(columns), ", ".join("?" * len(columns))
        values = map(column_of, columns.values())
        return self.change(f"INSERT INTO conversion ({names}) VALUES ({places})", *values).lastrowid

    def update(self, row_id: int, columns: Mapping[str, object], *, synced: bool = True) -> None:
        """Change a conversion. Without `synced`, a power cut may undo it."""
        assignments = ", ".join(f"{name} = ?" for name in columns)
        values = map(column_of, columns.values())
        alone = not self._connection.in_transaction
        with self.without_sync() if alone and not synced else nullcontext():
            self.change(f"UPDATE conversion SET {assignments} WHERE id = ?", *values, row_id)

    @contextmanager
    def without_waiting(self) -> Iterator[None]:
        """Raise JournalLocked at once, inside the block, if another program is writing."""
        self.execute("PRAGMA busy_timeout = 0")
        try:
            yield
        finally:
            self.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000:.0f}")

    @contextmanager
    def without_sync(self) -> Iterator[None]:
        """Do not wait for the disk in the block, which must not be inside a transaction."""
        self.execute("PRAGMA synchronous = NORMAL")
        try:
            yield
        finally:
            self.execute("PRAGMA synchronous = FULL")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.change("BEGIN IMMEDIATE")
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            self._connection.rollback()
            raise


@contextmanager
def open_database(path: Path | None, on_restored: Callable[[Path], None] | None = None) -> Iterator[Database]:
    """Open the journal at `path`, or make it. None keeps it in memory. Raise UsageError.

    `on_restored` is called when it has vanished and was written again.
    """
    try:
        if path is None:
            connection = sqlite3.connect(":memory:", isolation_level=None)
            bring_up_to_date(connection)
        else:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Looked at first: while another program makes the journal, the log comes after it.
            is_left = has_log(path)
            if not path.exists():
                if is_left:
                    raise sqlite3.DatabaseError("it is gone, and only its log (-wal) is left")
                create(path)
            connection = connect(path, "mode=rw")
    except (OSError, sqlite3.Error) as error:
        raise unusable(path, error) from error
    with closing(connection):
        try:
            if version_of(connection) == 0:
                raise sqlite3.DatabaseError("it is empty")
            _set_up(connection)
            bring_up_to_date(connection)
        except sqlite3.Error as error:
            raise unusable(path, error) from error
        with closing(Database(connection, path, on_restored)) as database:
            yield database


def _set_up(connection: sqlite3.Connection) -> None:
    connection.row_factory = sqlite3.Row
    # A repaired journal may have lost this. It stays so while another program has it open.
    with suppress(sqlite3.OperationalError):
        connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")


def _lost(path: Path) -> JournalLost:
    return JournalLost(
        f"the journal {path} was replaced during this run, or vanished and could not be written again",
        "Put it back, so that what was paid for stays known.",
    )


def _identify(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from another one of its name, or None if it cannot be found."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


@contextmanager
def open_for_reading(path: Path) -> Iterator[Database | None]:
    """Open the journal without changing it. Yield None if it is missing or of an earlier version.

    Raise UsageError.
    """
    if not is_there(path):
        yield None
        return
    # In a folder that is not writable, SQLite cannot make the files that WAL needs.
    options = "mode=ro" if os.access(path.parent, os.W_OK) else "mode=ro&immutable=1"
    try:
        connection = connect(path, options)
    except (OSError, sqlite3.Error) as error:
        raise unusable(path, error) from error
    with closing(connection):
        connection.row_factory = sqlite3.Row
        try:
            current = version_of(connection) == SCHEMA_VERSION
        except sqlite3.Error as error:
            raise unusable(path, error) from error
        yield Database(connection, path) if current else None


def is_there(path: Path) -> bool:
    """Tell whether there is a journal. Raise UsageError if that cannot be seen."""
    try:
        return path.exists()
    except OSError as error:
        raise unusable(path, error) from error


def unusable(path: Path | None, error: Exception) -> JournalUnusable | JournalLocked:
    """Return the error for a journal that cannot be used, with the remedy that fits."""
    said = isinstance(error, OSError) and error.strerror
    message = f"the journal {path} cannot be used: {said or error}"
    if getattr(error, "sqlite_errorcode", 0) & 0xFF in _LOCKED:
        return JournalLocked(message, "Another program is writing to it. Wait for it, then try again.")
    if isinstance(error, OSError | sqlite3.OperationalError):
        # The folder, its permissions, the disk or another program, not the content of the file.
        return JournalUnusable(
            message, "Repair the file or folder, or name another one: SUNO_WAV_HOME=FOLDER"
        )
    damaged = JournalUnusable(message, advise_on_damage(path))
    damaged.ends_with_command = True
    return damaged
