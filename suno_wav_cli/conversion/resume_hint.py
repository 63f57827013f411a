"""The command that continues what was begun: a list for programs, and a line to paste into a shell."""

from __future__ import annotations

import os
import re
import shlex
from typing import TYPE_CHECKING

from suno_wav_cli.api.providers import PROVIDERS, SUNOAPI

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from suno_wav_cli.errors import SunoWavError

SAME_COMMAND = "run the same command again"
_RESUBMIT = "--resubmit"

_MOST_NAMED = 5
"""Tasks that a line names. More of them are all that is unfinished."""

_WINDOWS = os.name == "nt"
_PLAIN = re.compile(r"-{0,2}[A-Za-z0-9_][A-Za-z0-9_+:/\\=-]*|[A-Za-z0-9_][A-Za-z0-9_.+:/\\=-]*|-")
"""Words that cmd and PowerShell both take as they stand."""

_NOT_IN_QUOTES = frozenset('%$`"\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}') | {
    "\N{DOUBLE LOW-9 QUOTATION MARK}"
}
"""Characters that cmd or PowerShell evaluates between double quotes, the only quotes that they share."""


def command_for(
    provider: str, base_url: str | None, command: str, ids: Sequence[str], *options: str
) -> tuple[str, ...]:
    """Return the command for ids of a service, with the options that choose it.

    Without ids, `resume` finishes all that is unfinished there, so a long list is left out.
    """
    named = ids if command != "resume" or len(ids) <= _MOST_NAMED else ()
    return ("suno-wav", command, *named, *options, *service_options(provider, base_url))


def service_options(provider: str, base_url: str | None) -> tuple[str, ...]:
    """Return the options that choose a service. None for `base_url` is the provider's own address."""
    options = () if provider == SUNOAPI.name else ("--provider", provider)
    known = PROVIDERS.get(provider)
    if base_url is None or (known is not None and known.base_url == base_url):
        return options
    return (*options, "--base-url", base_url)


def quote_command(argv: Sequence[str], *, windows: bool = _WINDOWS) -> str | None:
    """Return the line that passes these very words, or None if no quoting does.

    On Windows, cmd and PowerShell both read it so.
    """
    if not all(word.isprintable() for word in argv):
        return None
    if not windows:
        return shlex.join(argv)
    quoted = [_quote_for_windows(word) for word in argv]
    return None if None in quoted else " ".join(word or "" for word in quoted)


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
    line = quote_command(("mkdir", str(folder)) if _WINDOWS else ("mkdir", "-p", str(folder)))
    return f"Make it first: {line}" if line else "Make it first."


def advise(error: SunoWavError, *, typed: Sequence[str] = ()) -> str:
    """Return what to do about an error: its remedy, and the command that continues."""
    if error.continue_argv is None:
        return error.remedy
    line = describe_command(error.continue_argv, typed=typed)
    if error.remedy.endswith(":"):
        return f"{error.remedy} {line}"
    remedy = f"{error.remedy.rstrip('.')}. " if error.remedy else ""
    return f"{remedy}To continue: {line}"


def _quote_for_windows(word: str) -> str | None:
    if _PLAIN.fullmatch(word):
        return word
    # PowerShell drops an empty word, and a backslash before the closing quote would escape it.
    if not word or word.endswith("\\") or not _NOT_IN_QUOTES.isdisjoint(word):
        return None
    return f'"{word}"'
