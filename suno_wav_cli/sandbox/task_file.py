"""The tasks of a sandbox that ends with its run, kept for the next one. Not a journal: some may get lost."""

from __future__ import annotations

import json
import os
import stat
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from typing import IO, TYPE_CHECKING, Any

from suno_wav_cli.models import is_id
from suno_wav_cli.system.file_lock import try_lock
from suno_wav_cli.system.private_files import make_folder, open_private

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_LARGEST = 256 * 1024
"""Bytes. A larger file loses its older half."""
_LONGEST_LINE = 2048
_LATEST = 4_000_000_000.0
"""Seconds since 1970 that every system can show as a date."""
_OPEN_FLAGS = sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))
_LOCK_TRIES = 50
_LOCK_PAUSE = 0.01


@dataclass(frozen=True, kw_only=True)
class KeptTask:
    """`created` and `ready` are in seconds since 1970. A task that never ends has no `ready`."""

    task_id: str
    audio_id: str
    music_task_id: str
    contract: str
    created: float
    ready: float | None
    paid: bool


@dataclass(frozen=True)
class TaskFile:
    """A line of JSON for each task. Several programs may add to it at once.

    What is damaged is left out, and a file that cannot be used is as good as none.
    """

    path: Path

    def read(self) -> list[KeptTask]:
        """Return the tasks, oldest first."""
        content = b""
        with suppress(OSError), os.fdopen(self._open(os.O_RDONLY), "rb") as file:
            if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                content = _read_end(file, _LARGEST)
        tasks = (_parse(line) for line in content.split(b"\n"))
        return [task for task in tasks if task is not None]

    def add(self, task: KeptTask) -> None:
        line = json.dumps(asdict(task)).encode() + b"\n"
        with suppress(OSError):
            make_folder(self.path.parent)
            with os.fdopen(self._open(os.O_RDWR | os.O_CREAT), "r+b", buffering=0) as file:
                _wait_for_lock(file)
                size = file.seek(0, os.SEEK_END)
                # The last line of a killed program may have no end.
                file.write(line if not size or _read_end(file, 1) == b"\n" else b"\n" + line)
                if size + len(line) > _LARGEST:
                    _forget_older_half(file)

    def _open(self, flags: int) -> int:
        """Open the file, but follow no link, and wait for no other end of a FIFO. Raise OSError."""
        return open_private(str(self.path), flags | _OPEN_FLAGS)


def _wait_for_lock(file: IO[Any]) -> None:
    """Wait until no other program writes, or for half a second: one may have been stopped."""
    for _ in range(_LOCK_TRIES):
        if try_lock(file):
            return
        time.sleep(_LOCK_PAUSE)


def _read_end(file: IO[bytes], size: int) -> bytes:
    """Return the last bytes, and leave the file at its end."""
    file.seek(max(0, file.seek(0, os.SEEK_END) - size))
    return file.read(size)


def _forget_older_half(file: IO[bytes]) -> None:
    newer = _read_end(file, _LARGEST // 2).partition(b"\n")[2]
    file.seek(0)
    file.write(newer)
    file.truncate()


def _parse(line: bytes) -> KeptTask | None:
    """Read a line. Return None if it is none that `add` has written."""
    try:
        found = json.loads(line) if len(line) <= _LONGEST_LINE else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or set(found) != {field.name for field in fields(KeptTask)}:
        return None
    ids = [found["task_id"], found["audio_id"], found["contract"]]
    ids += [found["music_task_id"]] if found["music_task_id"] != "" else []
    times = [found["created"]] + ([] if found["ready"] is None else [found["ready"]])
    if _are_ids(ids) and _are_times(times) and isinstance(found["paid"], bool):
        return KeptTask(**found)
    return None


def _are_ids(values: Sequence[object]) -> bool:
    return all(isinstance(value, str) and is_id(value) for value in values)


def _are_times(values: Sequence[object]) -> bool:
    return all(isinstance(value, int | float) and 0 <= value <= _LATEST for value in values)
