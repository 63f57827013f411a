"""Command lines as shells read them: split into words without a shell, and quoted for every one of them."""

from __future__ import annotations

import os
import re
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_WINDOWS = os.name == "nt"

_PLAIN = re.compile(r"[A-Za-z0-9_./:@+,-][A-Za-z0-9_./:@+,=-]*")
"""Words that need no quotes in sh, bash, zsh or fish. In zsh, `=ls` is a program's path; in fish, `%self` a number."""

_PIECES = re.compile(r"\\+|'+|[^\\']+")

_PLAIN_ON_WINDOWS = re.compile(r"-{0,2}[A-Za-z0-9_][A-Za-z0-9_+:/\\=-]*|[A-Za-z0-9_][A-Za-z0-9_.+:/\\=-]*|-")
"""Words that cmd and PowerShell both take as they stand."""

_NOT_IN_QUOTES = frozenset('%$`"\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}') | {
    "\N{DOUBLE LOW-9 QUOTATION MARK}"
}
"""Characters that cmd or PowerShell evaluates between double quotes, the only quotes that they share."""


_WILDCARDS = frozenset("*?")


def split_command(text: str, *, windows: bool = _WINDOWS) -> tuple[str, ...]:
    """Return the words of a command: quotes group, and a backslash quotes the next character.

    On Windows, a backslash is part of a path, and only double quotes group. Raise ValueError if a
    quote is not closed or there is no word.
    """
    words = shlex.shlex(text, posix=True)
    words.whitespace_split = True
    words.commenters = ""
    if windows:
        words.escape = ""
        words.quotes = '"'
    found = tuple(words)
    if not found or not found[0]:
        raise ValueError("there is no command in it")
    return found


def quote_command(argv: Sequence[str], *, windows: bool = _WINDOWS) -> str | None:
    """Return the line that passes these very words, or None if no quoting does.

    sh, bash, zsh and fish all read it so; on Windows, cmd and PowerShell.
    """
    words = [quote_word(word, windows=windows) for word in argv]
    return None if None in words else " ".join(word or "" for word in words)


def quote_word(word: str, *, windows: bool = _WINDOWS) -> str | None:
    """Return a word as it stands in a command line, or None if no quoting passes it on."""
    if not word.isprintable():
        return None
    if windows:
        return _quote_for_windows(word)
    if _PLAIN.fullmatch(word):
        return word
    return "".join(map(_quote_piece, _PIECES.findall(word))) or "''"


def say_how(advice: str, *argv: str) -> str:
    """Return `advice: COMMAND`, or `advice.` if the command cannot be quoted. The command comes last."""
    line = quote_command(argv)
    return f"{advice}: {line}" if line else f"{advice}."


def adapt_example(line: str, *, windows: bool = _WINDOWS) -> str:
    """Return a line written for sh, perhaps with `< FILE`, as the shells of this system read it.

    cmd groups by double quotes only; PowerShell has no `<`, and replaces a bare `@last` by a variable.
    """
    if not windows:
        return line
    command, _, file = line.partition(" < ")
    words = quote_command(shlex.split(command), windows=True) or command
    return f"type {file} | {words}" if file else words


def expand_wildcards(words: Sequence[str]) -> list[str]:
    """Return the words with the files that `*` and `?` stand for, and the home folder for a leading `~`.

    Other shells than those of Windows do this themselves. Brackets are part of a name, as they are for
    cmd, and a word that no file matches stays as it is.
    """
    import glob

    found: list[str] = []
    for word in words:
        path = os.path.expanduser(word)  # noqa: PTH111 - a word need not be a path
        pattern = path.replace("[", "[[]")
        files = [] if _WILDCARDS.isdisjoint(path) else sorted(glob.glob(pattern))  # noqa: PTH207
        found += files or [path]
    return found


def as_operand(path: Path) -> str:
    """Return a path that no command takes for an option."""
    return f".{os.sep}{path}" if str(path).startswith("-") else str(path)


def _quote_piece(piece: str) -> str:
    # Between single quotes, fish lets a backslash escape a quote or another one, and sh does not.
    if piece.startswith("\\"):
        return "\\" * 2 * len(piece)
    return f'"{piece}"' if piece.startswith("'") else f"'{piece}'"


def _quote_for_windows(word: str) -> str | None:
    if _PLAIN_ON_WINDOWS.fullmatch(word):
        return word
    # PowerShell drops an empty word, and a backslash before the closing quote would escape it.
    if not word or word.endswith("\\") or not _NOT_IN_QUOTES.isdisjoint(word):
        return None
    return f'"{word}"'
