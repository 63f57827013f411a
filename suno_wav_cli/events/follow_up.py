"""What follows a whole file: its upload, its command, its JSON file, its line among the checksums."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from suno_wav_cli.events.event import event

if TYPE_CHECKING:
    from pathlib import Path


@event
class UploadStarted:
    """The whole file is on its way to the object store.

    url: of the object.
    bytes: size of the file.
    in_parts: whether it is sent in parts, because it is large.
    """

    audio_id: str
    url: str
    bytes: int
    in_parts: bool


@event
class UploadsLeftOpen:
    """An earlier run was killed while it sent files in parts. The store may keep these parts.

    urls: of the objects.
    """

    urls: tuple[str, ...]


@event
class StoreUnconditional:
    """The object store cannot refuse to replace an object, so each name is looked at before an upload.

    bucket: its name.
    """

    bucket: str


@event
class CommandOutput:
    """`--exec`: the command for a saved song has printed a line."""

    audio_id: str
    line: str


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


FollowUpEvent: TypeAlias = (
    UploadStarted
    | UploadsLeftOpen
    | StoreUnconditional
    | CommandOutput
    | CommandFailed
    | InfoIncomplete
    | InfoNotWritten
    | ChecksumsNotWritten
)
