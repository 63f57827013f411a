"""The one place that looks at paths: what cannot be looked at counts as absent, and never ends a run."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os
    from pathlib import Path


def look_at(path: Path) -> os.stat_result | None:
    """Return the status of a file or folder, or None if it is absent or cannot be looked at.

    Its folder may be closed, its name too long, or a link may lead to itself.
    """
    try:
        return path.stat()
    except (OSError, ValueError):
        return None


def is_absent(path: Path) -> bool:
    """Tell whether there is certainly no such file. It may be there if it cannot be looked at."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, ValueError):
        return False
    return False


def is_file(path: Path) -> bool:
    status = look_at(path)
    return status is not None and stat.S_ISREG(status.st_mode)


def is_folder(path: Path) -> bool:
    status = look_at(path)
    return status is not None and stat.S_ISDIR(status.st_mode)


def is_special(path: Path) -> bool:
    """Tell whether a path leads to a device, a FIFO or a socket, which a file must not replace."""
    status = look_at(path)
    return status is not None and not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode))
