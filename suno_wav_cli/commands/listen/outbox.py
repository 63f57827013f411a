"""Deliveries that are on their way to `--forward-to`, each in a file until its receiver has taken it.

The file is written before the delivery is acknowledged, so one that was acknowledged is in the
receiver's hands or here, even if the program is killed. Each run has a folder of its own. The limits
are for all folders together, and nothing is deleted to keep them: what does not fit is not acknowledged.
"""

from __future__ import annotations

import secrets
import shutil
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from suno_wav_cli.callbacks.recording import MOST_HEADERS, RecordedCallback, write
from suno_wav_cli.callbacks.refusal import Refusal
from suno_wav_cli.errors import UsageError
from suno_wav_cli.events import deliveries
from suno_wav_cli.system.file_lock import hold, is_held
from suno_wav_cli.system.private_files import make_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from suno_wav_cli.callbacks.payload import ReceivedCallback
    from suno_wav_cli.commands.listen.limits import ListenLimits
    from suno_wav_cli.events import Report

_LOCK = ".lock"

_TOO_MANY = "too many deliveries wait to be forwarded"
FULL = Refusal(
    status=503, reason=_TOO_MANY, remedy="It will be posted again. See what `--forward-to` answers."
)
FULL_BY_OTHERS = Refusal(
    status=503,
    reason=f"{_TOO_MANY}, with those of other runs",
    remedy="It will be posted again. Send or delete what earlier runs have left, then start `listen` again.",
)
TOO_MANY_HEADERS = Refusal(
    status=431, reason=f"it has more than {MOST_HEADERS:,} headers", remedy="Send fewer headers."
)


@dataclass(frozen=True, kw_only=True)
class Room:
    """How many deliveries there are in a folder, or room for."""

    files: int
    bytes: int


_NOTHING = Room(files=0, bytes=0)


class Outbox:
    """`others` is what the folders of other runs held when this run began."""

    def __init__(self, folder: Path, limits: ListenLimits, others: Room = _NOTHING) -> None:
        self.folder = folder
        self._most = Room(files=limits.outbox_files - others.files, bytes=limits.outbox_bytes - others.bytes)
        self._full = FULL_BY_OTHERS if others.files else FULL
        self._sizes: dict[Path, int] = {}
        self._bytes = 0
        self._names = count(1)

    @property
    def count(self) -> int:
        """How many deliveries it holds."""
        return len(self._sizes)

    def keep(self, delivery: ReceivedCallback) -> Path | Refusal:
        """Write a delivery. Return its file, or why it must not be acknowledged."""
        if len(self._sizes) >= self._most.files or self._bytes >= self._most.bytes:
            return self._full
        if len(delivery.headers) > MOST_HEADERS:
            return TOO_MANY_HEADERS
        now = time.time()
        recording = RecordedCallback(received=now, headers=delivery.headers, body=delivery.body)
        name = f"{time.strftime('%Y%m%d-%H%M%S', time.localtime(now))}-{next(self._names):08}"
        try:
            path = write(recording, self.folder, name)
            self._sizes[path] = path.stat().st_size
        except OSError as error:
            return Refusal(
                status=503,
                reason=f"it cannot be kept until it is forwarded: {error.strerror}",
                remedy=f"Look at {self.folder}, and how much room is left.",
            )
        self._bytes += self._sizes[path]
        if self._bytes > self._most.bytes:
            self.remove(path)
            return self._full
        return path

    def remove(self, path: Path) -> None:
        """Delete a delivery, which its receiver has taken."""
        self._bytes -= self._sizes.pop(path)
        with suppress(OSError):
            path.unlink()


@contextmanager
def open_outbox(root: Path, limits: ListenLimits, report: Report) -> Iterator[Outbox]:
    """Open a folder below `root`. Report what earlier runs have left, and at the end what this one leaves.

    Raise UsageError if there can be none.
    """
    folder = root / f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(4)}"
    try:
        make_folder(root)
        others = _look_at_others(root, report)
        folder.mkdir(mode=0o700)
        lock = hold(folder / _LOCK)
    except OSError as error:
        raise UsageError(
            f"{root} cannot hold deliveries until they are forwarded: {error.strerror}",
            "Name a folder for it: SUNO_WAV_HOME=FOLDER",
        ) from error
    outbox = Outbox(folder, limits, others)
    try:
        yield outbox
    finally:
        lock.close()
        if outbox.count:
            report(deliveries.DeliveriesKept(count=outbox.count, folder=folder, earlier=False))
        else:
            shutil.rmtree(folder, ignore_errors=True)


def _look_at_others(root: Path, report: Report) -> Room:
    """Count what the folders of other runs hold, and report those that have ended. Raise OSError.

    Empty ones that have ended are removed.
    """
    files = size = 0
    for folder in sorted((path for path in root.iterdir() if path.is_dir()), reverse=True):
        sizes = list(_find_sizes(folder))
        files, size = files + len(sizes), size + sum(sizes)
        if is_held(folder / _LOCK):
            continue
        if sizes:
            report(deliveries.DeliveriesKept(count=len(sizes), folder=folder, earlier=True))
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return Room(files=files, bytes=size)


def _find_sizes(folder: Path) -> Iterator[int]:
    for path in folder.glob("*.json"):
        # A run that is still there deletes what it has forwarded.
        with suppress(FileNotFoundError):
            yield path.stat().st_size
