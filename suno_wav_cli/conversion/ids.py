"""Ids as people type them: an audio id, a song's URL, a task id or its beginning, `@last`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from suno_wav_cli.errors import UsageError

if TYPE_CHECKING:
    from suno_wav_cli.journal import History
    from suno_wav_cli.journal.entry import JournalEntry

LAST = "@last"

_TASK_ID = re.compile(r"[0-9a-fA-F]{32}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_SONG_URL = re.compile(r"^https?://[A-Za-z0-9.:-]+/(?:[^?#]*/)?song/([^/?#]+)")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+~-]{0,127}")
_SHORTEST_BEGINNING = 4
_MOST_SHOWN = 5


def audio_id_of(argument: str) -> str:
    """Return an audio id, as it is or from a song's URL. Raise UsageError if it cannot be one."""
    text = _without_url(argument)
    if looks_like_task(text):
        raise UsageError(
            f"{text} looks like a task id, not an audio id",
            f"To convert all tracks of a music task: suno-wav convert --task-id {text}  "
            f"(for a WAV task: suno-wav status {text})",
        )
    if not is_id(text):
        raise UsageError(
            f"'{argument}' is not an audio id",
            "An audio id looks like 8551ab12-34cd-4e5f-8a9b-0c1d2e3f662c; song URLs work too.",
        )
    return text


def is_id(text: str) -> bool:
    """Return whether it may be an id of any kind."""
    return _ID.fullmatch(text) is not None


def looks_like_task(text: str) -> bool:
    return _TASK_ID.fullmatch(text) is not None


def is_sandbox_id(audio_id: str) -> bool:
    return audio_id == "demo" or audio_id.startswith(("demo-", "demo+"))


def id_of(argument: str, kind: str) -> str:
    """Return a task's id. Raise UsageError if it cannot be one."""
    if not is_id(argument):
        raise UsageError(
            f"'{argument}' is not {kind}", "Copy it again from your provider, or from an earlier run."
        )
    return argument


def check_music_task(argument: str) -> str:
    """Return the id of a music task. Raise UsageError, with the right command, for a song."""
    text = _without_url(argument)
    if _UUID.fullmatch(text):
        raise UsageError(
            f"{text} looks like an audio id, not a music task's id",
            f"There is no way from a song to its music task. To convert it: suno-wav convert {text}",
        )
    return id_of(text, "a music task's id")


def music_task_of(argument: str, history: History | None) -> str:
    """Return the id of a music task. Raise UsageError, with the right command, for other ids."""
    text = check_music_task(argument)
    known = history.known_as(text, None) if history else None
    if known is not None and known.wav_task_id == text:
        raise UsageError(
            f"{text} is a WAV task, of the song {known.name}",
            f"To see what became of it: suno-wav status {text}",
        )
    return text


def find(argument: str, history: History, base_url: str | None) -> JournalEntry | str:
    """Return the conversion that is meant, at this service or another, or the id if none has it.

    Raise UsageError if several ids begin so, for a song that was never converted here, and for
    `@last` if there is no conversion.
    """
    if argument == LAST:
        newest = history.newest(base_url) if base_url else None
        if newest is None:
            raise UsageError(
                f"{LAST}: no conversions recorded for this service",
                "`suno-wav jobs` lists those of all services; --provider and --base-url choose one.",
            )
        return newest
    text = id_of(_without_url(argument), "a task id")
    for place in (base_url, None):
        known = history.known_as(text, place) or _only_one_beginning(text, history, place)
        if known is not None:
            return known
    if _UUID.fullmatch(text):
        raise UsageError(
            f"{text} looks like an audio id, and this machine knows no conversion of that song",
            f"To convert it: suno-wav convert {text}",
        )
    return text


def _only_one_beginning(text: str, history: History, base_url: str | None) -> JournalEntry | None:
    if len(text) < _SHORTEST_BEGINNING:
        return None
    ids = history.ids_beginning(text, base_url, limit=_MOST_SHOWN + 1)
    if len(ids) > 1:
        more = " and others" if len(ids) > _MOST_SHOWN else ""
        raise UsageError(
            f"several ids begin with '{text}': {', '.join(ids[:_MOST_SHOWN])}{more}",
            "Write more of the one you mean.",
        )
    return history.known_as(ids[0], base_url) if ids else None


def _without_url(argument: str) -> str:
    """Return the id in a song's URL. A song has one id here, however it was typed."""
    text = argument.strip()
    if "://" in text:
        found = _SONG_URL.search(text)
        if found is None:
            raise UsageError(
                f"'{argument}' is not an audio id or the URL of a song",
                "Such a URL looks like https://suno.com/song/ID.",
            )
        text = found[1]
    return text.lower() if _UUID.fullmatch(text) else text
