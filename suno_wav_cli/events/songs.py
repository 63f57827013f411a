"""The way of a song: submitted, asked about, downloaded, saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from suno_wav_cli.events.event import event

if TYPE_CHECKING:
    from pathlib import Path

    from suno_wav_cli.models import AudioLevels, WavFormat, WavRecord


@event
class Submitting:
    """The paid request is about to leave."""

    audio_id: str


@event
class SubmissionDelayed:
    audio_id: str
    reason: str
    seconds: float


@event
class Submitted:
    audio_id: str
    task_id: str


@event
class Resumed:
    """A conversion that was paid for before, and is continued."""

    audio_id: str
    task_id: str
    reason: str


@event
class LookedUp:
    audio_id: str
    record: WavRecord


@event
class StateChanged:
    """A task that is watched is in another state than at the lookup before. `seen` is in seconds since 1970."""

    audio_id: str
    record: WavRecord
    seen: float


@event
class LookupFailed:
    audio_id: str
    task_id: str
    message: str


@event
class DownloadStarted:
    """`path` is None where the file goes to standard output, `received` what an earlier run has left to continue."""

    audio_id: str
    task_id: str
    path: Path | None
    received: int


@event
class DownloadProgress:
    """`total` is None where the server does not say it."""

    audio_id: str
    received: int
    total: int | None


@event
class DownloadRetried:
    """The download goes on in so many seconds."""

    audio_id: str
    reason: str
    seconds: float


@event
class ConnectionsReduced:
    """Several connections brought trouble, and the download goes on with one."""

    audio_id: str
    reason: str


@event
class TagsMissing:
    """The song is saved all the same, with the tags that could be had."""

    audio_id: str
    reason: str


@event
class Saved:
    """`path` is None where the file went to standard output; `silent` where every sample is the same."""

    audio_id: str
    task_id: str
    path: Path | None
    bytes: int
    sha256: str
    format: WavFormat
    silent: bool


@event
class Portrayed:
    """How the song that was saved sounds, for somebody who watches."""

    audio_id: str
    portrait: AudioLevels


@event
class Skipped:
    """The file is there already, and nothing was paid for; `tags_wanted` says that they were not written into it."""

    audio_id: str
    path: Path
    tags_wanted: bool


@event
class Detached:
    """Submitted, and not waited for. The service keeps the file `kept_days`."""

    audio_id: str
    task_id: str
    kept_days: int
    continue_with: str


@event
class SongFailed:
    audio_id: str
    task_id: str | None
    exit_code: int
    message: str
    remedy: str


@event
class TaskStatus:
    """The service's record beside what the journal adds. `audio_id` is the task's where the song is not known."""

    audio_id: str
    record: WavRecord
    journal_state: str | None
    target: Path | None
