"""The journal's file itself: made, opened, and written again if it has vanished."""

from __future__ import annotations

import os
import secrets
import sqlite3
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING

from suno_wav_cli.journal.migrations import bring_up_to_date
from suno_wav_cli.system.atomic_file import rename_unless_taken, sync_folder
from suno_wav_cli.system.private_files import close_to_others, refuse_link

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUSY_SECONDS = 5.0
"""How long to wait for another program. The event loop waits too; a change takes under 1 ms."""


def has_log(path: Path) -> bool:
    """Tell whether a log with changes is there. SQLite would apply it to any new journal."""
    log = _log_of(path)
    return log.exists() and log.stat().st_size > 0


def create(path: Path) -> None:
    """Make a journal under another name, and rename it: a new journal is never an empty file.

    Raise OSError or sqlite3.Error.
    """
    # Another program may have been quicker.
    with suppress(FileExistsError), _unfinished(path) as made:
        made.execute("PRAGMA journal_mode = WAL")
        bring_up_to_date(made)


def write_again(connection: sqlite3.Connection, path: Path) -> None:
    """Write an open journal, whose file has vanished, to `path` again. This closes it.

    Raise OSError, also if another file has taken the name, or sqlite3.Error.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _unfinished(path) as made:
        connection.backup(made)
        connection.close()
        if path.exists():
            raise FileExistsError(f"{path} exists")
        # The copy has all of the old log. SQLite would apply it to the new file once more.
        _log_of(path).unlink(missing_ok=True)


def connect(path: Path, options: str) -> sqlite3.Connection:
    """Open a file that is there, for this user alone. Raise OSError for a link, or sqlite3.Error."""
    refuse_link(path)
    for ending in ("", "-wal", "-shm"):
        # They may be of an earlier version. In a folder that cannot be written to, they stay so.
        with suppress(OSError):
            close_to_others(path.with_name(path.name + ending))
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?{options}", uri=True, isolation_level=None, timeout=BUSY_SECONDS
    )


@contextmanager
def _unfinished(path: Path) -> Iterator[sqlite3.Connection]:
    """Yield a new database, which gets its name after the block. Raise FileExistsError if that is taken."""
    unfinished = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        # SQLite gives its logs the permissions of the journal.
        os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with closing(sqlite3.connect(unfinished, isolation_level=None)) as made:
            made.execute("PRAGMA synchronous = FULL")
            yield made
        rename_unless_taken(unfinished, path)
        sync_folder(path.parent)
    finally:
        unfinished.unlink(missing_ok=True)


def _log_of(path: Path) -> Path:
    return path.with_name(path.name + "-wal")
