"""`--info-json`: what is known of a song, in a JSON file beside it that `--from-file` reads."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from suno_wav_cli.errors import OutputExists
from suno_wav_cli.models import Track
from suno_wav_cli.remote.address import is_remote
from suno_wav_cli.system.atomic_file import write_atomically
from suno_wav_cli.system.look import is_absent, is_file

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal
    from pathlib import Path

    from suno_wav_cli.journal.entry import JournalEntry
    from suno_wav_cli.models import WavFormat
    from suno_wav_cli.remote.stores import ObjectStores

MADE_BY = "suno-wav/1"
"""Tells these files from others, and the version of their fields (conversion/README.md)."""

_LARGEST = 1_000_000


@dataclass(frozen=True, kw_only=True)
class SavedSong:
    """A song that is saved. `place` is its file's whole path, or the address of its object.

    `format` is None for an object that an earlier run has sent.
    """

    entry: JournalEntry
    place: str
    file_name: str
    bytes: int
    sha256: str
    format: WavFormat | None


def info_of(target: Path) -> Path:
    """Return the JSON file of a song: `song.json` for `song.wav`."""
    stem = target.name[:-4] if target.name.lower().endswith(".wav") else target.name
    return target.with_name(f"{stem or target.name}.json")


def check_info_files(songs: Iterable[tuple[str, Path]]) -> None:
    """Raise OutputExists, before anything is paid for, if a name is taken by a file that is not ours.

    `songs` are audio ids and targets.
    """
    for audio_id, target in songs:
        path = info_of(target)
        if not is_absent(path) and not is_info_of(path, audio_id):
            raise OutputExists(
                f"{path} exists, and is not what --info-json has written for {audio_id}",
                "It was not touched. Move it, or choose another --out.",
            )


def is_info_of(path: Path, audio_id: str) -> bool:
    """Tell whether a file was written by `--info-json` for this song."""
    # To open a FIFO would wait for its writer.
    if is_file(path):
        with suppress(OSError), path.open("rb") as file:
            return is_info(file.read(_LARGEST), audio_id)
    return False


def is_info(content: bytes, audio_id: str) -> bool:
    """Tell whether this is what `--info-json` writes for a song."""
    with suppress(ValueError, RecursionError):
        found = json.loads(content)
        return isinstance(found, dict) and (found.get("made_by"), found.get("audio_id")) == (
            MADE_BY,
            audio_id,
        )
    return False


async def write_info(stores: ObjectStores, path: Path, audio_id: str, content: bytes) -> None:
    """Write the file or object as a whole, in place of an earlier one of this song.

    Raise OSError, or SunoWavError for an object.
    """
    if is_remote(path):
        await stores.write(path, content, ours=lambda there: is_info(there, audio_id))
    else:
        write_atomically(path, content, 0o666, replace=is_info_of(path, audio_id))


def make_info(song: SavedSong, track: Track | None, title: str | None, style: str | None) -> bytes:
    """Return the file's content: one line, so that several files one after another are a list of songs.

    `title` and `style` are what the journal knows, if the service tells none.
    """
    entry = song.entry
    track = track or Track(
        audio_id=entry.name,
        music_task_id=entry.music_task_id or "",
        title=title,
        tags=style,
        duration=None,
        complete=True,
    )
    content = {
        "made_by": MADE_BY,
        "audio_id": entry.name,
        "music_task_id": track.music_task_id or None,
        "wav_task_id": entry.wav_task_id,
        "provider": entry.provider,
        "base_url": entry.service,
        "title": track.title or title,
        "style": track.tags or style,
        "lyrics": track.lyrics,
        "image_url": track.image_url,
        "submitted": _date(entry.created),
        "saved": _date(entry.updated),
        "credits": _amount(entry.credits),
        "file": song.file_name,
        "bytes": song.bytes,
        "sha256": song.sha256,
        "format": song.format and asdict(song.format) | {"seconds": round(song.format.seconds, 3)},
    }
    return json.dumps(content, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def _date(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")


def _amount(credits_: Decimal | None) -> float | None:
    return None if credits_ is None else float(credits_)
