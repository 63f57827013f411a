"""The nouns that the modules exchange. Imports nothing of ours."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Secret:
    """A text that must not be shown: its `repr`, and so every log line and traceback, hides it.

    `origin` says where it was found, for people.
    """

    value: str = field(repr=False)
    origin: str | None = field(default=None, compare=False)


@dataclass(frozen=True, kw_only=True)
class Song:
    """One track to convert. `audio_id` names the track, `music_task_id` the task that generated it."""

    audio_id: str
    music_task_id: str | None = None
    title: str | None = None


@dataclass(frozen=True, kw_only=True)
class Track:
    """What the service says of a song (api/README.md, section 6).

    `tags` is its style; `duration` in seconds; `complete` where the song's audio is there, which before the end of the
    music task it may not be.
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
    """A music task and what it has made so far. `flag` is the service's own word for its state."""

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
    """What a file can say of its song; None for what is not known."""

    title: str | None = None
    style: str | None = None
    lyrics: str | None = None
    cover: Cover | None = None


@dataclass(frozen=True, kw_only=True)
class Order:
    """A song and the file it shall become."""

    song: Song
    target: Path


class TunnelMode(StrEnum):
    """How callbacks reach this machine: `AUTO` tries a tunnel and falls back to polling."""

    AUTO = "auto"
    NGROK = "ngrok"
    NONE = "none"


class WavState(StrEnum):
    PENDING = "pending"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class WavRecord:
    """What `record-info` says of a WAV task (api/README.md, section 4).

    `flag`, `error_code` and `error_message` are the service's own words; `url` is set exactly when `state` is READY;
    `created` and `completed` are text as the service sent it, without a zone.
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


@dataclass(frozen=True, kw_only=True)
class WavFormat:
    """A WAV's own account of itself.

    `bits` of a sample as it is stored, 0 where the encoding has no such thing; `valid_bits` of them carry sound, where
    the file says so. The audio is `data_bytes` long, without the headers, and begins at the offset `data_start`.
    `coded_byte_rate`, in bytes a second, is that of a compressed encoding; of any other it follows from the rest.
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
        """The length of one sample of every channel; 0 where the encoding is a compressed one."""
        return 0 if self.coded_byte_rate else self.channels * (self.bits // 8)

    @property
    def seconds(self) -> float:
        return self.data_bytes / (self.coded_byte_rate or self.sample_rate * self.frame_bytes)


@dataclass(frozen=True, kw_only=True)
class AudioLevels:
    """What the samples of a file show.

    `peak` and `loudness`, the RMS of all channels over the whole length, are in dBFS: 0 is the largest sample that can
    be, and a full-scale sine has a loudness of -3.01. Both are None where there is nothing but zeros. `clipped` counts
    the runs of three samples or more of one channel at full scale or beyond. `quiet_start` and `quiet_end` are the
    seconds below -60 dBFS at both ends. `silent` says that no sample differs from another. `unusable` counts what is no
    sample: NaN, infinite, or beyond reason. `waveform` has the peaks of equal parts of the length, from 0 to 1.
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
    """`name` in plain English where there is a word for it, `key` as the file has it: INAM, TIT2."""

    name: str
    key: str
    value: str
