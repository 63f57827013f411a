"""A command as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Summary:
    """What was asked for against what was got; the last four add up to the first. `unfinished` go on at the service."""

    requested: int
    saved: int
    skipped: int
    failed: int
    unfinished: int


@dataclass(frozen=True)
class FailuresListed:
    """The songs without a file are in `path`, in the format of `--from-file`; it is empty where there are none."""

    path: Path
    songs: int


@dataclass(frozen=True)
class Interrupted:
    """`continue_with` is the command line that finishes what was begun, None where there is nothing to finish."""

    signal: str
    continue_with: str | None


@dataclass(frozen=True)
class Failed:
    """The command as a whole could not be done."""

    exit_code: int
    message: str
    remedy: str
