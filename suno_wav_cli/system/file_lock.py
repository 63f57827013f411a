"""File locks that end with the program that holds them."""

from __future__ import annotations

import os
import sys
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

try:
    import fcntl
except ImportError:
    SUPPORTED = False
    import msvcrt
else:
    SUPPORTED = True


def try_lock(file: IO[Any]) -> bool:
    """Lock the file for this program. Return False if another one holds the lock.

    Always return True if the system (Windows) or the file system (some network ones) has no locks.
    """
    if not SUPPORTED:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def hold(path: Path) -> IO[Any]:
    """Make a file that `is_held` until it is closed or the program ends. Raise OSError."""
    file = path.open("xb")
    try:
        if SUPPORTED:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        elif sys.platform == "win32":
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    except OSError:
        file.close()
        raise
    return file


def is_held(path: Path) -> bool:
    """Tell whether a living program holds the file."""
    try:
        with path.open("rb") as file:
            if SUPPORTED:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            elif sys.platform == "win32":
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
                msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
    except BlockingIOError:
        return True
    except PermissionError:
        return not SUPPORTED
    except OSError:
        return False
    return False


def is_same_file(path: Path, file: IO[Any]) -> bool:
    """Tell whether `path` still names the open file. It may have been moved before the lock."""
    try:
        return os.path.samestat(path.stat(follow_symlinks=False), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
