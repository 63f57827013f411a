"""What was paid for and where it stands, on disk before the next step is taken.

SQLite in WAL mode with `synchronous=FULL`: a change that returned survives a crash and a power cut. Every change is
one transaction, so that two processes never see half of one.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from suno_wav_cli.entries import NEXT_STATES, Entry, State
from suno_wav_cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from suno_wav_cli.models import Song

SCHEMA_VERSION = 1

_BUSY_SECONDS = 5.0
"""How long another program may hold the journal. The event loop stands still meanwhile; a change takes under 1 ms."""

_SCHEMA = """
CREATE TABLE conversion (
    id            INTEGER PRIMARY KEY,
    service       TEXT NOT NULL,
    audio_id      TEXT,
    music_task_id TEXT,
    wav_task_id   TEXT,
    state         TEXT NOT NULL,
    target        BLOB,
    wav_url       TEXT,
    bytes         INTEGER,
    message       TEXT,
    created       REAL NOT NULL,
    updated       REAL NOT NULL
);
CREATE UNIQUE INDEX one_row_a_task ON conversion (service, wav_task_id);
CREATE INDEX conversions_of_a_song ON conversion (service, audio_id, id);
CREATE INDEX music_task_of_a_song ON conversion (audio_id, id) WHERE music_task_id IS NOT NULL;
CREATE INDEX conversions_to_a_target ON conversion (target);
"""


@dataclass(frozen=True)
class Claim:
    """The conversion that decides about a song: one to be paid for now, where it is `new`, or an earlier one."""

    entry: Entry
    new: bool


class Journal:
    """The conversions of one service. Made by `open_journal`."""

    def __init__(self, connection: sqlite3.Connection, path: Path | None, service: str) -> None:
        self._connection = connection
        self._path = path
        self._service = service

    def deciding(self, audio_id: str) -> Entry | None:
        """Find the song's newest conversion that was, or may have been, paid for and has not failed."""
        return self._one(
            "service = ? AND audio_id = ? AND state NOT IN ('refused', 'failed') ORDER BY id DESC LIMIT 1",
            self._service,
            audio_id,
        )

    def of_task(self, wav_task_id: str) -> Entry | None:
        return self._one("service = ? AND wav_task_id = ?", self._service, wav_task_id)

    def newest_task_of(self, audio_id: str) -> Entry | None:
        """Find the song's last conversion that the service gave an id."""
        return self._one(
            "service = ? AND audio_id = ? AND wav_task_id IS NOT NULL ORDER BY id DESC LIMIT 1",
            self._service,
            audio_id,
        )

    def music_task_of(self, audio_id: str) -> str | None:
        """Tell the music task that an earlier conversion of the song named, on whichever service."""
        entry = self._one("audio_id = ? AND music_task_id IS NOT NULL ORDER BY id DESC LIMIT 1", audio_id)
        return entry.music_task_id if entry else None

    def has_target(self, target: Path) -> bool:
        """Tell whether a download to this file was ever begun."""
        return self._one("target = ? AND wav_url IS NOT NULL LIMIT 1", _stored(target)) is not None

    def claim(self, song: Song, target: Path, *, anyway: bool) -> Claim:
        """Record that a paid request is about to leave, unless an earlier conversion decides about the song.

        One transaction: of two programs that want a song at the same moment, one may pay. With `anyway` nothing earlier
        decides.
        """
        with self._transaction():
            known = None if anyway else self.deciding(song.audio_id)
            if known is not None:
                return Claim(known, new=False)
            entry = self._insert(song.audio_id, State.SUBMITTING, target, music_task_id=song.music_task_id)
            return Claim(entry, new=True)

    def accept(self, entry: Entry, wav_task_id: str) -> Entry:
        """Record the id that the service gave the conversion; where another one has it already, that one."""
        with self._transaction():
            known = self.of_task(wav_task_id)
            if known is None:
                return self.move(entry, State.SUBMITTED, wav_task_id=wav_task_id)
            self.move(entry, State.REFUSED, message=f"the service named task {wav_task_id}, which is known")
            return known

    def adopt(self, wav_task_id: str, audio_id: str | None, target: Path | None) -> Entry:
        """Record a task that this machine did not submit, where it is not known already."""
        with self._transaction():
            known = self.of_task(wav_task_id)
            return known or self._insert(audio_id, State.SUBMITTED, target, wav_task_id=wav_task_id)

    def move(
        self,
        entry: Entry,
        state: State,
        *,
        wav_task_id: str | None = None,
        target: Path | None = None,
        wav_url: str | None = None,
        size: int | None = None,
        message: str | None = None,
    ) -> Entry:
        """Change the state, and of the rest what is given; a new target has no size until one is given.

        A step that NEXT_STATES does not have is a bug.
        """
        if state not in NEXT_STATES[entry.state]:
            raise AssertionError(f"a conversion cannot go from {entry.state} to {state}")
        self._execute(
            "UPDATE conversion SET state = ?, updated = ?, message = ?, wav_task_id = coalesce(?, wav_task_id), "
            "target = coalesce(?, target), wav_url = coalesce(?, wav_url), bytes = coalesce(?, CASE WHEN ? IS NULL THEN bytes END) WHERE id = ?",
            state,
            time.time(),
            message,
            wav_task_id,
            _stored(target),
            wav_url,
            size,
            _stored(target),
            entry.id,
        )
        return self._by_id(entry.id)

    def recognises(self, entry: Entry, target: Path) -> bool:
        """Tell whether the file at `target` is this conversion's, whole.

        A crash between the file's last rename and the journal's next line leaves READY with the whole file's size.
        """
        if (
            entry.state not in (State.READY, State.SAVED)
            or entry.bytes is None
            or entry.target != target.absolute()
        ):
            return False
        if not target.is_file() or target.stat().st_size != entry.bytes:
            return False
        if entry.state is State.READY:
            self.move(entry, State.SAVED)
        return True

    def _insert(
        self,
        audio_id: str | None,
        state: State,
        target: Path | None,
        *,
        music_task_id: str | None = None,
        wav_task_id: str | None = None,
    ) -> Entry:
        now = time.time()
        cursor = self._execute(
            "INSERT INTO conversion (service, audio_id, music_task_id, wav_task_id, state, target, created, updated) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            self._service,
            audio_id,
            music_task_id,
            wav_task_id,
            state,
            _stored(target),
            now,
            now,
        )
        return self._by_id(cursor.lastrowid)

    def _by_id(self, row_id: int | None) -> Entry:
        entry = self._one("id = ?", row_id)
        if entry is None:
            raise AssertionError(f"row {row_id} was written and is not there")
        return entry

    def _one(self, where: str, *values: Any) -> Entry | None:
        # `where` is always one of the literals above.
        cursor = self._execute(f"SELECT * FROM conversion WHERE {where}", *values)  # noqa: S608
        try:
            row = cursor.fetchone()
            return None if row is None else _entry(row)
        except (sqlite3.Error, TypeError, ValueError) as error:
            raise _unusable(self._path, error) from error

    def _execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        try:
            return self._connection.execute(statement, values)
        except sqlite3.Error as error:
            raise _unusable(self._path, error) from error

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._execute("BEGIN IMMEDIATE")
        try:
            yield
            self._execute("COMMIT")
        except BaseException:
            self._connection.rollback()
            raise


