"""Names of songs in lists and on the screen, where no two may look alike."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from suno_wav_cli.terminal.tables import SHORT_ID, printable, shorten, song_name, width_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_ID_AT_END = re.compile(r"\([^()]{1,8}\)(\.\w{1,5})?$")
_NAME_BEGINNING, _NAME_END = 7, 10
"""Columns of a name that is cut and has no id at its end."""

_ELSEWHERE = f"\N{HORIZONTAL ELLIPSIS}{os.sep}"


def name_songs(songs: Sequence[tuple[str | None, str | None]]) -> list[str]:
    """Name songs by title, or else by id. Those of one title get so much of their ids as tells them apart."""
    plain = [printable(title or audio_id or "-") for audio_id, title in songs]
    ids_of: dict[str, set[str]] = {}
    for (audio_id, _), name in zip(songs, plain, strict=True):
        ids_of.setdefault(name, set()).add(audio_id or "")
    names = []
    for (audio_id, title), name in zip(songs, plain, strict=True):
        others = ids_of[name] - {audio_id or ""}
        if not title or not audio_id or not others:
            names.append(name)
        elif any(other[:SHORT_ID] == audio_id[:SHORT_ID] for other in others):
            names.append(f"{name} ({printable(audio_id)})")
        else:
            names.append(song_name(audio_id, title))
    return names


def shorten_names(names: Sequence[str], width: int) -> list[str]:
    """Cut names to `width` columns, but no two that differ may look alike: rather, they stay whole."""
    return _keep_apart(names, [shorten_name(name, width) for name in names])


def shorten_paths(paths: Sequence[str], width: int) -> list[str]:
    """Cut paths to `width` columns: first the folders, because files of one folder differ by their names."""
    return _keep_apart(paths, [_shorten_path(path, width) for path in paths])


def _shorten_path(path: str, width: int) -> str:
    _, slash, name = path.rpartition(os.sep)
    if not slash or width_of(path) <= width:
        return shorten_name(path, width)
    short = _ELSEWHERE + name
    return short if width_of(short) <= width else shorten_name(name, width)


def _keep_apart(names: Sequence[str], cut: Sequence[str]) -> list[str]:
    """Return the cut names, but for those that differ and would look alike."""
    alike: dict[str, set[str]] = {}
    for name, short in zip(names, cut, strict=True):
        alike.setdefault(short, set()).add(name)
    return [short if len(alike[short]) == 1 else name for name, short in zip(names, cut, strict=True)]


def shorten_name(name: str, width: int) -> str:
    """Cut a name in its middle: what tells it from a similar one is mostly at its end."""
    if width_of(name) <= width:
        return name
    end, room = "", min(_columns_of_end(name, width), width - 2)
    for character in reversed(name):
        if width_of(character + end) > room:
            break
        end = character + end
    return shorten(name, width - width_of(end)) + end


def _columns_of_end(name: str, width: int) -> int:
    """Return how much of the end of a cut name stays: an id whole, and of others no more than of the beginning."""
    found = _ID_AT_END.search(name)
    return len(found[0]) if found else min(max(width - _NAME_BEGINNING, (width - 1) // 2), _NAME_END)
