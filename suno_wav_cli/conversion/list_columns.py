"""The columns of a list of songs: their names, what separates them, and what cannot be a heading."""

from __future__ import annotations

import csv
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from suno_wav_cli.conversion.ids import is_uuid
from suno_wav_cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

HEADER = "audio_id task_id"
"""Names the columns of a list in which a line could be misunderstood without."""

SONG = "audioid"
MUSIC_TASKS = ("musictaskid", "taskid")
MOST_WORDS = 2

WAY_OUT = (
    f"One song a line. If the second is the music task's id, begin the list with the line '{HEADER}'. Columns "
    'need names: a first line with audio_id in it. {"audio_id": "...", "music_task_id": "..."} works too.'
)

# Only after a blank: a song's URL may hold one.
COMMENT = re.compile(r"(^|\s)#.*")
URL = re.compile(r'https?://[^\s,;|"]+')

_DELIMITERS = "\t;,|"
_NOT_IN_NAMES = re.compile(r"[\W_]+")


def names_of(cells: Sequence[str]) -> list[str]:
    """Return the names of columns, however they are written: `Audio ID`, `audio_id`, `audioId`."""
    return [_NOT_IN_NAMES.sub("", cell).lower() for cell in cells]


def check_heading(cells: Sequence[str]) -> list[str]:
    """Return the names of columns. Raise UsageError if one is there twice, or a song is among them."""
    names = names_of(cells)
    if any(map(names_song, cells)):
        raise UsageError("it names a song where the names of columns are", WAY_OUT)
    for name in (SONG, *MUSIC_TASKS):
        if names.count(name) > 1:
            raise UsageError("two columns of one name", "Leave one of the two out.")
    return names


def names_song(cell: str) -> bool:
    return is_uuid(cell) or URL.match(cell) is not None


def find_delimiter(line: str) -> str | None:
    """Return what separates the columns of a list that begins so, or None if they are plain words."""
    if line.lstrip().startswith(("{", "[")):
        return None
    for mark in _DELIMITERS:
        # What cannot be read here is said when it is read as a row.
        with suppress(csv.Error, StopIteration):
            if mark in line and SONG in names_of(
                next(csv.reader([line], delimiter=mark, skipinitialspace=True))
            ):
                return mark
    plain = URL.sub("x", COMMENT.sub("", line)).rstrip(" \t\r,;")
    if line.lstrip().startswith('"'):
        return next((mark for mark in _DELIMITERS if mark in plain), ",")
    marks = [mark for mark in _DELIMITERS if mark in plain]
    is_words = marks == ["\t"] and len(plain.split()) <= MOST_WORDS
    return None if not marks or is_words else marks[0]
