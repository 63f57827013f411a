"""Ids as people type them: an audio id, a song's URL, a task id or its beginning, `@last`.

One rule for ids goes in and out: what `is_id` refuses is neither accepted nor printed in a command.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from suno_wav_cli.conversion.not_a_song import refuse_non_song
from suno_wav_cli.errors import UsageError
from suno_wav_cli.models import is_id
from suno_wav_cli.system.shell_words import quote_command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from suno_wav_cli.journal import History, Journal
    from suno_wav_cli.journal.entry import JournalEntry

LAST = "@last"

_TASK_ID = re.compile(r"[0-9a-fA-F]{32}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_SONG_URL = re.compile(r"^https?://[A-Za-z0-9.:-]+/(?:[^?#]*/)?song/([^/?#]+)")
_SHORTEST_BEGINNING = 4
_MOST_SHOWN = 5
_LONGEST_SHOWN = 200
"""Characters. A line of a list may have a million."""


def audio_id_of(argument: str, service: Sequence[str] = ()) -> str:
    """Return an audio id, as it is or from a song's URL. Raise UsageError if it cannot be one.

    `service` are the options that choose the service, for the command that the error names.
    """
    text = argument if _UUID.fullmatch(argument) else _without_url(argument)
    if looks_like_task(text):
        line = quote_command(("suno-wav", "status", text, *service)) or "`suno-wav status`"
        raise UsageError(
            f"{text} looks like a task id, not an audio id",
            f"For a WAV task, see {line}. To convert all tracks of a music task:",
            continue_argv=("suno-wav", "convert", "--task-id", text, *service),
        )
    return any_audio_id_of(text)


def any_audio_id_of(argument: str) -> str:
    """Return an audio id, even if it looks like a task's. Raise UsageError if it cannot be one."""
    if _UUID.fullmatch(argument):
        return argument.lower()
    text = _without_url(argument)
    if len(text) <= _LONGEST_SHOWN:
        refuse_non_song(text)
    if not is_id(text):
        raise UsageError(
            f"'{_shorten(text)}' is not an audio id",
            "An audio id looks like 8551ab12-34cd-4e5f-8a9b-0c1d2e3f662c; song URLs work too.",
        )
    return text


def is_audio_id(text: str) -> bool:
    """Tell whether an id from the service would be accepted as a song's when it is typed."""
    try:
        any_audio_id_of(text)
    except UsageError:
        return False
    return True


def is_uuid(text: str) -> bool:
    """Tell whether a text looks like the audio ids that the services give."""
    return _UUID.fullmatch(text) is not None


def looks_like_task(text: str) -> bool:
    return _TASK_ID.fullmatch(text) is not None


def is_sandbox_id(audio_id: str) -> bool:
    return audio_id == "demo" or audio_id.startswith(("demo-", "demo+"))


def id_of(argument: str, kind: str, option: str | None = None) -> str:
    """Return a task's id, which may be the value of an option. Raise UsageError if it cannot be one."""
    if not is_id(argument):
        place = f"{option}: " if option else ""
        raise UsageError(
            f"{place}'{_shorten(argument)}' is not {kind}",
            "Copy it again from your provider, or from an earlier run.",
        )
    return argument


def typed_id(*candidates: str | None) -> str | None:
    """Return the first of these ids that is accepted when it is typed. Services send others too."""
    return next((id_ for id_ in candidates if id_ is not None and is_id(id_)), None)


def typed_name(entry: JournalEntry) -> str | None:
    """Return what a command accepts for a conversion, or None if neither of its ids can be typed."""
    return typed_id(entry.wav_task_id, entry.audio_id)


def typed_task(id_: str, journal: Journal, base_url: str) -> str | None:
    """Return what `resume` accepts for a task, or None if it cannot be named.

    It is the id, else its song's, else `@last` if it is the newest.
    """
    if is_id(id_):
        return id_
    # A journal that cannot be read any more must not hide why the command ends.
    with suppress(UsageError):
        entry = journal.of_task(id_)
        newest = journal.history.newest(base_url)
        if entry is not None:
            return typed_name(entry) or (LAST if newest and newest.id == entry.id else None)
    return None


def check_music_task(argument: str, service: Sequence[str] = (), option: str | None = None) -> str:
    """Return the id of a music task, which may be the value of an option.

    Raise UsageError, with the right command, for a song.
    """
    text = _without_url(argument)
    if _UUID.fullmatch(text):
        raise UsageError(
            f"{text} looks like an audio id, not a music task's id",
            "The service cannot tell the music task of a song. To convert the song:",
            continue_argv=("suno-wav", "convert", text, *service),
        )
    refuse_non_song(text)
    return id_of(text, "a music task's id", option)


def music_task_of(argument: str, history: History | None, service: Sequence[str] = ()) -> str:
    """Return the id of a music task. Raise UsageError, with the right command, for other ids."""
    text = check_music_task(argument, service)
    known = history.known_as(text, None) if history else None
    if known is not None and known.wav_task_id == text:
        raise UsageError(
            f"{text} is a WAV task, of the song {known.name}",
            "To see what became of it:",
            continue_argv=("suno-wav", "status", text, *service),
        )
    return text


def find(argument: str, history: History, base_url: str, service: Sequence[str] = ()) -> JournalEntry | str:
    """Return the conversion that is meant, at this service or another, or the id if none is known.

    Raise UsageError if several ids begin so, for a song that was never converted here, and for
    `@last` if there is no conversion.
    """
    if argument == LAST:
        newest = history.newest(base_url)
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
            "To convert it:",
            continue_argv=("suno-wav", "convert", text, *service),
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


def _shorten(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def _without_url(argument: str) -> str:
    """Return the id, from a song's URL too. UUIDs are in lower case, however they were typed."""
    text = argument.strip()
    if "://" in text:
        found = _SONG_URL.search(text)
        if found is None:
            raise UsageError(
                f"'{_shorten(argument)}' is not an audio id or the URL of a song",
                "Such a URL looks like https://suno.com/song/ID.",
            )
        text = found[1]
    return text.lower() if _UUID.fullmatch(text) else text
