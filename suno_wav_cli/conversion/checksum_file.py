"""`--checksums`: one line a song, as `sha256sum` writes and reads it."""

from __future__ import annotations

import asyncio
import os
import re
import stat
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from suno_wav_cli.conversion.targets import check_file
from suno_wav_cli.errors import UsageError
from suno_wav_cli.events.follow_up import ChecksumsNotWritten
from suno_wav_cli.remote.address import address_of, is_remote
from suno_wav_cli.system.atomic_file import write_atomically
from suno_wav_cli.system.file_lock import SUPPORTED, is_same_file, try_lock
from suno_wav_cli.system.threads import start_in_thread

if TYPE_CHECKING:
    from collections.abc import Mapping

    from suno_wav_cli.events import Report

_BETWEEN_WRITES = 10.0
"""Seconds. Each write replaces the whole file, which may have a line for each song of a large library."""

_LOCK_SECONDS = 60.0
_LINE = re.compile(rb"(\\?)[0-9a-fA-F]{32,128} [ *](.+)", re.DOTALL)
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r"}
_UNESCAPE = re.compile(rb"\\(.)", re.DOTALL)


class ChecksumFile:
    """The checksums of a run's songs. They are written now and then, and by `close`."""

    def __init__(self, path: Path, report: Report) -> None:
        self._path = path
        self._report = report
        self._waiting: dict[bytes, bytes] = {}
        self._lock = asyncio.Lock()
        self._next = time.monotonic() + _BETWEEN_WRITES

    async def add(self, name: str, sha256: str) -> None:
        """Take a song's file (see `name_of`) and digest, in place of an earlier one."""
        self._waiting[os.fsencode(name)] = make_line(name, sha256)
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _BETWEEN_WRITES
            # What stays unwritten is written at the end.
            with suppress(OSError):
                await self._write()

    def name_of(self, song: Path) -> str:
        """Return a file's name in the list: relative to the list's folder, if it is below that.

        An object is named by its key, as in a copy of its bucket.
        """
        if is_remote(song):
            return address_of(song).key
        path, folder = os.path.abspath(song), os.path.abspath(self._path.parent)  # noqa: PTH100 - `absolute` keeps ..
        try:
            return str(Path(path).relative_to(folder))
        except ValueError:
            return path

    def close(self, *, in_hurry: bool) -> bool:
        """Write what is left. Report if that is not possible, and return False."""
        try:
            if self._waiting:
                extend(self._path, self._waiting, seconds=0.2 if in_hurry else _LOCK_SECONDS)
        except OSError as error:
            self._report(ChecksumsNotWritten(path=self._path, reason=error.strerror or str(error)))
            return False
        return True

    async def _write(self) -> None:
        async with self._lock:
            lines = self._waiting.copy()
            await start_in_thread(lambda: extend(self._path, lines), "checksums")
            for name, line in lines.items():
                if self._waiting.get(name) == line:
                    del self._waiting[name]


def check_checksum_file(path: Path) -> None:
    """Raise UsageError, before anything is paid for, if the lines cannot go there."""
    if check_file(path, "--checksums") is None:
        return
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"--checksums: {path} cannot be read: {error.strerror}", "Name another file."
        ) from error
    if not os.access(path, os.W_OK) or not os.access(path.parent, os.W_OK):
        raise UsageError(f"--checksums: {path} cannot be written to", "Name another file.")
    foreign = [line for line in content.split(b"\n") if line.strip() and not _is_known(line)]
    if foreign:
        raise UsageError(
            f"--checksums: {path} holds something else than checksums",
            "It was not touched. Name another file.",
        )


def _is_known(line: bytes) -> bool:
    return line.startswith(b"#") or _LINE.fullmatch(line.rstrip(b"\r")) is not None


def make_line(name: str, sha256: str) -> bytes:
    """Return the line of a file. A name with a backslash or a line break is escaped, as `sha256sum` does."""
    escaped = "".join(_ESCAPES.get(character, character) for character in name)
    mark = "\\" if escaped != name else ""
    return os.fsencode(f"{mark}{sha256}  {escaped}\n")


def extend(path: Path, lines: Mapping[bytes, bytes], *, seconds: float = _LOCK_SECONDS) -> None:
    """Add lines to the file, in place of those with the same names. The file is replaced as a whole.

    `lines` has them by name. Two programs that extend it at once lose none. Raise OSError.
    """
    # A link to the list stays a link.
    path = Path(os.path.realpath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + seconds
    while True:
        with path.open("ab+") as file:
            # Another program may have replaced the file that was opened, after it had the lock.
            if try_lock(file) and is_same_file(path, file):
                file.seek(0)
                content = merge(file.read(), lines)
                if not SUPPORTED:
                    # Windows replaces no file that is open, and has no lock that would be lost.
                    file.close()
                mode = 0o666 if not SUPPORTED else stat.S_IMODE(path.stat().st_mode)
                write_atomically(path, content, mode)
                return
        if time.monotonic() > deadline:
            raise TimeoutError(f"another program has locked {path}")
        time.sleep(0.02)


def merge(content: bytes, lines: Mapping[bytes, bytes]) -> bytes:
    """Return the list with the new lines: in place of the old ones of the same names, or at the end."""
    new, merged = dict(lines), []
    if content and not content.endswith(b"\n"):
        content += b"\n"
    for line in content.split(b"\n")[:-1]:
        found = _LINE.fullmatch(line.rstrip(b"\r"))
        name = _unescape(found[2]) if found and found[1] else found and found[2]
        if name is None or name not in lines:
            merged.append(line + b"\n")
        elif name in new:
            merged.append(new.pop(name))
    return b"".join([*merged, *new.values()])


def _unescape(name: bytes) -> bytes:
    return _UNESCAPE.sub(lambda found: {b"n": b"\n", b"r": b"\r"}.get(found[1], found[1]), name)
