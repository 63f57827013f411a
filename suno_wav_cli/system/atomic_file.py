"""Give files their names so that they appear whole or not at all."""

from __future__ import annotations

import os
import secrets
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_SHARING_VIOLATIONS = (5, 32, 33)
"""What Windows calls access denied, a sharing violation and a lock violation."""

_SHARING_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8)
"""Seconds."""


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
            sync_file(file.fileno())
        if replace:
            when_not_shared(lambda: unfinished.replace(path))
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
        when_not_shared(lambda: source.rename(target))
    else:
        when_not_shared(source.unlink)


def sync_file(descriptor: int) -> None:
    """Store a file's bytes on the disk for good. Raise OSError.

    On macOS, `fsync` leaves them in the disk's own memory, which a power cut empties.
    """
    if sys.platform == "darwin":
        # Some file systems, such as those in a network, do not have it.
        with suppress(OSError):
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
            return
    os.fsync(descriptor)


def when_not_shared(action: Callable[[], object], *, pauses: Sequence[float] = _SHARING_PAUSES) -> None:
    """Rename or remove a file, if need be again after `pauses`. Raise OSError.

    On Windows, virus scanners and indexers open new files for a moment, which keeps their names.
    """
    for pause in pauses:
        try:
            action()
        except OSError as error:
            if getattr(error, "winerror", None) not in _SHARING_VIOLATIONS:
                raise
        else:
            return
        time.sleep(pause)
    action()


def sync_folder(folder: Path) -> None:
    """Make a new name survive a power cut, if the system opens folders (Windows does not)."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
