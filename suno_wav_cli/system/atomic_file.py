"""Give files their names so that they appear whole or not at all."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def write_atomically(path: Path, content: bytes, mode: int, *, replace: bool = True) -> None:
    """Create or replace a file, with `mode` (less the umask) from the start.

    Without `replace`, raise FileExistsError if the name is taken. Raise OSError.
    """
    unfinished = path.with_name(f".{secrets.token_hex(8)}.tmp")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            unfinished.replace(path)
        else:
            rename_unless_taken(unfinished, path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def rename_unless_taken(source: Path, target: Path) -> None:
    """Rename a file, but replace no other. Raise FileExistsError, or another OSError."""
    try:
        # A hard link fails where the name is taken, even if another program took it this instant.
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:
        # A file system without hard links.
        if target.exists():
            raise FileExistsError(f"{target} exists") from None
        source.rename(target)
    else:
        source.unlink()


def sync_folder(folder: Path) -> None:
    """Make a new name survive a power cut, if the system opens folders (Windows does not)."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
