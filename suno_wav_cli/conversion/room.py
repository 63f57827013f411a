"""Room on the disk: for all songs before they are paid for, and for those that are downloaded at once."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING

from suno_wav_cli.conversion.targets import existing_folder
from suno_wav_cli.download.part_file import part_of
from suno_wav_cli.errors import UsageError
from suno_wav_cli.events.payments import RoomShort
from suno_wav_cli.system.look import look_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from suno_wav_cli.events import Report
    from suno_wav_cli.journal.parts import PartialFile

SONG_BYTES = 50_000_000
"""What a song may need while its size is not known (api/README.md, section 6)."""

_LOOK_SECONDS = 0.5


def check_room(targets: Sequence[Path], *, at_once: int, keeps_all: bool = True, report: Report) -> None:
    """Raise UsageError if a disk has no room for the downloads `at_once`. Report one that may be too small.

    Folders on one disk share its room. Without `keeps_all`, songs leave the disk once they are whole.
    """
    disks: dict[int, list[Path]] = defaultdict(list)
    devices: dict[Path, int] = {}
    for target in targets:
        folder = target.parent
        if folder not in devices:
            status = look_at(existing_folder(folder))
            devices[folder] = status.st_dev if status else 0
        disks[devices[folder]].append(target)
    for on_disk in disks.values():
        folder = existing_folder(on_disk[0].parent)
        free = _free_bytes(folder)
        if free is None:
            continue
        needs = sorted((_still_needed(part_of(target), SONG_BYTES) for target in on_disk), reverse=True)
        in_flight = sum(needs[:at_once])
        if free < in_flight:
            raise UsageError(
                f"{folder} has {free / 1e6:,.0f} MB free; what is downloaded at once may need "
                f"{in_flight / 1e6:,.0f} MB",
                "Make room, choose another --out, or download fewer songs at once: --jobs 1",
            )
        if keeps_all and free < sum(needs):
            report(RoomShort(folder=folder, free=free, needed=sum(needs)))


class DiskRoom:
    """What the running downloads still need, and since when a disk has been too full for one."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._running: dict[Path, int] = {}
        self._short_since: float | None = None

    @property
    def seconds_left(self) -> float | None:
        """How long a disk that is too full is still waited for. None if there is room."""
        if self._short_since is None:
            return None
        return self._timeout - (time.monotonic() - self._short_since)

    @contextmanager
    def shared_with(self, part: Path) -> Iterator[None]:
        """Count a download among those that run, from its `wait_for` until the block is left."""
        try:
            yield
        finally:
            self._running.pop(part, None)

    async def wait_for(self, part: Path, partial: PartialFile | None) -> None:
        """Wait until the rest of a file fits beside what runs already. Alone, it may try."""
        self._running.pop(part, None)
        length = (partial.length if partial else None) or SONG_BYTES
        while self._running:
            free = _free_bytes(part.parent)
            if free is None or free >= _still_needed(part, length) + self._needed_beside(part):
                break
            await asyncio.sleep(_LOOK_SECONDS)
        self._running[part] = length

    def learn(self, part: Path, length: int) -> None:
        """Record how long a file is that is downloaded."""
        self._running[part] = length

    def found_short(self, part: Path) -> float:
        """Record that there was no room for a download. Return the seconds in which that may change.

        Once a disk has stayed full until the timeout, no other song waits as long again.
        """
        self._running.pop(part, None)
        if self._short_since is None:
            self._short_since = time.monotonic()
        return self.seconds_left or 0.0

    def found_enough(self) -> None:
        """Record that there was room for a whole file."""
        self._short_since = None

    def _needed_beside(self, part: Path) -> int:
        return sum(
            _still_needed(other, length)
            for other, length in self._running.items()
            if _is_same_disk(other, part)
        )


def _free_bytes(folder: Path) -> int | None:
    """Return what is free, or None if the file system does not tell, as some in a network do."""
    try:
        usage = shutil.disk_usage(folder)
    except (OSError, ValueError):
        return None
    return usage.free if usage.total else None


def _still_needed(part: Path, length: int) -> int:
    """Return how many bytes a song may take besides those that its part file has on the disk."""
    status = look_at(part)
    if status is None:
        return length
    # A sparse file has fewer bytes than its size, so its blocks of 512 bytes are counted, except on Windows.
    held = int(getattr(status, "st_blocks", status.st_size // 512)) * 512
    return max(length - held, 0)


def _is_same_disk(one: Path, other: Path) -> bool:
    here, there = look_at(one.parent), look_at(other.parent)
    return here is not None and there is not None and here.st_dev == there.st_dev
