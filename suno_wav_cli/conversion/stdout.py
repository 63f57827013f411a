"""`--out -`: one song, whole and checked, to standard output."""

from __future__ import annotations

import os
import select
import sys
from typing import TYPE_CHECKING

from suno_wav_cli.errors import DownloadFailed, UsageError
from suno_wav_cli.system.threads import start_in_thread

if TYPE_CHECKING:
    from pathlib import Path

STANDARD_OUTPUT = "-"
_BLOCK = 1024 * 1024


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
