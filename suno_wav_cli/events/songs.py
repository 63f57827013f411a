"""Songs that are paid for: converted, downloaded, saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from suno_wav_cli.events.event import event

if TYPE_CHECKING:
    from decimal import Decimal
    from pathlib import Path

    from suno_wav_cli.models import AudioLevels, WavFormat, WavRecord


@event
class LookedUp:
    """The service answered a status check.

    record: its answer; `record.url` may be a signed URL.
    """

    audio_id: str
    record: WavRecord


@event
class StateChanged:
    """`status --watch`: the state of a task differs from the last check.

    record: the service's answer; `record.url` may be a signed URL.
    seen_at: time of the check.
    """

    audio_id: str
    record: WavRecord
    seen_at: float


@event
class LookupFailed:
    """A status check failed and will be repeated. Reported once for each reason."""

    audio_id: str
    task_id: str
    message: str


@event
class TaskMessage:
    """The service says something of a task that it has not finished. Reported once for each message."""

    audio_id: str
    task_id: str
    message: str


@event
class DownloadStarted:
    """The song is converted and its download begins.

    path: null if the file goes to standard output.
    received: bytes that an earlier run has left in the part file.
    """

    audio_id: str
    title: str | None
    task_id: str
    path: Path | None
    received: int


@event
class DownloadProgress:
    """Bytes have arrived; at most one event per second and song.

    received: bytes on the disk.
    total: size of the file in bytes; null if the server does not tell it.
    """

    audio_id: str
    received: int
    total: int | None


@event
class DownloadRetried:
    """The download was interrupted and will continue.

    seconds: until then.
    """

    audio_id: str
    reason: str
    seconds: float


@event
class ConnectionsReduced:
    """A download with several connections failed and continues with one."""

    audio_id: str
    reason: str


@event
class TagsMissing:
    """`--tag`: some tags could not be fetched or written; the song is saved without them."""

    audio_id: str
    reason: str


@event
class Saved:
    """The file is complete, checked and in place.

    path: null if the file went to standard output.
    bytes: size of the file.
    sha256: of the whole file, in hexadecimal.
    silent: whether all samples are equal.
    credits: what the conversion has really cost; null if the service does not tell it.
    price: what was quoted, in credits.
    """

    audio_id: str
    task_id: str
    path: Path | None
    bytes: int
    sha256: str
    format: WavFormat
    silent: bool
    credits: Decimal | None
    price: Decimal


@event
class LevelsMeasured:
    """How the only song of a run sounds; only measured if standard error is a terminal."""

    audio_id: str
    levels: AudioLevels


@event
class Skipped:
    """The file exists already, so nothing was paid for.

    tags_wanted: whether `--tag` was given; the tags were not written.
    """

    audio_id: str
    path: Path
    tags_wanted: bool


@event
class Detached:
    """`--no-wait`: the song was submitted and the program does not wait for it.

    kept_days: how long the service keeps the file.
    resume_hint: the command line that finishes the conversion; for the sandbox of a single run,
        which is gone, a sentence.
    """

    audio_id: str
    task_id: str
    kept_days: int
    resume_hint: str
    continue_argv: tuple[str, ...]


@event
class SongFailed:
    """The song could not be finished.

    task_id: null if the song was not submitted.
    exit_code: what the command would exit with for this song alone.
    """

    audio_id: str
    task_id: str | None
    exit_code: int
    message: str
    remedy: str
    continue_argv: tuple[str, ...] | None


@event
class TaskStatus:
    """`status`: what the service and the journal say of a task.

    audio_id: the task id if the song is unknown.
    title: of the song; null if it is not known.
    record: the service's answer; `record.url` may be a signed URL.
    journal_state: null if the task is not in the journal.
    target: where the file is to be saved.
    path: where the file was saved; null if it never was.
    path_exists: whether the file is still there; an object is there once it was uploaded.
    """

    audio_id: str
    title: str | None
    record: WavRecord
    journal_state: str | None
    target: Path | None
    path: Path | None
    path_exists: bool


SongEvent: TypeAlias = (
    LookedUp
    | StateChanged
    | LookupFailed
    | TaskMessage
    | DownloadStarted
    | DownloadProgress
    | DownloadRetried
    | ConnectionsReduced
    | TagsMissing
    | Saved
    | LevelsMeasured
    | Skipped
    | Detached
    | SongFailed
    | TaskStatus
)
