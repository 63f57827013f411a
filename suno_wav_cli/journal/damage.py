"""What to do about a damaged journal: save what SQLite's own program can still read of it."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from suno_wav_cli.system.shell_words import say_how_by_pipe

if TYPE_CHECKING:
    from pathlib import Path

_DAMAGED = "It is damaged, and was not touched. Without it, songs that were paid for are not known and would be paid for again."

_MAGIC = b"SQLite format 3\0"
_VERSION = slice(60, 64)
"""Where the header of an SQLite file has its `user_version`."""


def advise_on_damage(path: Path | None) -> str:
    """Return the remedy for a damaged journal.

    `.dump` is in every build of sqlite3, and `.recover` is not. It passes over what cannot be read, and would
    take everything back at its end; and it leaves out the version, without which the file cannot be opened as a journal.
    """
    version = 0 if path is None else _read_version(path)
    if not version or os.name == "nt":
        return f"{_DAMAGED} Put an earlier copy in its place."
    return say_how_by_pipe(
        f"{_DAMAGED} Save what can be read to a new file, and put that in its place",
        ("sqlite3", "-readonly", str(path), ".dump"),
        ("sed", "s/^ROLLBACK; -- due to errors$/COMMIT;/"),
        ("sqlite3", "-cmd", f"PRAGMA user_version = {version}", f"{path}.recovered"),
    )


def _read_version(path: Path) -> int:
    """Return 0 if the file has no version."""
    with suppress(OSError), path.open("rb") as file:
        head = file.read(_VERSION.stop)
        if head.startswith(_MAGIC):
            return int.from_bytes(head[_VERSION], "big")
    return 0
