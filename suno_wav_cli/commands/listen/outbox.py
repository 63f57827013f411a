"""Deliveries that are on their way to `--forward-to`, each in a file until its receiver has taken it.

The file is written before the delivery is acknowledged, so one that was acknowledged is in the
receiver's hands or here, even if the program is killed. Each run has a folder of its own.
"""

from __future__ import annotations

import secrets
import shutil
import time
from contextlib import contextmanager, suppress
from itertools import count
from typing import TYPE_CHECKING

from suno_wav_cli import events
from suno_wav_cli.callbacks.recording import MOST_HEADERS, RecordedCallback, write
from suno_wav_cli.callbacks.refusal import Refusal
from suno_wav_cli.errors import UsageError
from suno_wav_cli.system.file_lock import hold, is_held
from suno_wav_cli.system.private_files import make_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from suno_wav_cli.callbacks.payload import ReceivedCallback
    from suno_wav_cli.commands.listen.limits import ListenLimits
    from suno_wav_cli.events import Report

_LOCK = ".lock"

_TRY_LATER = "It will be posted again. See what `--forward-to` answers."
FULL = Refusal(status=503, reason="too many deliveries wait to be forwarded", remedy=_TRY_LATER)
TOO_MANY_HEADERS = Refusal(
    status=431, reason=f"it has more than {MOST_HEADERS:,} headers", remedy="Send fewer headers."
)


class Outbox:
    def __init__(self, folder: Path, limits: ListenLimits) -> None:
        self.folder = folder
        self._limits = limits
        self._sizes: dict[Path, int] = {}
        self._bytes = 0
        self._names = count(1)

    @property
    def count(self) -> int:
        """How many deliveries it holds."""
        return len(self._sizes)

    def keep(self, delivery: ReceivedCallback) -> Path | Refusal:
        """Write a delivery. Return its file, or why it must not be acknowledged."""
        if len(self._sizes) >= self._limits.outbox_files or self._bytes >= self._limits.outbox_bytes:
            return FULL
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
        return path

    def remove(self, path: Path) -> None:
        """Forget a delivery that its receiver has taken."""
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
        for left, files in _find_left(root, limits):
            report(events.DeliveriesKept(count=files, folder=left, earlier=True))
        folder.mkdir(mode=0o700)
        lock = hold(folder / _LOCK)
    except OSError as error:
        raise UsageError(
            f"{root} cannot hold deliveries until they are forwarded: {error.strerror}",
            "Name a folder for it: SUNO_WAV_HOME=FOLDER",
        ) from error
    outbox = Outbox(folder, limits)
    try:
        yield outbox
    finally:
        lock.close()
        if outbox.count:
            report(events.DeliveriesKept(count=outbox.count, folder=folder, earlier=False))
        else:
            shutil.rmtree(folder, ignore_errors=True)


def _find_left(root: Path, limits: ListenLimits) -> list[tuple[Path, int]]:
    """Return folders of runs that have ended, and how many deliveries each holds.

    Empty ones are removed, and the oldest beyond the limits. Raise OSError.
    """
    found, total, size = [], 0, 0
    for folder in sorted((path for path in root.iterdir() if path.is_dir()), reverse=True):
        if is_held(folder / _LOCK):
            continue
        sizes = [path.stat().st_size for path in folder.glob("*.json")]
        total, size = total + len(sizes), size + sum(sizes)
        if sizes and total <= limits.outbox_files and size <= limits.outbox_bytes:
            found.append((folder, len(sizes)))
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return found
