"""Which run has claimed a song, and whether that run is still alive."""

from __future__ import annotations

import secrets
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any

from suno_wav_cli.system.file_lock import hold, is_held
from suno_wav_cli.system.private_files import make_folder, refuse_link

if TYPE_CHECKING:
    from pathlib import Path


class Runs:
    """The files beside the journal that the runs lock. A lock ends with its program, however it ends.

    `folder` is None for a journal in memory, which has one run.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._own: str | None = None
        self._file: IO[Any] | None = None

    def begin(self) -> str | None:
        """Return the name of this run, and lock its file before the first claim.

        Return None if the file cannot be made. Then other programs take this run for a dead one.
        """
        if self._own is None and self._folder is not None:
            name = secrets.token_hex(8)
            with suppress(OSError):
                make_folder(self._folder)
                self._file = hold(self._folder / name)
                self._own = name
        return self._own

    def is_alive(self, name: str | None) -> bool:
        """Tell whether a run is at work. Remove what a dead one has left."""
        if name is None or self._folder is None:
            return False
        if name == self._own or is_held(self._folder / name):
            return True
        with suppress(OSError):
            refuse_link(self._folder)
            (self._folder / name).unlink(missing_ok=True)
        return False

    def end(self) -> None:
        if self._file is not None and self._folder is not None and self._own is not None:
            self._file.close()
            with suppress(OSError):
                (self._folder / self._own).unlink(missing_ok=True)
