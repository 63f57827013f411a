"""Songs in a file: read for `--from-file`, and written for `--errors`."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from suno_wav_cli.conversion.list_lines import HEADER, needs_header, parse_lines
from suno_wav_cli.conversion.resume_hint import how_to_make
from suno_wav_cli.errors import UsageError
from suno_wav_cli.models import Song
from suno_wav_cli.system.atomic_file import write_atomically
from suno_wav_cli.system.look import is_folder, look_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

STANDARD_INPUT = "-"

_LARGEST = 4_000_000
_MOST_SONGS = 10_000


def read_songs(source: str, service: Sequence[str] = ()) -> list[Song]:
    """Read the file named `source`, or standard input. A song that is listed twice counts once.

    `service` are the options that choose the service. Raise UsageError that names the line.
    """
    name = "standard input" if source == STANDARD_INPUT else source
    songs: list[Song] = []
    for found in parse_lines(_text(source, name), service):
        if isinstance(found, Song):
            songs.append(found)
        else:
            number, error = found
            raise UsageError(
                f"{name}, line {number}: {error.message}", error.remedy, continue_argv=error.continue_argv
            )
    try:
        songs = unique_songs(songs)
    except UsageError as error:
        raise UsageError(f"{name}: {error.message}", error.remedy) from None
    if len(songs) > _MOST_SONGS:
        raise UsageError(f"{name} holds {len(songs)} songs", f"Convert at most {_MOST_SONGS} at a time.")
    return songs


def unique_songs(songs: Iterable[Song]) -> list[Song]:
    """Keep one of each song, with its music task if any of them names it.

    Raise UsageError if they name two.
    """
    found: dict[str, Song] = {}
    for song in songs:
        known = found.setdefault(song.audio_id, song)
        tasks = {known.music_task_id, song.music_task_id} - {None}
        if len(tasks) > 1:
            raise UsageError(
                f"{song.audio_id} is given twice, with different task ids", "Leave one of the two out."
            )
        if known.music_task_id is None:
            found[song.audio_id] = song
    return list(found.values())


def check_writable(path: Path) -> None:
    """Raise UsageError, before anything is paid for, if a list cannot be written to `path`."""
    if not is_folder(path.parent):
        raise UsageError(f"--errors: there is no folder {path.parent}", how_to_make(path.parent))
    found = look_at(path)
    if found is not None and not stat.S_ISREG(found.st_mode):
        raise UsageError(f"--errors: {path} is not a file", "Name a file.")


def write_failures(path: Path, failures: Sequence[tuple[Song, str]]) -> bool:
    """Write each song that failed, and why as a comment. Tell whether there is a file now.

    The file replaces an existing one as a whole. If nothing failed, an existing file becomes empty,
    and no new one is made. Raise UsageError.
    """
    if not failures and look_at(path) is None:
        return False
    lines = [_line(song, reason) for song, reason in failures]
    if any(needs_header(song) for song, _ in failures):
        lines.insert(0, f"{HEADER}\n")
    try:
        # A link to the list stays a link.
        real = Path(os.path.realpath(path))
        write_atomically(real, "".join(lines).encode(errors="replace"), 0o666)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"--errors: {path} cannot be written: {getattr(error, 'strerror', None) or error}",
            "The same command, with another --errors, pays for nothing twice.",
        ) from error
    return True


def _line(song: Song, reason: str) -> str:
    words = [song.audio_id, *([song.music_task_id] if song.music_task_id else [])]
    comment = "".join(character if character.isprintable() else " " for character in reason)
    return f"{' '.join(words)}  # {comment}\n"


def _text(source: str, name: str) -> str:
    try:
        content = _content(source)
    except (OSError, ValueError, RuntimeError) as error:
        # A null character in the name, or a home folder that is not known.
        raise UsageError(
            f"{name} cannot be read: {getattr(error, 'strerror', None) or error}",
            "Name a file with one AUDIO_ID a line.",
        ) from error
    if len(content) > _LARGEST:
        raise UsageError(
            f"{name} is larger than {_LARGEST // 1_000_000} MB", "Convert fewer songs at a time."
        )
    try:
        # Some editors begin a file with a byte order mark.
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{name}, line {line} is not UTF-8 text", "Save the file as UTF-8.") from None


def _content(source: str) -> bytes:
    if source == STANDARD_INPUT:
        if sys.stdin is None:
            return b""
        return sys.stdin.buffer.read(_LARGEST + 1)
    with Path(source).expanduser().open("rb") as file:
        return file.read(_LARGEST + 1)
