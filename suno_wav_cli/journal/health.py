"""Look at a journal without changing anything: not its permissions, and no file beside it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from suno_wav_cli.journal.database import Database, is_there, unusable
from suno_wav_cli.journal.entry import UNDECIDED, State
from suno_wav_cli.journal.files import BUSY_SECONDS, has_log
from suno_wav_cli.journal.migrations import SCHEMA_VERSION, version_of
from suno_wav_cli.journal.queries import History, Listing
from suno_wav_cli.system.file_lock import is_held

if TYPE_CHECKING:
    from pathlib import Path

    from suno_wav_cli.journal.entry import JournalEntry


@dataclass(frozen=True, kw_only=True)
class Health:
    """What a whole journal says: how many conversions, and which of them want attention.

    `is_earlier` says that it is of an earlier version, which is not read. `undecided` are those whose
    paid request has an unknown outcome, and that no running program has just sent. `with_address` is
    the newest one with an address of its file.
    """

    total: int = 0
    is_earlier: bool = False
    undecided: tuple[JournalEntry, ...] = ()
    expiring: tuple[JournalEntry, ...] = ()
    with_address: JournalEntry | None = None


def examine_journal(path: Path, *, expires_before: float) -> Health | None:
    """Check that the journal is whole, and read it. Return None if there is none. Raise UsageError."""
    if not is_there(path):
        return None
    try:
        # Without a log it has all there is. SQLite would make one, and files for sharing it.
        options = "mode=ro" if has_log(path) else "mode=ro&immutable=1"
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?{options}", uri=True, isolation_level=None, timeout=BUSY_SECONDS
        )
    except (OSError, sqlite3.Error) as error:
        raise unusable(path, error) from error
    with closing(connection):
        connection.row_factory = sqlite3.Row
        try:
            version = version_of(connection)
            if version == 0:
                raise sqlite3.DatabaseError("it is empty")
            (damage,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if damage != "ok":
                raise sqlite3.DatabaseError(damage)
        except sqlite3.Error as error:
            raise unusable(path, error) from error
        if version != SCHEMA_VERSION:
            return Health(is_earlier=True)
        return _read(History(Database(connection, path)), path, expires_before)


def _read(history: History, path: Path, expires_before: float) -> Health:
    undecided = (entry for entry in history.to_resume() if entry.state in UNDECIDED)
    return Health(
        total=history.listed(Listing.ALL, limit=0).total,
        undecided=tuple(entry for entry in undecided if not _is_being_sent(entry, path)),
        expiring=tuple(history.listed(Listing.EXPIRING, before=expires_before).entries),
        with_address=history.newest_with_address(),
    )


def _is_being_sent(entry: JournalEntry, path: Path) -> bool:
    run = entry.run
    return entry.state is State.SUBMITTING and run is not None and is_held(path.parent / "runs" / run)
