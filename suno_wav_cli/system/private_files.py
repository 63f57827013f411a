"""Files and folders of this user alone: judged by their owner, and never reached through a link."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

OTHERS = 0o077
"""The permissions of all other users."""

_OWNERS_TELL = os.name != "nt"
"""Windows knows neither an owner's number nor these bits."""


def find_stranger(status: os.stat_result) -> str | None:
    """Say why others may have made or changed a file or folder, or return None."""
    if not _OWNERS_TELL:
        return None
    if status.st_uid not in (os.geteuid(), 0):
        return "it belongs to another user"
    is_guarded = stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX
    can_change = status.st_mode & stat.S_IWOTH and not is_guarded
    if can_change and (stat.S_ISDIR(status.st_mode) or stat.S_ISREG(status.st_mode)):
        return "others can write to it"
    return None


def is_open_to_others(status: os.stat_result) -> bool:
    return _OWNERS_TELL and bool(status.st_mode & OTHERS)


def refuse_link(path: Path) -> None:
    """Raise OSError if the path itself is a link: what is written or deleted there would be elsewhere."""
    if path.is_symlink():
        raise OSError(errno.ELOOP, "it is a link, and nothing is written through one", str(path))


def make_folder(path: Path) -> None:
    """Make a folder for this user alone, or use the one that is there. Raise OSError.

    A link to a folder is refused, and so is a folder that others could change.
    """
    refuse_link(path)
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = path.stat()
    stranger = find_stranger(status)
    if stranger is not None:
        raise PermissionError(errno.EPERM, stranger, str(path))
    _close_to_others(path, status, 0o700)


def close_to_others(path: Path) -> None:
    """Let only its owner read a file. What is missing or a link stays as it is. Raise OSError."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return
    if stat.S_ISREG(status.st_mode):
        _close_to_others(path, status, 0o600)


def open_private(name: str, flags: int) -> int:
    """Open a file that only this user can read from now on, as an `opener` for `open`.

    Raise OSError, also for a file of another user, and for a FIFO that no program reads.
    """
    # A FIFO without a reader would never be opened.
    descriptor = os.open(name, flags | getattr(os, "O_NONBLOCK", 0), 0o600)
    try:
        if hasattr(os, "O_NONBLOCK"):
            os.set_blocking(descriptor, True)
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode) and _OWNERS_TELL:
            if status.st_uid != os.geteuid():
                raise PermissionError(errno.EPERM, "it belongs to another user", name)
            _close_to_others(descriptor, status, 0o600)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _close_to_others(path: Path | int, status: os.stat_result, mode: int) -> None:
    if is_open_to_others(status) and status.st_uid == os.geteuid():
        os.chmod(path, mode)  # noqa: PTH101 - it may be a descriptor
