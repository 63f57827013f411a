"""The command that continues what was begun: a list for programs, and a line to paste into a shell."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from suno_wav_cli.system.shell_words import as_operand, quote_command, say_how

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from suno_wav_cli.errors import SunoWavError

SAME_COMMAND = "run the same command again"
_RESUBMIT = "--resubmit"

MOST_NAMED = 5
"""Tasks that a line names. More of them are all that is unfinished."""


def command_for(
    service: Sequence[str], command: str, ids: Sequence[str] = (), *options: str
) -> tuple[str, ...]:
    """Return the command for ids of a service, with the options that lead to it (`Run.service_options`).

    Without ids, `resume` finishes all that is unfinished there, so a long list is left out.
    """
    named = ids if command != "resume" or len(ids) <= MOST_NAMED else ()
    return ("suno-wav", command, *named, *options, *service)


def describe_command(argv: Sequence[str], *, typed: Sequence[str] = ()) -> str:
    """Return the line to paste, or a sentence if it is what was `typed`, or cannot be pasted."""
    if tuple(argv) == tuple(typed):
        return SAME_COMMAND
    if tuple(argv) == without_resubmit(typed):
        return f"{SAME_COMMAND}, without {_RESUBMIT}"
    return quote_command(argv) or SAME_COMMAND


def without_resubmit(typed: Sequence[str]) -> tuple[str, ...]:
    """Return a command that pays again for nothing."""
    return tuple(word for word in typed if word != _RESUBMIT)


def with_list(typed: Sequence[str], path: str, audio_ids: Sequence[str]) -> tuple[str, ...]:
    """Return a command that reads its songs from a file in place of standard input.

    The songs that were named are in the file too, which keeps the line short.
    """
    named, words = set(audio_ids), list(typed)
    for index, word in enumerate(words):
        before = words[index - 1] if index else ""
        if word == "--from-file=-":
            words[index] = f"--from-file={path}"
        elif word == "-" and before == "--from-file":
            words[index] = path
    return tuple(
        word
        for before, word in zip(["-", *words], words, strict=False)
        # What follows an option may be its value.
        if word not in named or before.startswith("-")
    )


def how_to_make(folder: Path) -> str:
    """Return the remedy for a folder that is missing."""
    options = () if os.name == "nt" else ("-p",)
    return say_how("Make it first", "mkdir", *options, as_operand(folder))


def advise(error: SunoWavError, *, typed: Sequence[str] = ()) -> str:
    """Return what to do about an error: its remedy, and the command that continues."""
    if error.continue_argv is None or error.ends_with_command:
        return error.remedy
    line = describe_command(error.continue_argv, typed=typed)
    if error.remedy.endswith(":"):
        return f"{error.remedy} {line}"
    remedy = f"{error.remedy.rstrip('.')}. " if error.remedy else ""
    return f"{remedy}To continue: {line}"
