"""What was paid for and where it stands, on disk before the next step is taken.

SQLite in WAL mode with `synchronous=FULL`: a change that returned survives a crash and a power cut. Every change is
one transaction, so that two processes never see half of one.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from suno_wav_cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from suno_wav_cli.models import Song

SCHEMA_VERSION = 1

_SCHEMA = """
CREATE TABLE conversion (
    id            INTEGER PRIMARY KEY,
    service       TEXT NOT NULL,
    audio_id      TEXT,
    music_task_id TEXT,
    wav_task_id   TEXT,
    state         TEXT NOT NULL,
    target        TEXT,
    wav_url       TEXT,
    bytes         INTEGER,
    message       TEXT,
    created       REAL NOT NULL,
    updated       REAL NOT NULL
) STRICT;
CREATE UNIQUE INDEX one_open_conversion_a_song ON conversion (service, audio_id)
    WHERE state IN ('submitting', 'unknown', 'submitted', 'ready');
CREATE UNIQUE INDEX one_row_a_task ON conversion (service, wav_task_id);
CREATE INDEX newest_of_a_song ON conversion (service, audio_id, id);
CREATE INDEX music_task_of_a_song ON conversion (audio_id) WHERE music_task_id IS NOT NULL;
"""


class State(StrEnum):
    SUBMITTING = "submitting"
    """The paid request may be on its way. Found after a crash, this means: outcome unknown."""
    UNKNOWN = "unknown"
    """The paid request left and its answer was lost."""
    REFUSED = "refused"
    """Certainly not accepted, and so not paid for."""
    SUBMITTED = "submitted"
    READY = "ready"
    """The service has made the file."""
    SAVED = "saved"
    FAILED = "failed"
    """Accepted, and the service could not make the file."""
    ABANDONED = "abandoned"
    """Given up by the person, who asked for a new submission."""


NEXT_STATES: dict[State, frozenset[State]] = {
    State.SUBMITTING: frozenset({State.SUBMITTED, State.REFUSED, State.UNKNOWN, State.ABANDONED}),
    State.UNKNOWN: frozenset({State.SUBMITTED, State.ABANDONED}),
    State.REFUSED: frozenset({State.SUBMITTING}),
    State.SUBMITTED: frozenset({State.READY, State.FAILED, State.ABANDONED}),
    State.READY: frozenset({State.READY, State.SAVED, State.ABANDONED}),
    State.SAVED: frozenset({State.READY, State.FAILED, State.ABANDONED}),
    State.FAILED: frozenset({State.READY, State.FAILED}),
    State.ABANDONED: frozenset({State.READY, State.FAILED}),
}
"""SAVED, FAILED and ABANDONED are left again only because the service was asked about the same task anew."""

UNDECIDED = frozenset({State.SUBMITTING, State.UNKNOWN})
UNFINISHED = frozenset({State.SUBMITTED, State.READY})


@dataclass(frozen=True)
class Entry:
    """One conversion. `service` is the API's base URL; `created` and `updated` are seconds since 1970, UTC."""

    id: int
    service: str
    audio_id: str | None
    music_task_id: str | None
    wav_task_id: str | None
    state: State
    target: Path | None
    wav_url: str | None
    bytes: int | None
    message: str | None
    created: float
    updated: float

    @property
    def name(self) -> str:
        """What a person knows it by: the song, else the task."""
        return self.audio_id or self.wav_task_id or ""


