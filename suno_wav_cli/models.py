"""The vocabulary that the packages share. Imports nothing else of ours."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal


_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+~-]{0,127}")


def is_id(text: str) -> bool:
    """Tell whether a text may be an id of any kind, typed by a person or named by the service."""
    return _ID.fullmatch(text) is not None


@dataclass(frozen=True, kw_only=True)
class Secret:
    """A text that must not be shown. Its `repr` hides it from logs and tracebacks.

    `origin` tells the user where it was found.
    """

    value: str = field(repr=False)
    origin: str | None = field(default=None, compare=False)


@dataclass(frozen=True, kw_only=True)
class SubmissionWindow:
    """At most `submissions` in any `seconds`, as the service counts them (api/README.md, section 3)."""

    submissions: int = 20
    seconds: float = 10.0

    def __str__(self) -> str:
        return f"{self.submissions}/{self.seconds:g}s"


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownTask:
    """A conversion that another machine has paid for, and its file, as `--info-json` has written it there.

    `submitted` is in seconds since 1970.
    """

    provider: str
    base_url: str
    task_id: str
    submitted: float
    bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Song:
    """One track to convert: `audio_id` is the track, `music_task_id` the task that generated it."""

    audio_id: str
    music_task_id: str | None = None
    title: str | None = None
    known: KnownTask | None = None


@dataclass(frozen=True, kw_only=True)
class Track:
    """What the service knows about a song (api/README.md, section 6).

    `tags` is its style, `duration` is in seconds. `complete` is False while the music task is still
    generating the song's audio.
    """

    audio_id: str
    music_task_id: str
    title: str | None
    tags: str | None
    duration: float | None
    complete: bool
    lyrics: str | None = None
    image_url: str | None = None


@dataclass(frozen=True, kw_only=True)
class MusicTask:
    """A music task and its tracks so far. `flag` is the service's word for its state."""

    task_id: str
    flag: str | None
    tracks: tuple[Track, ...]


@dataclass(frozen=True, kw_only=True)
class Cover:
    """A picture and its media type, `image/jpeg` or `image/png`."""

    content: bytes = field(repr=False)
    media_type: str


@dataclass(frozen=True, kw_only=True)
class SongTags:
    """The tags of a file. None means that the value is not known."""

    title: str | None = None
    style: str | None = None
    lyrics: str | None = None
    cover: Cover | None = None


class TunnelMode(StrEnum):
    """How callbacks reach this machine: `AUTO` tries a tunnel and falls back to polling."""

    AUTO = "auto"
    NGROK = "ngrok"
    NONE = "none"


class WavState(StrEnum):
    """The state of a WAV task, whatever words the service uses."""

    PENDING = "pending"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class WavRecord:
    """What the service says about a WAV task (api/README.md, sections 4 and 7).

    `flag`, `error_code` and `error_message` are the service's own words. `url` is set if and only
    if `state` is READY; `unusable_url` is an address that cannot be used. `created` and
    `completed` are the service's texts, without a time zone; `created_at` and `completed_at` are the
    same in seconds since 1970, if the service says it exactly. `credits` is what the task has really cost. `raw` is
    the record as it came, without fields that nest deeper than 100 levels.
    """

    task_id: str
    state: WavState
    flag: str | None = None
    url: str | None = None
    audio_id: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    created: str | None = None
    completed: str | None = None
    created_at: float | None = None
    completed_at: float | None = None
    unusable_url: str | None = None
    credits: Decimal | None = None
    raw: Mapping[str, object] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class WavFormat:
    """What a WAV's header says.

    `bits` is the stored size of a sample, 0 for an encoding without a fixed size. `valid_bits` of
    them carry sound, if the file says so. The audio has `data_bytes` and begins at offset
    `data_start`. `coded_byte_rate`, in bytes a second, is set for compressed encodings only.
    """

    encoding: str
    sample_rate: int
    bits: int
    channels: int
    data_bytes: int
    data_start: int = 44
    valid_bits: int | None = None
    coded_byte_rate: float | None = None

    @property
    def frame_bytes(self) -> int:
        """The size of one sample of all channels, 0 for a compressed encoding."""
        return 0 if self.coded_byte_rate else self.channels * (self.bits // 8)

    @property
    def seconds(self) -> float:
        return self.data_bytes / (self.coded_byte_rate or self.sample_rate * self.frame_bytes)


@dataclass(frozen=True, kw_only=True)
class AudioLevels:
    """Measurements of a file's samples.

    `peak` and `loudness` are in dBFS, where 0 is the largest possible sample. `loudness` is the RMS
    of all channels over the whole length; a full-scale sine has -3.01. Both are None if all samples
    are 0. `clipped` counts runs of at least three samples of a channel at or above full scale.
    `quiet_start` and `quiet_end` are the seconds below -60 dBFS at both ends. `silent` means that
    all samples are equal. `unusable` counts values that are NaN, infinite or absurdly large.
    `waveform` holds the peaks of equal parts of the length, from 0 to 1.
    """

    peak: float | None
    loudness: float | None
    clipped: int
    quiet_start: float
    quiet_end: float
    silent: bool
    unusable: int
    waveform: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Tag:
    """One tag of a file.

    `key` is the file's own, like INAM or TIT2; `name` is the same in English.
    """

    name: str
    key: str
    value: str
