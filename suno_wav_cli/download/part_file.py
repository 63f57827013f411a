"""`NAME.part` beside the target: one program at a time, checked, flushed, and renamed while it is still held."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from suno_wav_cli.errors import DownloadFailed, OutputExists
from suno_wav_cli.system.file_lock import is_same_file, try_lock

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from suno_wav_cli.journal.holding import ByteRange


_SAMPLE = 4096
"""Bytes at each end of what was fetched in one go."""


class Part:
    """An open, locked `.part`. Made by `open_part`."""

    def __init__(self, path: Path, file: FileIO) -> None:
        self.path = path
        self.file = file
        self._lock = Lock()

    @property
    def size(self) -> int:
        return os.fstat(self.file.fileno()).st_size

    def evidence(self, spans: Iterable[ByteRange]) -> str:
        """Make a digest of the ends of each span: it tells these bytes from what is copied over them. Raises OSError."""
        digest = hashlib.sha256()
        with self._lock:
            for span in spans:
                stop = span.stop or span.start
                for start in (span.start, max(span.start, stop - _SAMPLE)):
                    self.file.seek(start)
                    digest.update(self.file.read(min(_SAMPLE, stop - start)))
        return digest.hexdigest()

    def restart(self) -> None:
        """Throw away what is there."""
        self.file.truncate(0)

    def check_room(self, end: int) -> None:
        """Raise OSError where the disk has no room for the file up to `end`. What it has already is not asked for."""
        if shutil.disk_usage(self.path.parent).free < end - self.size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def allocate(self, size: int) -> None:
        """Give the file its final size, so that it can be written in any order. Raises OSError."""
        # Where the file system cannot, the C library writes zeros, also over what came after it has looked for the end.
        with self._lock:
            try:
                os.posix_fallocate(self.file.fileno(), 0, size)
            except (AttributeError, OSError) as error:
                if getattr(error, "errno", None) == errno.ENOSPC:
                    raise
                self.file.truncate(size)

    def write(self, position: int, block: bytes | memoryview) -> None:
        """Write the whole block at `position`; several threads may. Raises OSError."""
        with self._lock:
            self.file.seek(position)
            while block:
                block = block[self.file.write(block) :]

    def sync(self) -> None:
        """Put every byte that was written on the disk. Raises OSError."""
        os.fsync(self.file.fileno())

    def secured(self, spans: Iterable[ByteRange]) -> str:
        """Put these spans on the disk, and give the evidence of them. Raises OSError."""
        self.sync()
        return self.evidence(spans)

    def put_in_place(self, target: Path, *, force: bool) -> None:
        """Rename it to `target` atomically. Raises OutputExists rather than replace a file without `force`."""
        if os.name == "nt":
            # Windows renames no open file.
            self.file.close()
        try:
            if force:
                self.path.replace(target)
            else:
                _rename_to_nothing(self.path, target)
        except OSError as error:
            raise disk_failed(target, error) from error
        _flush_folder(target.parent)


def part_of(target: Path) -> Path:
    return target.with_name(target.name + ".part")


@contextmanager
def open_part(target: Path) -> Iterator[Part]:
    """Open and lock the target's `.part`, made where there is none, and removed at the end where nothing is in it.

    Raises DownloadFailed where another program holds it, or it cannot be opened.
    """
    path = part_of(target)
    try:
        file = _opened_and_locked(path)
    except OSError as error:
        raise disk_failed(path, error) from error
    try:
        yield Part(path, file)
    finally:
        # What closing has to say of a full disk was said by the write before.
        with suppress(OSError):
            if not file.closed and is_same_file(path, file) and os.fstat(file.fileno()).st_size == 0:
                if os.name == "nt":
                    file.close()
                path.unlink(missing_ok=True)
        with suppress(OSError):
            file.close()


def disk_failed(path: Path, error: OSError) -> DownloadFailed:
    return DownloadFailed(
        f"{path} cannot be written: {error.strerror or error}",
        "Make room or choose another folder, then run the same command again: it is not charged twice.",
    )


def _opened_and_locked(path: Path) -> FileIO:
    while True:
        # Nothing is truncated before it is locked, and no link is followed to somebody's file.
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        file = FileIO(os.open(path, flags, 0o666), "r+b")
        try:
            _lock(path, file)
            # Before it was locked, its holder may have given it its final name. (A crash in the middle of that leaves
            # both names: `_rename_to_nothing`.)
            if is_same_file(path, file):
                if os.fstat(file.fileno()).st_nlink <= 1:
                    return file
                path.unlink()
        except BaseException:
            file.close()
            raise
        file.close()


def _lock(path: Path, file: FileIO) -> None:
    """Keep a second program out, where the system can: elsewhere the last one wins."""
    if not try_lock(file):
        raise DownloadFailed(
            f"another program is downloading to {path}", "Let it finish, or choose another --out."
        )


def _rename_to_nothing(part: Path, target: Path) -> None:
    exists = OutputExists(
        f"{target} exists", f"It was not touched; the new file is at {part}. To replace it, add --force."
    )
    try:
        # A hard link fails where the name is taken, even if another program took it this instant.
        os.link(part, target)
    except FileExistsError:
        raise exists from None
    except OSError:
        # A file system without hard links.
        if target.exists():
            raise exists from None
        part.rename(target)
    else:
        part.unlink()


def _flush_folder(folder: Path) -> None:
    """Make the new name survive a power cut, where the system lets a folder be opened (Windows does not)."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
