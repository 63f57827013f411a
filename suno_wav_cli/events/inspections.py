"""What files turn out to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from suno_wav_cli.events.event import event

if TYPE_CHECKING:
    from pathlib import Path

    from suno_wav_cli.models import AudioLevels, Tag, WavFormat


@event
class Recording:
    """What is in a WAV, or in the part of it that is there. `container` is RIFF, RF64 or BW64.

    `missing` is how many bytes it ends early. `portrait` is None where its encoding cannot be measured. `remarks`
    complete the sentence "it …".
    """

    container: str
    format: WavFormat
    seconds: float
    missing: int
    portrait: AudioLevels | None
    remarks: tuple[str, ...]
    tags: tuple[Tag, ...]


@event
class Inspected:
    """One file. `recording` is None where it is no WAV or cannot be read.

    `exit_code` is what the file alone would have ended the command with; where it is not 0, `problem` says why, and
    `remedy` what to do. `bytes` is the size of the file, None where it cannot be told.
    """

    path: Path
    bytes: int | None
    recording: Recording | None
    exit_code: int
    problem: str | None
    remedy: str | None
