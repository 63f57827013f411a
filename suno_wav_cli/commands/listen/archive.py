"""Deliveries kept as files, the newest of them: whoever knows the path could fill a disk."""

from __future__ import annotations

import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from suno_wav_cli.callbacks.recording import RecordedCallback, write

if TYPE_CHECKING:
    from pathlib import Path

_MOST_FILES = 10_000
_MOST_BYTES = 200_000_000


class DeliveryArchive:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: deque[tuple[Path, int]] = deque()
        self._bytes = 0

    def keep(self, number: int, recording: RecordedCallback) -> Path:
        """Write a delivery, and remove the oldest that this run has written where they are too many. Raises OSError."""
        at = time.strftime("%Y%m%d-%H%M%S", time.localtime(recording.received))
        path = write(recording, self._folder, f"{at}-{number}")
        size = path.stat().st_size
        self._kept.append((path, size))
        self._bytes += size
        while len(self._kept) > _MOST_FILES or self._bytes > _MOST_BYTES:
            oldest, size = self._kept.popleft()
            self._bytes -= size
            with suppress(OSError):
                oldest.unlink()
        return path
