"""Lists: of what this machine knows, and of what a music task has made. Each item is one line, and one JSON object."""

from __future__ import annotations

from typing import TYPE_CHECKING

from suno_wav_cli.events.event import event

if TYPE_CHECKING:
    from pathlib import Path

    from suno_wav_cli.models import Track


@event
class Job:
    """A conversion as the journal knows it. Times are seconds since 1970, UTC.

    The service deletes its file at `expires`, or before. `path` is where the file is, or was when `path_exists` is
    False; None where it was never saved, and `target` is then where it shall go. `provider` and `service`, the API's
    address, say whom it was paid to.
    """

    audio_id: str | None
    title: str | None
    task_id: str | None
    music_task_id: str | None
    state: str
    message: str | None
    created: float
    updated: float
    expires: float | None
    path: Path | None
    path_exists: bool
    target: Path | None
    sha256: str | None
    provider: str
    service: str


@event
class JobList:
    """The first of `total` conversions; `listing` says which were asked for: all, unfinished, failed, expiring."""

    items: tuple[Job, ...]
    listing: str
    total: int


@event
class TrackList:
    """`flag` is the service's own word for the state of the music task."""

    items: tuple[Track, ...]
    music_task_id: str
    flag: str | None


@event
class OtherServiceJobs:
    """Unfinished conversions of another service than the one in force."""

    service: str
    provider: str
    count: int
    continue_with: str
