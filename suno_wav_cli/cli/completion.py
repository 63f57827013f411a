"""Complete what commands take, in the shell. Writes nothing, and reports no errors."""

import os
import unicodedata
from contextlib import suppress

import typer

_MAX_OFFERED = 50
_LONGEST_TITLE = 50
_WORD_CATEGORIES = {"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd"}

_WIDE = "1000"
"""Columns, far more than any description takes."""


def complete_task_id(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Return the newest tasks that begin so, each with its song and state, and `@last`."""
    return _find_tasks(context, incomplete, unfinished=False)


def complete_unfinished_task_id(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    return _find_tasks(context, incomplete, unfinished=True)


def complete_audio_id(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Return the ids of the sandbox, where they are of use or asked for."""
    if not _is_practice(context) and not incomplete.startswith("demo"):
        return []
    from suno_wav_cli.sandbox.behaviours import BEHAVIOURS

    return [(name, _about(behaviour.about)) for name, behaviour in BEHAVIOURS.items()]


def complete_callback() -> list[tuple[str, str]]:
    """Return the callbacks that `trigger` can post."""
    from suno_wav_cli.commands.trigger.samples import SAMPLES

    about = {name: sample.about for name, sample in SAMPLES.items()} | {"all": "each of them"}
    return [(name, _about(text)) for name, text in about.items()]


def complete_setting() -> list[str]:
    from dataclasses import fields

    from suno_wav_cli.config.settings import Settings

    return sorted(field.name for field in fields(Settings))


def complete_topic(context: typer.Context) -> list[str]:
    """Return what `help` knows."""
    return [*context.find_root().command.commands, "agents"]  # type: ignore[attr-defined]


def describe(title: str, state: str) -> str:
    """Describe a task in words alone.

    Shells evaluate descriptions, each in its own way, and typer reads them as markup. Titles are
    foreign text, so only characters that have no meaning to any of them are kept.
    """
    return " ".join([*_keep_words(title)[:_LONGEST_TITLE].split(), state])


def _keep_words(text: str) -> str:
    return "".join(filter(_is_harmless, text))


def _about(text: str) -> str:
    """Keep the words of a text of ours, and the signs that no shell gives a meaning."""
    return "".join(character for character in text if character in "-_.," or _is_harmless(character))


def _is_harmless(character: str) -> bool:
    """Return whether it is a letter, a combining mark, a decimal digit or white space."""
    return character.isspace() or unicodedata.category(character) in _WORD_CATEGORIES


def _is_practice(context: typer.Context) -> bool:
    provider = (context.obj or {}).get("provider") or os.environ.get("SUNO_WAV_PROVIDER")
    return bool(provider == "sandbox")


def _find_tasks(context: typer.Context, incomplete: str, *, unfinished: bool) -> list[tuple[str, str]]:
    from suno_wav_cli.config.paths import find_paths
    from suno_wav_cli.conversion.ids import LAST
    from suno_wav_cli.errors import SunoWavError
    from suno_wav_cli.journal import open_history_as_it_is
    from suno_wav_cli.models import is_id

    # typer wraps descriptions at the terminal's width, and a shell takes each line for a candidate.
    os.environ.update(COLUMNS=_WIDE, TERMINAL_WIDTH=_WIDE)
    with suppress(SunoWavError):
        paths = find_paths(os.environ)
        journal = paths.sandbox_journal if _is_practice(context) else paths.journal
        with open_history_as_it_is(journal) as history:
            if history is not None:
                beginning = "" if LAST.startswith(incomplete) else incomplete
                entries = history.tasks_beginning(beginning, unfinished=unfinished, limit=_MAX_OFFERED)
                tasks = [
                    (entry.wav_task_id, describe(entry.title or entry.name, entry.state))
                    for entry in entries
                    if entry.wav_task_id is not None and is_id(entry.wav_task_id)
                ]
                return [(LAST, tasks[0][1]), *tasks] if tasks else []
    return []
