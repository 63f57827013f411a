"""`--out -`: one song, whole and checked, to standard output."""

from __future__ import annotations

import os
import re
import select
import stat
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from suno_wav_cli.errors import DownloadFailed, UsageError
from suno_wav_cli.system.threads import start_in_thread

if TYPE_CHECKING:
    from pathlib import Path

STANDARD_OUTPUT = "-"
_BLOCK = 1024 * 1024

_PART = re.compile(r"_?[A-Za-z0-9][A-Za-z0-9._+~-]{0,127}\.wav\.part")
"""The names of part files here: an audio id, after a `_` if Windows keeps the name for a device."""

_KEPT_SECONDS = 15 * 86400.0
"""After this time no service has the rest of a song."""


def check_standard_output(*, json: bool) -> None:
    """Raise UsageError if a song cannot go there."""
    if json:
        raise UsageError(
            "the song and --json both want standard output",
            "Name a file: --out song.wav. Or leave --json out.",
        )
    if sys.stdout is None:
        raise UsageError("standard output is closed", "Send it somewhere, or name a file: --out song.wav")
    if sys.stdout.isatty():
        raise UsageError(
            "refusing to write binary data to a terminal",
            "Send it somewhere: suno-wav ... --out - | ffmpeg -i - song.flac. Or name a file: --out song.wav",
        )


def remove_old_parts(folder: Path) -> None:
    """Remove the old part files that this program has left for standard output. Raise OSError.

    Links are neither followed nor removed, and files of other users stay.
    """
    if folder.is_symlink():
        return
    for path in folder.iterdir():
        # Another run may have removed it just now.
        with suppress(FileNotFoundError):
            if _PART.fullmatch(path.name) and _is_old_and_ours(path.lstat()):
                path.unlink()


def _is_old_and_ours(status: os.stat_result) -> bool:
    return (
        stat.S_ISREG(status.st_mode)
        # Windows knows no owner's number.
        and (os.name == "nt" or status.st_uid == os.geteuid())
        and status.st_mtime < time.time() - _KEPT_SECONDS
    )


async def write_to_standard_output(file: Path) -> None:
    """Copy the file there. Raise DownloadFailed if the reader does not take it all."""
    try:
        await start_in_thread(lambda: _copy(file), "output")
    except OSError as error:
        raise DownloadFailed(
            f"standard output did not take the whole song: {error.strerror}",
            "It is not charged twice: run the same command again.",
        ) from error


def _copy(file: Path) -> None:
    # Past Python's own buffer, which would keep the program waiting for a reader that has stopped.
    descriptor = sys.stdout.fileno()
    with file.open("rb", buffering=0) as source:
        while block := source.read(_BLOCK):
            while block:
                try:
                    block = block[os.write(descriptor, block) :]
                except BlockingIOError:
                    # Another program that shares the pipe has made it non-blocking.
                    select.select([], [descriptor], [])
