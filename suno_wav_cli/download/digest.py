"""The SHA-256 of a file that is still growing."""

from __future__ import annotations

import errno
import hashlib
from threading import Event
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_BLOCK = 1024 * 1024
_PAUSE = 0.05
"""Seconds between two looks at what has arrived."""


class Digest:
    """Hashes a file in a thread of its own, so that its bytes do not wait for the hash.

    `arrived` returns the number of bytes that have arrived without a gap.
    """

    def __init__(self, path: Path, arrived: Callable[[], int]) -> None:
        self._path = path
        self._arrived = arrived
        self._complete = Event()
        self._abandoned = Event()

    def complete(self) -> None:
        """Let `run` end as soon as it has hashed what has arrived: no more will."""
        self._complete.set()

    def abandon(self) -> None:
        """Let `run` end at once. Its result is of no use."""
        self._abandoned.set()
        self._complete.set()

    def run(self) -> str:
        """Return the digest as 64 hexadecimal digits, once the file is complete. Raise OSError."""
        digest = hashlib.sha256()
        buffer = memoryview(bytearray(_BLOCK))
        position = 0
        with self._path.open("rb", buffering=0) as file:
            while not self._abandoned.is_set():
                # In this order: bytes that arrive in between are seen the next time.
                is_complete = self._complete.is_set()
                stop = self._arrived()
                while position < stop and not self._abandoned.is_set():
                    count = file.readinto(buffer[: min(_BLOCK, stop - position)])
                    if not count:
                        raise OSError(errno.EIO, "another program has made it shorter")
                    digest.update(buffer[:count])
                    position += count
                if is_complete:
                    break
                self._complete.wait(_PAUSE)
        return digest.hexdigest()
