"""The lines of a list of songs: plain words, columns, or JSON objects."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from suno_wav_cli.conversion.ids import (
    any_audio_id_of,
    audio_id_of,
    id_of,
    is_sandbox_id,
    is_uuid,
    looks_like_task,
)
from suno_wav_cli.conversion.known_task import read_known_task
from suno_wav_cli.conversion.list_columns import (
    COMMENT,
    MOST_WORDS,
    MUSIC_TASKS,
    SONG,
    URL,
    WAY_OUT,
    check_heading,
    find_delimiter,
    names_of,
    names_song,
)
from suno_wav_cli.conversion.text_lines import is_text
from suno_wav_cli.errors import UsageError
from suno_wav_cli.models import Song

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

FAILURE = "reason"
"""The field that only the objects of `--errors` have."""

_EXCEL_DELIMITER = re.compile(r"sep=(\W)", re.IGNORECASE)
_LONGEST_OBJECT = 100_000
_PLACEHOLDER = "AUDIO_ID"
_CUT_SHORT = ("failed", "interrupted")
"""Events after which a list may lack songs."""


class SongLines:
    """The songs of a list, line by line.

    `service` are the options that choose the service, for the command that an error names. Once all
    are read, `is_plain` tells whether the lines are such as `--errors` writes.
    """

    def __init__(self, lines: Iterable[str], service: Sequence[str] = ()) -> None:
        self.is_plain = True
        self._number = 0
        self._lines = self._counted(lines)
        self._service = service

    def __iter__(self) -> Iterator[tuple[int, Song | UsageError]]:
        """Yield each song with the number of its line, or what is wrong with that line."""
        first = next((line for line in self._lines if not _is_empty(line)), None)
        if first is None:
            return
        excel = _EXCEL_DELIMITER.fullmatch(first.strip())
        if excel is not None:
            yield from self._read_rows(self._lines, excel[1])
        elif (delimiter := find_delimiter(first)) is not None:
            self._number -= 1
            yield from self._read_rows(chain([first], self._lines), delimiter)
        else:
            yield from self._read_words(chain([first], self._lines))

    def _counted(self, lines: Iterable[str]) -> Iterator[str]:
        for line in lines:
            self._number += 1
            # Where files were joined, a byte order mark may begin any line.
            yield line.removeprefix("\ufeff")

    def _read_words(self, lines: Iterable[str]) -> Iterator[tuple[int, Song | UsageError]]:
        names: list[str] | None = None
        is_first, heading = True, ""
        for line in lines:
            if names is None and is_uuid(line):
                # What nearly all lines of a long list are.
                is_first = False
                yield self._number, Song(audio_id=line.lower())
                continue
            if _is_empty(line):
                continue
            number = self._number
            try:
                _check_text(line)
                if line.lstrip().startswith("{"):
                    song = self._read_object(line)
                    if song is not None:
                        yield number, song
                elif (
                    is_first
                    and not line.lstrip().startswith("[")
                    and SONG in names_of(COMMENT.sub("", line).split())
                ):
                    heading = COMMENT.sub("", line).strip()
                    names = check_heading(heading.split())
                elif names is not None:
                    heading = ""
                    words = COMMENT.sub("", line).rstrip(" \t\r,;").split()
                    yield number, _named_values(dict(zip(names, words, strict=False)))
                else:
                    yield number, _parse_words(line, self._service)
            except UsageError as error:
                yield number, error
            is_first = False
        if heading == _PLACEHOLDER:
            yield from self._refuse_placeholder()

    def _refuse_placeholder(self) -> Iterator[tuple[int, UsageError]]:
        """Yield what is wrong with a heading without rows: it was copied from an example."""
        try:
            audio_id_of(_PLACEHOLDER, self._service)
        except UsageError as error:
            yield self._number, error

    def _read_rows(self, lines: Iterable[str], delimiter: str) -> Iterator[tuple[int, Song | UsageError]]:
        self.is_plain = False
        before, names = self._number, None
        reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=True)
        is_first = True
        while True:
            number = before + reader.line_num + 1
            try:
                row = next(reader, None)
                if row is None:
                    return
                cells = [cell.strip() for cell in row]
                if not any(cells) or _is_comment(cells, names):
                    continue
                _check_text("".join(cells))
                if is_first and SONG in names_of(cells):
                    names = check_heading(cells)
                elif names is not None:
                    yield number, _named_values(dict(zip(names, cells, strict=False)))
                else:
                    yield number, _parse_cells(cells)
            except csv.Error as error:
                yield number, UsageError(f"the columns cannot be read: {error}", "One song a line.")
            except UsageError as error:
                yield number, error
            is_first = False

    def _read_object(self, line: str) -> Song | None:
        """Return the song of an object, or None for an event that has none, as other commands print."""
        if line.strip() == "{":
            line = self._to_its_end(line)
        try:
            values = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"not JSON: {error}", "One object a line.") from None
        self.is_plain = self.is_plain and FAILURE in values
        if "event" in values and "audio_id" not in values:
            if values["event"] in _CUT_SHORT:
                raise UsageError("the command that wrote this did not succeed", "Run it again.")
            return None
        # `jobs --json` has the WAV task in `task_id`.
        wanted = {SONG: "audio_id", "musictaskid": "music_task_id", "title": "title"}
        song = _named_values(
            {name: values[key] for name, key in wanted.items() if isinstance(values.get(key), str)}
        )
        return replace(song, known=read_known_task(values))

    def _to_its_end(self, line: str) -> str:
        """Read an object that is spread over lines. Its last line is as far to the left as its first."""
        lines, size = [line], 0
        for more in self._lines:
            lines.append(more)
            size += len(more)
            if more.rstrip() == "}" or size > _LONGEST_OBJECT:
                break
        return "\n".join(lines)


def needs_header(song: Song) -> bool:
    """Tell whether the song's plain line would be refused."""
    if looks_like_task(song.audio_id):
        return True
    return song.music_task_id is not None and is_uuid(song.audio_id) and is_uuid(song.music_task_id)