@contextmanager
def open_journal(path: Path | None, service: str) -> Iterator[Journal]:
    """Open, and make where there is none, the journal at `path`; None keeps it in memory.

    Raises UsageError where the file or its folder cannot be used, as every method of the Journal does.
    """
    try:
        if path is not None:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        connection = sqlite3.connect(path or ":memory:", isolation_level=None, timeout=_BUSY_SECONDS)
    except (OSError, sqlite3.Error) as error:
        raise _unusable(path, error) from error
    with closing(connection):
        connection.row_factory = sqlite3.Row
        try:
            _prepare(connection)
        except sqlite3.Error as error:
            raise _unusable(path, error) from error
        yield Journal(connection, path, service)


def _prepare(connection: sqlite3.Connection) -> None:
    # Programs that start at once on a new file get in each other's way here, and SQLite does not wait by itself.
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
    # Read inside the transaction: another program may be making the tables.
    connection.execute("BEGIN IMMEDIATE")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > SCHEMA_VERSION:
        raise UsageError(
            "the journal was written by a newer suno-wav",
            "Upgrade suno-wav, or name another folder: SUNO_WAV_HOME=FOLDER",
        )
    if version == 0:
        for statement in _SCHEMA.split(";\n"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("COMMIT")


def _entry(row: sqlite3.Row) -> Entry:
    """Raises TypeError or ValueError for a row that is not of this schema."""
    fields = dict(row)
    target = fields.pop("target")
    return Entry(
        **fields | {"state": State(fields["state"]), "target": Path(os.fsdecode(target)) if target else None}
    )


def _stored(path: Path | None) -> bytes | None:
    # As bytes, because a name need not be text.
    return None if path is None else os.fsencode(path.absolute())


def _unusable(path: Path | None, error: Exception) -> UsageError:
    return UsageError(
        f"the journal {path} cannot be used: {error}",
        "Mend the file or folder, or name another one: SUNO_WAV_HOME=FOLDER",
    )