class Journal:
    """The conversions of one service. Made by `open_journal`."""

    def __init__(self, connection: sqlite3.Connection, service: str) -> None:
        self._connection = connection
        self._service = service

    def newest(self, audio_id: str) -> Entry | None:
        return self._one("service = ? AND audio_id = ? ORDER BY id DESC LIMIT 1", self._service, audio_id)

    def of_task(self, wav_task_id: str) -> Entry | None:
        return self._one("service = ? AND wav_task_id = ?", self._service, wav_task_id)

    def music_task_of(self, audio_id: str) -> str | None:
        """Tell the music task that an earlier conversion of the song named, on whichever service."""
        entry = self._one("audio_id = ? AND music_task_id IS NOT NULL ORDER BY id DESC LIMIT 1", audio_id)
        return entry.music_task_id if entry else None

    def newest_task_of(self, audio_id: str) -> Entry | None:
        """Find the song's last conversion that the service gave an id."""
        return self._one(
            "service = ? AND audio_id = ? AND wav_task_id IS NOT NULL ORDER BY id DESC LIMIT 1",
            self._service,
            audio_id,
        )

    def intend(self, song: Song, target: Path) -> Entry | None:
        """Record that a paid request is about to leave; None where the song has an open conversion already."""
        newest = self.newest(song.audio_id)
        try:
            if newest is not None and newest.state is State.REFUSED:
                return self.move(newest, State.SUBMITTING, target=target)
            return self._insert(song.audio_id, State.SUBMITTING, target, music_task_id=song.music_task_id)
        except sqlite3.IntegrityError:
            return None

    def adopt(self, wav_task_id: str, audio_id: str | None, target: Path | None) -> Entry:
        """Record a task that this machine did not submit."""
        try:
            return self._insert(audio_id, State.SUBMITTED, target, wav_task_id=wav_task_id)
        except sqlite3.IntegrityError:
            # The song has an open conversion beside this one; only that one may answer for it.
            return self._insert(None, State.SUBMITTED, target, wav_task_id=wav_task_id)

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
        """Change the state, and of the rest what is given. A step that NEXT_STATES does not have is a bug."""
        if state not in NEXT_STATES[entry.state]:
            raise AssertionError(f"a conversion cannot go from {entry.state} to {state}")
        self._execute(
            "UPDATE conversion SET state = ?, updated = ?, message = ?, wav_task_id = coalesce(?, wav_task_id), "
            "target = coalesce(?, target), wav_url = coalesce(?, wav_url), bytes = coalesce(?, bytes) WHERE id = ?",
            (state, time.time(), message, wav_task_id, _stored(target), wav_url, size, entry.id),
        )
        return self._by_id(entry.id)

    def confirms(self, entry: Entry, target: Path) -> bool:
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
            (self._service, audio_id, music_task_id, wav_task_id, state, _stored(target), now, now),
        )
        return self._by_id(cursor.lastrowid)

    def _by_id(self, row_id: int | None) -> Entry:
        entry = self._one("id = ?", row_id)
        if entry is None:
            raise AssertionError(f"row {row_id} was written and is not there")
        return entry

    def _one(self, where: str, *values: Any) -> Entry | None:
        # `where` is always one of the literals above.
        row = self._execute(f"SELECT * FROM conversion WHERE {where}", values).fetchone()  # noqa: S608
        return None if row is None else _entry(row)

    def _execute(self, statement: str, values: tuple[Any, ...]) -> sqlite3.Cursor:
        return self._connection.execute(statement, values)


@contextmanager
def open_journal(path: Path | None, service: str) -> Iterator[Journal]:
    """Open, and make where there is none, the journal at `path`; None keeps it in memory.

    Raises UsageError where the file or its folder cannot be used.
    """
    try:
        if path is not None:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        connection = sqlite3.connect(path or ":memory:", isolation_level=None, timeout=10.0)
    except (OSError, sqlite3.Error) as error:
        raise _unusable(path, error) from error
    with closing(connection):
        connection.row_factory = sqlite3.Row
        try:
            _prepare(connection)
            yield Journal(connection, service)
        except (sqlite3.OperationalError, sqlite3.DatabaseError) as error:
            raise _unusable(path, error) from error


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    # The version is read again inside the transaction: two programs may start on the same empty file.
    connection.execute("BEGIN IMMEDIATE")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > SCHEMA_VERSION:
        connection.execute("ROLLBACK")
        raise UsageError(
            "the journal was written by a newer suno-wav",
            "Upgrade suno-wav, or name another folder: SUNO_WAV_HOME",
        )
    if version == 0:
        for statement in _SCHEMA.split(";\n"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("COMMIT")


def _entry(row: sqlite3.Row) -> Entry:
    fields = dict(row)
    target = fields.pop("target")
    return Entry(**fields | {"state": State(fields["state"]), "target": Path(target) if target else None})


def _stored(path: Path | None) -> str | None:
    return None if path is None else str(path.absolute())


def _unusable(path: Path | None, error: Exception) -> UsageError:
    return UsageError(
        f"the journal {path} cannot be used: {error}",
        "Nothing is submitted without it. Mend the file or folder, or name another one: SUNO_WAV_HOME=FOLDER",
    )
