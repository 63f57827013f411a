"""One line of a list of songs: plain words, columns with names, or a JSON object."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from suno_wav_cli.conversion.ids import any_audio_id_of, audio_id_of, id_of, is_uuid, looks_like_task
from suno_wav_cli.errors import UsageError
from suno_wav_cli.models import Song

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HEADER = "audio_id task_id"
"""Names the columns of a list in which a line could be misunderstood without."""

_WAY_OUT = (
    f"One song a line. If the second is the music task's id, begin the list with the line '{HEADER}', or write "
    '{"audio_id": "...", "music_task_id": "..."} on each line.'
)

# Only after a blank: a song's URL may hold one.
_COMMENT = re.compile(r"(^|\s)#.*")
_MOST_WORDS = 2
_SONG = "audio_id"
_MUSIC_TASKS = ("music_task_id", "task_id")


def parse_lines(text: str, service: Sequence[str]) -> Iterator[Song | tuple[int, UsageError]]:
    """Yield the song of each line, or the line's number and what is wrong with it.

    `service` are the options that choose the service, for the command that an error names.
    """
    columns: _Columns | None = None
    is_first = True
    for number, line in enumerate(text.split("\n"), start=1):
        if not _COMMENT.sub("", line).strip():
            continue
        try:
            if is_first:
                is_first, columns = False, _read_header(line)
                if columns is not None:
                    continue
            yield _parse(line, columns, service)
        except UsageError as error:
            yield number, error


def needs_header(song: Song) -> bool:
    """Tell whether the song's plain line would be refused."""
    if looks_like_task(song.audio_id):
        return True
    return song.music_task_id is not None and is_uuid(song.audio_id) and is_uuid(song.music_task_id)


@dataclass(frozen=True, kw_only=True)
class _Columns:
    """The names of a list's columns. They are separated by blanks if `delimiter` is None."""

    names: list[str]
    delimiter: str | None

    def cells(self, line: str) -> dict[str, str]:
        values = _split(line, self.delimiter)
        return {name: value for name, value in zip(self.names, values, strict=False) if value}


def _read_header(line: str) -> _Columns | None:
    delimiter = next((mark for mark in "\t,;" if mark in line.strip()), None)
    names = [name.lower() for name in _split(line, delimiter)]
    return _Columns(names=names, delimiter=delimiter) if _SONG in names else None


def _split(line: str, delimiter: str | None) -> list[str]:
    if delimiter is None:
        return _COMMENT.sub("", line).split()
    # A cell may hold a #.
    try:
        (row,) = csv.reader([line.rstrip("\r")], delimiter=delimiter, skipinitialspace=True)
    except csv.Error as error:
        raise UsageError(f"the columns cannot be read: {error}", "One song a line.") from None
    return [cell.strip() for cell in row]


def _parse(line: str, columns: _Columns | None, service: Sequence[str]) -> Song:
    if line.lstrip().startswith("{"):
        return _named_values(_json_object(line))
    if columns is not None:
        return _named_values(columns.cells(line))
    plain = _COMMENT.sub("", line)
    words = plain.split()
    if "://" not in plain and any(mark in plain for mark in ",;|"):
        raise UsageError("columns without names", _WAY_OUT)
    if len(words) > _MOST_WORDS:
        raise UsageError("more than an audio id and a task id", "One song a line: AUDIO_ID [TASK_ID]")
    if len(words) == 1 or is_uuid(words[1]):
        audio_id = audio_id_of(words[0], service)
    else:
        # Beside its task's id, it cannot be mistaken for one.
        audio_id = any_audio_id_of(words[0]) if looks_like_task(words[0]) else audio_id_of(words[0], service)
    if len(words) == 1:
        return Song(audio_id=audio_id)
    if "://" in words[1] or (is_uuid(audio_id) and is_uuid(words[1])):
        raise UsageError("two audio ids on a line", _WAY_OUT)
    return Song(audio_id=audio_id, music_task_id=id_of(words[1], "a task id"))


def _named_values(values: dict[str, str]) -> Song:
    audio_id = values.get(_SONG)
    if not audio_id:
        raise UsageError(f"no {_SONG}", "Each song needs one.")
    music_task_id = next((values[name] for name in _MUSIC_TASKS if values.get(name)), None)
    known = any_audio_id_of(audio_id.lower() if is_uuid(audio_id) else audio_id)
    return Song(audio_id=known, music_task_id=music_task_id and id_of(music_task_id, "a task id"))


def _json_object(line: str) -> dict[str, str]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"not JSON: {error}", "One object a line.") from None
    # `jobs --json` has the WAV task in `task_id`.
    wanted = (_SONG, "music_task_id")
    return {name: value[name] for name in wanted if isinstance(value.get(name), str)}
