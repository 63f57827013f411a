"""Complete task ids in the shell, from the journal. Writes nothing, and reports no errors."""

from __future__ import annotations

import os
import unicodedata
from contextlib import suppress

_MAX_OFFERED = 50
_LONGEST_TITLE = 50
_WORD_CATEGORIES = {"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd"}

_WIDE = "1000"
"""Columns, far more than any description takes."""


def complete_task_id(incomplete: str) -> list[tuple[str, str]]:
    """Return the newest tasks that begin so, each with its song and state."""
    return _find_tasks(incomplete, unfinished=False)


def complete_unfinished_task_id(incomplete: str) -> list[tuple[str, str]]:
    return _find_tasks(incomplete, unfinished=True)


def describe(title: str, state: str) -> str:
    """Describe a task in words alone.

    Shells evaluate descriptions, each in its own way, and typer reads them as markup. Titles are
    foreign text, so only characters that have no meaning to any of them are kept.
    """
    words = "".join(filter(_is_harmless, title))[:_LONGEST_TITLE]
    return " ".join([*words.split(), state])


def _is_harmless(character: str) -> bool:
    """Return whether it is a letter, a combining mark, a decimal digit or white space."""
    return character.isspace() or unicodedata.category(character) in _WORD_CATEGORIES


def _find_tasks(incomplete: str, *, unfinished: bool) -> list[tuple[str, str]]:
    from suno_wav_cli.config.paths import find_paths
    from suno_wav_cli.errors import SunoWavError
    from suno_wav_cli.journal import open_history_as_it_is
    from suno_wav_cli.models import is_id

    # typer wraps descriptions at the terminal's width, and a shell takes each line for a candidate.
    os.environ.update(COLUMNS=_WIDE, TERMINAL_WIDTH=_WIDE)
    with suppress(SunoWavError), open_history_as_it_is(find_paths(os.environ).journal) as history:
        if history is not None:
            entries = history.tasks_beginning(incomplete, unfinished=unfinished, limit=_MAX_OFFERED)
            return [
                (entry.wav_task_id, describe(entry.title or entry.name, entry.state))
                for entry in entries
                if entry.wav_task_id is not None and is_id(entry.wav_task_id)
            ]
    return []
