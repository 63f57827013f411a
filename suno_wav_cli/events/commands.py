"""Commands: what they list, and what the sandbox does."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from suno_wav_cli.events.event import event

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal
    from pathlib import Path

    from suno_wav_cli.models import AudioLevels, Tag, Track, WavFormat


@event
class Job:
    """A conversion as the journal knows it.

    state: of the conversion, in the journal's words.
    message: why it failed.
    created: time of the submission.
    updated: time of the last change.
    expires: time at which the service deletes the file, at the latest.
    path: where the file was saved; null if it never was.
    path_exists: whether the file is still there; an object is there once it was uploaded.
    target: where the file is to be saved.
    service: address of the API that was paid.
    credits: what the conversion has really cost; null if the service does not tell it.
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
    credits: Decimal | None


@event
class JobList:
    """`jobs`: the conversions in the journal; in JSON, one object per conversion.

    listing: which were asked for: `all`, `unfinished`, `failed` or `expiring`.
    total: how many there are, of which `items` are the first.
    """

    items: tuple[Job, ...]
    listing: str
    total: int


@event
class TrackList:
    """`tracks`: the songs of a music task; in JSON, one object per song.

    flag: the service's own word for the state of the music task.
    """

    items: tuple[Track, ...]
    music_task_id: str
    flag: str | None


@event
class RawRecord:
    """`status --raw`: the service's record of a task as it came.

    record: the path of a `callbackUrl` is hidden, but its WAV URL may be a signed URL.
    """

    task_id: str
    record: Mapping[str, object]


@event
class SongsGivenUp:
    """`resume` without ids: songs have no file, and only another `convert` may bring it.

    count: number of songs that were refused, failed or forgotten at the service in use.
    """

    count: int


@event
class OtherServiceJobs:
    """`resume`: there are unfinished conversions of another service than the one in use.

    service: address of its API.
    count: number of these conversions.
    resume_hint: the command line that finishes them.
    """

    service: str
    provider: str
    count: int
    resume_hint: str
    continue_argv: tuple[str, ...]


@event
class WavContents:
    """What is in a WAV file, or in the part of it that is there.

    container: RIFF, RF64 or BW64.
    seconds: length of the audio.
    missing_bytes: how many bytes the file is too short.
    levels: null if the encoding cannot be measured.
    remarks: unusual but harmless; each continues the sentence "it …".
    """

    container: str
    format: WavFormat
    seconds: float
    missing_bytes: int
    levels: AudioLevels | None
    remarks: tuple[str, ...]
    tags: tuple[Tag, ...]


@event
class Inspected:
    """`inspect`: a file was examined.

    bytes: size of the file; null if unknown.
    wav: null if the file is not a WAV or cannot be read.
    exit_code: what the command would exit with for this file alone.
    problem: what is wrong with the file; null if nothing is.
    remedy: what to do about it.
    """

    path: Path
    bytes: int | None
    wav: WavContents | None
    exit_code: int
    problem: str | None
    remedy: str | None


@event
class SandboxStarted:
    """`--provider sandbox`: the program started a service of its own."""

    base_url: str


@event
class SandboxServing:
    """`sandbox`: the service accepts requests.

    signed: whether it signs callbacks.
    """

    base_url: str
    signed: bool


@event
class SandboxId:
    """`sandbox --list`: an audio id that the sandbox knows."""

    audio_id: str
    description: str


@event
class RequestServed:
    """`sandbox`: it answered a request, or posted a callback.

    method: of the HTTP request, or `CALLBACK`.
    path: of the request, or the address that the callback went to.
    status: HTTP status; 0 if there was none.
    detail: more about the answer; may be empty.
    """

    method: str
    path: str
    status: int
    detail: str


CommandEvent: TypeAlias = (
    JobList
    | TrackList
    | RawRecord
    | OtherServiceJobs
    | SongsGivenUp
    | Inspected
    | SandboxStarted
    | SandboxServing
    | SandboxId
    | RequestServed
)
