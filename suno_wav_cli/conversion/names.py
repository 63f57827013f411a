"""The names of songs: made by a template, safe on every system, and no two alike."""

from __future__ import annotations

import os
import re
import string
from collections import Counter
from typing import TYPE_CHECKING
from unicodedata import category, normalize

from suno_wav_cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from suno_wav_cli.models import Song

FIELDS = ("title", "audio_id", "id8", "task_id", "date")

ID_LENGTHS = (0, 8, None)
"""How much of its id a name may hold: nothing, the beginning, or all."""

_UNSAFE = re.compile(r'[<>:"/\\|?*]')
_DEVICE = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|clock\$|(com|lpt)[0-9\u00b9\u00b2\u00b3])\s*(\..*)?",
    re.IGNORECASE | re.DOTALL,
)
"""Names that Windows reserves, whatever follows their first dot."""

_LONGEST_PART = 200
"""Bytes of a title in a name; most file systems take 255, and ` (id8).wav.part` comes on top."""

_JOINERS = frozenset("\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}")
"""What emoji are joined by, and what Persian and other scripts need between letters."""
_TAGS = range(0xE0020, 0xE0080)
"""What the flags of Scotland and others are written with."""
_FIRST_FLAG, _LAST_FLAG = "\U0001f1e6", "\U0001f1ff"
_ENDING = re.compile(r"\.[^./\\{} ]+$")


def fill_template(template: str, song: Song, today: date) -> str:
    """Return the song's name by a template with FIELDS. Its parts between slashes stay apart.

    Raise UsageError if it is no template.
    """
    values = {
        "title": _safe_part(song.title or song.audio_id),
        "audio_id": _safe_part(song.audio_id),
        "id8": _safe_part(song.audio_id[:8]),
        "task_id": _safe_part(song.music_task_id or "unknown-task"),
        "date": today.isoformat(),
    }
    parts = []
    for part in re.split(f"([{re.escape('/' + os.sep)}])", template):
        try:
            fields = [
                (field, spec, how)
                for _, field, spec, how in string.Formatter().parse(part)
                if field is not None
            ]
        except ValueError as error:
            raise UsageError(
                f"--out: '{template}' is not a template: {error}", f"Fields: {_fields()}."
            ) from None
        for field, spec, how in fields:
            if field not in FIELDS or spec or how:
                raise UsageError(f"--out has no field {{{field}}}", f"Fields, as they stand: {_fields()}.")
        filled = string.Formatter().vformat(part, (), values)
        parts.append(_safe_name(filled) if fields else filled)
    return "".join(parts)


def default_name(song: Song) -> str:
    """Return the name of a song without a template."""
    audio_id = _safe_part(song.audio_id)
    return _safe_name(f"{_safe_part(song.title)} ({audio_id[:8]}).wav" if song.title else f"{audio_id}.wav")


def ending_of(template: str) -> str:
    """Return the ending, like `.wav`, that all names by a template have."""
    found = _ENDING.search(template)
    return found[0] if found else ""


def with_id(name: str, audio_id: str, ending: str, characters: int | None) -> str:
    """Return a name with so many characters of the song's id before its ending. 0 is the plain name."""
    if characters == 0:
        return name
    return f"{name.removesuffix(ending)} ({_safe_part(audio_id[:characters])}){ending}"


def plain_name(name: str, audio_id: str) -> str:
    """Return a name without the song's id at its end."""
    for length in (None, 8):
        stem, found, ending = name.rpartition(f" ({_safe_part(audio_id[:length])})")
        if found and (not ending or _ENDING.fullmatch(ending)):
            return stem + ending
    return name


def compared(name: str) -> str:
    """Return what two names share that are one on some systems: without case, accents written alike."""
    return name.casefold() if name.isascii() else normalize("NFC", normalize("NFD", name).casefold())


def tell_apart(
    songs: Sequence[Song],
    names: Sequence[str],
    ending: str,
    *,
    has_name: Callable[[str, str], bool] | None = None,
    is_taken: Callable[[str, str], bool] | None = None,
) -> list[str]:
    """Return a name for each song that no other has: its plain one, or else that with its id.

    A song keeps a name that it has already: `has_name(audio_id, name)`. It does not get one that
    another song has: `is_taken(audio_id, name)`. Raise UsageError if two ids differ too little.
    """
    chosen: dict[int, str] = {}
    used: set[str] = set()
    for length in ID_LENGTHS if has_name is not None else ():
        for index, song in enumerate(songs):
            name = with_id(names[index], song.audio_id, ending, length)
            key = compared(name)
            if index not in chosen and key not in used and has_name and has_name(song.audio_id, name):
                chosen[index] = name
                used.add(key)
    for length in ID_LENGTHS:
        left = [
            (index, with_id(names[index], song.audio_id, ending, length))
            for index, song in enumerate(songs)
            if index not in chosen
        ]
        counts = Counter(compared(name) for _, name in left)
        for index, name in left:
            key = compared(name)
            taken = counts[key] > 1 or key in used
            if not taken and not (is_taken and is_taken(songs[index].audio_id, name)):
                chosen[index] = name
                used.add(key)
    if len(chosen) < len(songs):
        raise UsageError(
            f"two songs would become {next(names[index] for index in range(len(songs)) if index not in chosen)}",
            "Name a folder, or a template with {audio_id} or {id8} in it.",
        )
    return [chosen[index] for index in range(len(songs))]


def _fields() -> str:
    return " ".join(f"{{{name}}}" for name in FIELDS)


def _safe_part(text: str) -> str:
    """Return a title or id as part of a file name: without separators, controls, or dots at its ends."""
    # Characters that are not printable steer a terminal, or reverse the text of a line.
    visible = text if text.isprintable() else "".join(map(_visible, text))
    name = _shortened(_UNSAFE.sub("_", visible)).strip(" ." + "".join(_JOINERS))
    return name or "_"


def _visible(character: str) -> str:
    shown = character.isprintable() or character in _JOINERS or ord(character) in _TAGS
    return character if shown else "_"


def _safe_name(name: str) -> str:
    """Return a whole name, which is no option to a command and no device on Windows."""
    return f"_{name}" if name.startswith("-") or _DEVICE.fullmatch(name) else name


def _shortened(text: str) -> str:
    """Return the beginning of a text that a name has room for. No character is cut into pieces."""
    encoded = text.encode("utf-8", "replace")
    if len(encoded) <= _LONGEST_PART:
        return text
    end = len(encoded[:_LONGEST_PART].decode("utf-8", "ignore"))
    while end and _belongs_together(text, end):
        end -= 1
    return text[:end]


def _belongs_together(text: str, position: int) -> bool:
    """Tell whether a cut would part an accent from its letter, or an emoji or flag in two."""
    before, after = text[position - 1], text[position]
    if before in _JOINERS or after in _JOINERS or ord(after) in _TAGS:
        return True
    if category(after).startswith("M") or "\U0001f3fb" <= after <= "\U0001f3ff":
        return True
    if _FIRST_FLAG <= after <= _LAST_FLAG:
        run = len(text[:position]) - len(text[:position].rstrip("".join(map(chr, range(0x1F1E6, 0x1F200)))))
        return run % 2 == 1
    return False
