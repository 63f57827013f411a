"""The part file, `NAME.part` beside the target: locked, written, and renamed while it is locked."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import stat
import time
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from suno_wav_cli.errors import DiskFull, DownloadFailed, OutputExists, PartInUse, UsageError
from suno_wav_cli.system.atomic_file import rename_unless_taken, sync_file, sync_folder, when_not_shared
from suno_wav_cli.system.file_lock import is_same_file, try_lock
from suno_wav_cli.system.look import is_special

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from suno_wav_cli.journal.parts import ByteRange


_SAMPLE = 4096
"""Bytes that a fingerprint takes from each end of a range."""

_PART_NAME = re.compile(r"_?[A-Za-z0-9][A-Za-z0-9._+~-]{0,127}\.wav\.part")
"""The names of part files for standard output: an audio id, after a `_` if Windows keeps the name for a device."""

_KEPT_SECONDS = 15 * 86400.0
"""After this time no service has the rest of a song."""


class PartFile:
    """An open, locked part file, made by `open_part`. Several threads may write."""

    def __init__(self, path: Path, file: FileIO) -> None:
        self.path = path
        self.file = file
        self._lock = Lock()

    @property
    def size(self) -> int:
        return os.fstat(self.file.fileno()).st_size

    def fingerprint(self, ranges: Iterable[ByteRange]) -> str:
        """Hash both ends of each range, so that other bytes in their place show. Raise OSError."""
        digest = hashlib.sha256()
        with self._lock:
            for one in ranges:
                stop = one.stop or one.start
                for start in (one.start, max(one.start, stop - _SAMPLE)):
                    self.file.seek(start)
                    digest.update(self.file.read(min(_SAMPLE, stop - start)))
        return digest.hexdigest()

    def restart(self) -> None:
        """Empty the file."""
        self.file.truncate(0)

    def check_room(self, end: int) -> None:
        """Raise OSError if the disk has no room for the file to grow to `end`."""
        if shutil.disk_usage(self.path.parent).free < end - self.size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def allocate(self, size: int) -> None:
        """Give the file its final size, so that it can be written in any order. Raise OSError."""
        # On file systems without fallocate, the C library writes zeros from the end on that it has
        # found: under the lock, so that they overwrite nothing.
        with self._lock:
            try:
                os.posix_fallocate(self.file.fileno(), 0, size)
            except (AttributeError, OSError) as error:
                if getattr(error, "errno", None) == errno.ENOSPC:
                    raise
                self.file.truncate(size)

    def write(self, position: int, block: bytes | memoryview) -> None:
        """Write the whole block at `position`. Raise OSError."""
        with self._lock:
            self.file.seek(position)
            while block:
                block = block[self.file.write(block) :]

    def sync(self) -> None:
        """Store every byte that was written on the disk for good. Raise OSError."""
        sync_file(self.file.fileno())

    def put_in_place(self, target: Path, *, force: bool) -> None:
        """Rename it to `target` atomically. Without `force`, raise OutputExists if that is taken."""
        if os.name == "nt":
            # Windows renames no open file.
            self.file.close()
        check_target(target)
        try:
            if force:
                when_not_shared(lambda: self.path.replace(target))
            else:
                rename_unless_taken(self.path, target)
        except FileExistsError:
            raise OutputExists(
                f"{target} exists",
                f"It was not touched; the new file is at {self.path}. To replace it, add --force.",
            ) from None
        except OSError as error:
            raise disk_error(target, error) from error
        sync_folder(target.parent)


def part_of(target: Path) -> Path:
    return target.with_name(target.name + ".part")


def check_target(target: Path) -> None:
    """Raise UsageError for a target that is a device, a FIFO or a socket, also through a link."""
    if is_special(target):
        raise UsageError(
            f"{target} is not a regular file",
            "Choose another --out. For a program that reads the song: --out - and a pipe.",
        )


def check_part(target: Path) -> None:
    """Raise UsageError if the name of the target's part file is taken by something else. Raise OSError."""
    path = part_of(target)
    with suppress(FileNotFoundError, NotADirectoryError):
        if not stat.S_ISREG(path.lstat().st_mode):
            raise UsageError(
                f"{path} is not a regular file",
                "The song is kept there until it is whole. Move it, or choose another --out.",
            )


@contextmanager
def open_part(target: Path) -> Iterator[PartFile]:
    """Open and lock the target's part file. An empty one is removed at the end.

    Raise UsageError if it is not a regular file, PartInUse if another program holds it, and
    DownloadFailed if it cannot be opened.
    """
    path = part_of(target)
    try:
        check_part(target)
        file = _open_and_lock(path)
    except OSError as error:
        raise disk_error(path, error) from error
    try:
        yield PartFile(path, file)
    finally:
        # A full disk was reported by the write before.
        with suppress(OSError):
            if not file.closed and is_same_file(path, file) and os.fstat(file.fileno()).st_size == 0:
                if os.name == "nt":
                    file.close()
                path.unlink(missing_ok=True)
        with suppress(OSError):
            file.close()


def remove_empty_part(target: Path) -> None:
    """Remove an empty part file of `target` that a killed program has left. One that is in use stays."""
    path = part_of(target)
    with suppress(OSError, DownloadFailed, UsageError):
        status = path.lstat()
        if stat.S_ISREG(status.st_mode) and status.st_size == 0:
            with open_part(target):
                pass


def disk_error(path: Path, error: OSError) -> DownloadFailed:
    full = error.errno in {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
    mend, kind = ("Make room", DiskFull) if full else ("Mend the folder", DownloadFailed)
    return kind(
        f"{path} cannot be written: {error.strerror or error}",
        f"{mend} or choose another one, then run the same command again: it is not charged twice.",
    )


def _open_and_lock(path: Path) -> FileIO:
    while True:
        # Nothing is truncated before it is locked, and a link to another file is not followed.
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        file = FileIO(os.open(path, flags, 0o666), "r+b")
        try:
            _lock(path, file)
            # Before it was locked, its holder may have renamed it. A crash in the middle of that leaves
            # both names: `rename_unless_taken`.
            if is_same_file(path, file):
                if os.fstat(file.fileno()).st_nlink <= 1:
                    return file
                path.unlink()
        except BaseException:
            file.close()
            raise
        file.close()


def _lock(path: Path, file: FileIO) -> None:
    """Keep a second program out. On systems without locks the last one wins."""
    if not try_lock(file):
        raise PartInUse(
            f"another program is downloading to {path}", "Let it finish, or choose another --out."
        )


def remove_old_parts(folder: Path) -> None:
    """Remove the old part files that this program has left for standard output. Raise OSError.

    Links are neither followed nor removed, and files of other users stay.
    """
    if folder.is_symlink():
        return
    for path in folder.iterdir():
        # Another run may have removed it just now.
        with suppress(FileNotFoundError):
            if _PART_NAME.fullmatch(path.name) and _is_old_and_ours(path.lstat()):
                path.unlink()


def _is_old_and_ours(status: os.stat_result) -> bool:
    return (
        stat.S_ISREG(status.st_mode)
        # Windows knows no owner's number.
        and (os.name == "nt" or status.st_uid == os.geteuid())
        and status.st_mtime < time.time() - _KEPT_SECONDS
    )
