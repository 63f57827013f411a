"""A command as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from suno_wav_cli.events.event import event

if TYPE_CHECKING:
    from pathlib import Path


@event
class Summary:
    """What was asked for against what was got; the last four add up to the first. `unfinished` go on at the service."""

    requested: int
    saved: int
    skipped: int
    failed: int
    unfinished: int


@event
class FailuresListed:
    """The songs without a file are in `path`, in the format of `--from-file`; it is empty where there are none."""

    path: Path
    songs: int


@event
class Interrupted:
    """`continue_with` is the command line that finishes what was begun, None where there is nothing to finish."""

    signal: str
    continue_with: str | None


@event
class Failed:
    """The command as a whole could not be done."""

    exit_code: int
    message: str
    remedy: str