def _is_empty(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")


def _check_text(text: str) -> None:
    if not is_text(text):
        raise UsageError("not UTF-8 text", "Save the file as UTF-8.")
    if "\0" in text:
        raise UsageError("a null character", "Write one song a line, as text.")


def _is_comment(cells: Sequence[str], names: Sequence[str] | None) -> bool:
    """Tell whether a row is a comment. Raise UsageError if it may be a song whose title begins with `#`."""
    if not cells[0].startswith("#"):
        return False
    if names is not None and is_uuid(dict(zip(names, cells, strict=False)).get(SONG, "")):
        raise UsageError(
            "a row that begins with # and names a song", "Leave it out, or begin with another column."
        )
    return True


def _parse_words(line: str, service: Sequence[str]) -> Song:
    plain = COMMENT.sub("", line).strip(" \t\r,;")
    words = plain.split()
    if not words:
        raise UsageError(f"no {SONG}", "Each song needs one.")
    if plain.startswith("["):
        raise UsageError("an array", "Write one object on each line: jq -c '.[]' LIST")
    if "\t" in plain and len(words) == MOST_WORDS and not any(map(str.isdigit, words[1])):
        raise UsageError("columns without names", WAY_OUT)
    if any(mark in URL.sub("x", plain) for mark in ',;|"'):
        raise UsageError("columns without names", WAY_OUT)
    if len(words) > MOST_WORDS:
        raise UsageError("more than an audio id and a task id", "One song a line: AUDIO_ID [TASK_ID]")
    if len(words) == 1 or is_uuid(words[1]):
        audio_id = audio_id_of(words[0], service)
    else:
        # Beside its task's id, it cannot be mistaken for one.
        audio_id = any_audio_id_of(words[0]) if looks_like_task(words[0]) else audio_id_of(words[0], service)
    if len(words) == 1:
        return Song(audio_id=audio_id)
    if "://" in words[1] or (is_uuid(audio_id) and is_uuid(words[1])):
        raise UsageError("two audio ids on a line", WAY_OUT)
    return Song(audio_id=audio_id, music_task_id=id_of(words[1], "a task id"))


def _parse_cells(cells: Sequence[str]) -> Song:
    """Return the song of columns without names, if they cannot be misunderstood."""
    songs = {any_audio_id_of(cell) for cell in cells if names_song(cell)}
    tasks = {cell for cell in cells if looks_like_task(cell)}
    if not songs and is_sandbox_id(cells[0]):
        songs = {any_audio_id_of(cells[0])}
    if len(songs) != 1 or len(tasks) > 1:
        raise UsageError("columns without names", WAY_OUT)
    return Song(audio_id=songs.pop(), music_task_id=tasks.pop() if tasks else None)


def _named_values(values: Mapping[str, str]) -> Song:
    audio_id = values.get(SONG)
    if not audio_id:
        raise UsageError("no audio_id", "Each song needs one.")
    # Where both are named, the other task is the WAV's, as `jobs` has it.
    task = next((values[name] for name in MUSIC_TASKS if name in values), None)
    return Song(
        audio_id=any_audio_id_of(audio_id),
        music_task_id=id_of(task, "a task id") if task else None,
        title=values.get("title") or None,
    )
