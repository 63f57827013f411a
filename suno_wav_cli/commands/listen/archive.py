"""Deliveries kept as files. Only the newest are kept, because strangers could fill a disk."""

from __future__ import annotations

import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from suno_wav_cli.callbacks.recording import RecordedCallback, write

if TYPE_CHECKING:
    from pathlib import Path

    from suno_wav_cli.commands.listen.limits import ListenLimits


class DeliveryArchive:
    def __init__(self, folder: Path, limits: ListenLimits) -> None:
        self._folder = folder
        self._limits = limits
        self._kept: deque[tuple[Path, int]] = deque()
        self._bytes = 0

    def keep(self, number: int, recording: RecordedCallback) -> Path:
        """Write a delivery, and remove this run's oldest beyond the limits. Raise OSError."""
        received = time.strftime("%Y%m%d-%H%M%S", time.localtime(recording.received))
        path = write(recording, self._folder, f"{received}-{number}")
        size = path.stat().st_size
        self._kept.append((path, size))
        self._bytes += size
        while len(self._kept) > self._limits.files or self._bytes > self._limits.file_bytes:
            oldest, size = self._kept.popleft()
            self._bytes -= size
            with suppress(OSError):
                oldest.unlink()
        return path
