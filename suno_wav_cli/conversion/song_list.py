"""Songs in a file: read for `--from-file`, and written for `--errors`."""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from suno_wav_cli.conversion.list_columns import HEADER
from suno_wav_cli.conversion.list_lines import FAILURE, SongLines, needs_header
from suno_wav_cli.conversion.targets import check_file
from suno_wav_cli.conversion.text_lines import read_lines
from suno_wav_cli.errors import UsageError
from suno_wav_cli.events.payments import LineRefused
from suno_wav_cli.system.atomic_file import write_atomically
from suno_wav_cli.system.look import look_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from suno_wav_cli.events import Report
    from suno_wav_cli.models import Song

STANDARD_INPUT = "-"

_MOST_SONGS = 1_000_000
_MOST_LINES_SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class SongList:
    """The songs of a list, each once. `--errors` may replace the list if that `is_plain`."""

    name: str
    songs: list[Song]
    is_plain: bool


def read_songs(source: str, report: Report, service: Sequence[str] = ()) -> SongList:
    """Read the file named `source`, or standard input. A song that is listed twice counts once.

    `service` are the options that choose the service. Report the first bad lines, and raise
    UsageError if there is any.
    """
    name = "standard input" if source == STANDARD_INPUT else source
    try:
        with _opened(source) as file:
            return _read(_lines(file, name), name, report, service)
    except (OSError, ValueError, RuntimeError) as error:
        # A null character in the name, or a home folder that is not known.
        raise UsageError(
            f"{name} cannot be read: {getattr(error, 'strerror', None) or error}",
            "Name a file with one AUDIO_ID a line: --from-file FILE.",
        ) from error


def _lines(file: BinaryIO, name: str) -> Iterator[str]:
    try:
        yield from read_lines(file)
    except UsageError as error:
        raise UsageError(f"{name}: {error.message}", error.remedy) from None


def _read(lines: Iterable[str], name: str, report: Report, service: Sequence[str]) -> SongList:
    found = SongLines(lines, service)
    songs: dict[str, Song] = {}
    bad: list[tuple[int, UsageError]] = []
    count = 0
    for number, song in found:
        problem = song if isinstance(song, UsageError) else _add(song, songs)
        if problem is not None:
            count += 1
            if count <= _MOST_LINES_SHOWN:
                bad.append((number, problem))
        if len(songs) > _MOST_SONGS:
            raise UsageError(
                f"{name} holds more than {_MOST_SONGS:,} songs", f"Convert at most {_MOST_SONGS:,} at a time."
            )
    if count == 1:
        ((number, error),) = bad
        raise UsageError(
            f"{name}, line {number}: {error.message}", error.remedy, continue_argv=error.continue_argv
        )
    for number, error in bad:
        report(LineRefused(source=name, line=number, message=error.message))
    if bad:
        shown = f"; the first {len(bad)} are above" if count > len(bad) else ""
        raise UsageError(f"{name}: {count} lines cannot be read{shown}", bad[0][1].remedy)
    return SongList(name=name, songs=list(songs.values()), is_plain=found.is_plain)


def _add(song: Song, songs: dict[str, Song]) -> UsageError | None:
    """Add a song, with its music task and title if any of its lines names them.

    Return an error if two lines name different tasks.
    """
    known = songs.setdefault(song.audio_id, song)
    if known is song:
        return None
    if None not in (known.music_task_id, song.music_task_id) and known.music_task_id != song.music_task_id:
        return UsageError(
            f"{song.audio_id} is given twice, with different task ids", "Leave one of the two out."
        )
    songs[song.audio_id] = replace(
        known,
        music_task_id=known.music_task_id or song.music_task_id,
        title=known.title or song.title,
    )
    return None


def unique_songs(songs: Iterable[Song]) -> list[Song]:
    """Keep one of each song, with its music task and title if any of them names it.

    Raise UsageError if they name two tasks.
    """
    found: dict[str, Song] = {}
    for song in songs:
        problem = _add(song, found)
        if problem is not None:
            raise problem
    return list(found.values())


def check_writable(path: Path, source: str | None = None, *, is_plain: bool = True) -> None:
    """Raise UsageError, before anything is paid for, if a list cannot be written to `path`.

    It may replace the list `source` only if that `is_plain`: columns and objects would be lost.
    """
    found = check_file(path, "--errors")
    if found is not None and source is not None and not is_plain and _is_same(found, source):
        raise UsageError(
            f"--errors: {path} is the list itself, and its columns or objects would be lost",
            "Name another file. Only a list of plain lines can be its own list of errors.",
        )


def write_failures(path: Path, failures: Sequence[tuple[Song, str]], *, private: bool = False) -> bool:
    """Write each song that failed, and why as a comment. Tell whether there is a file now.

    The file replaces an existing one as a whole. If nothing failed, an existing file becomes empty,
    and no new one is made. A `private` list is of this program's own, so that a link is replaced.
    Raise UsageError.
    """
    if not failures and look_at(path) is None:
        return False
    lines = [_line(song, reason) for song, reason in failures]
    if any(needs_header(song) for song, _ in failures if not song.title):
        lines.insert(0, f"{HEADER}\n")
    try:
        # A link to the list stays a link.
        real = path if private else Path(os.path.realpath(path))
        real.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(real, "".join(lines).encode(errors="replace"), 0o600 if private else 0o666)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"--errors: {path} cannot be written: {getattr(error, 'strerror', None) or error}",
            "The same command, with another --errors, pays for nothing twice.",
        ) from error
    return True


def _is_same(found: os.stat_result, source: str) -> bool:
    """Tell whether a file is the list that was read."""
    # Standard input may be the file, too. What cannot be looked at any more is not.
    with suppress(OSError, ValueError, RuntimeError, AttributeError):
        status = (
            os.fstat(sys.stdin.fileno()) if source == STANDARD_INPUT else Path(source).expanduser().stat()
        )
        return os.path.samestat(found, status)
    return False


def _line(song: Song, reason: str) -> str:
    comment = "".join(character if character.isprintable() else " " for character in reason)
    if song.title:
        named = {"audio_id": song.audio_id, "music_task_id": song.music_task_id, "title": song.title}
        return f"{json.dumps(named | {FAILURE: comment})}\n"
    words = [song.audio_id, *([song.music_task_id] if song.music_task_id else [])]
    return f"{' '.join(words)}  # {comment}\n"


@contextmanager
def _opened(source: str) -> Iterator[BinaryIO]:
    if source == STANDARD_INPUT:
        # It stays open: the terminal's questions may need it.
        yield BytesIO() if sys.stdin is None else sys.stdin.buffer
        return
    with Path(source).expanduser().open("rb") as file:
        yield file
