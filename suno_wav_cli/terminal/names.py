"""Names of songs in lists and on the screen, where no two may look alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from suno_wav_cli.terminal.tables import SHORT_ID, printable, shorten, song_name, width_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAME_END = len("(8551ab12)")
"""Of a name that is cut, so much of its end stays."""


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
    cut = [shorten_name(name, width) for name in names]
    alike: dict[str, set[str]] = {}
    for name, short in zip(names, cut, strict=True):
        alike.setdefault(short, set()).add(name)
    return [short if len(alike[short]) == 1 else name for name, short in zip(names, cut, strict=True)]


def shorten_name(name: str, width: int) -> str:
    """Cut a name in its middle: what tells it from a similar one is mostly at its end."""
    if width_of(name) <= width:
        return name
    end, room = "", min(_NAME_END, width - 2)
    for character in reversed(name):
        if width_of(character + end) > room:
            break
        end = character + end
    return shorten(name, width - width_of(end)) + end
