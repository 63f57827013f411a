"""What follows a saved song: its command, its JSON file, its line among the checksums."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from suno_wav_cli.events.event import event

if TYPE_CHECKING:
    from pathlib import Path


@event
class CommandFailed:
    """`--exec`: the command for a saved song failed. The song stays saved, and the run ends with exit code 5.

    place: what stood for `{}`.
    code: exit code of the command; null if it has none.
    """

    audio_id: str
    place: str
    code: int | None
    reason: str


@event
class InfoIncomplete:
    """`--info-json`: the music task could not be looked up; the JSON file lacks style and lyrics."""

    audio_id: str
    reason: str


@event
class InfoNotWritten:
    """`--info-json`: the JSON file of a saved song could not be written. The run ends with exit code 5."""

    audio_id: str
    path: Path
    reason: str


@event
class ChecksumsNotWritten:
    """`--checksums`: the file could not be extended yet. The same command adds what is missing."""

    path: Path
    reason: str


FollowUpEvent: TypeAlias = CommandFailed | InfoIncomplete | InfoNotWritten | ChecksumsNotWritten
