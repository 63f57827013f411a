"""What is in force, and where it comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from suno_wav_cli.events.event import event

if TYPE_CHECKING:
    from pathlib import Path


@event
class SettingShown:
    """`source` is flag, variable, file or default; `place` names the flag, the variable, or the file and line.

    `value` is None where nothing is set. Durations are in seconds.
    """

    name: str
    value: object
    source: str
    place: str | None


@event
class SecretShown:
    """Whether there is one, and where it comes from; never what it is."""

    name: str
    is_set: bool
    place: str | None


@event
class ConfigLocated:
    """Where config.toml is, or would be."""

    path: Path
    exists: bool


@event
class PathShown:
    """A file or folder that the program uses; `exists` says whether it is there."""

    name: str
    path: Path
    exists: bool
