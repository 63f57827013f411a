"""Command lines as shells read them: split into words without a shell, and quoted for every one of them."""

from __future__ import annotations

import os
import re
import shlex
from typing import TYPE_CHECKING, Self

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


def quote_pipe(commands: Sequence[Sequence[str]], *, home: str = "") -> str | None:
    """Return the line of commands that each pass their output to the next, or None if no quoting does.

    Words below `home` begin with a tilde, which a shell reads as that folder.
    """
    lines: list[str] = []
    for argv in commands:
        words = [_quote_below(word, home) for word in argv]
        if None in words:
            return None
        lines.append(" ".join(word or "" for word in words))
    return " | ".join(lines)


def _quote_below(word: str, home: str) -> str | None:
    if not home or not (word == home or word.startswith((f"{home}/", f"{home}\\"))):
        return quote_word(word)
    rest = word.removeprefix(home)
    quoted = quote_word(rest[1:]) if rest[1:] else ""
    return None if quoted is None else f"~{rest[:1]}{quoted}"


def quote_word(word: str, *, windows: bool = _WINDOWS) -> str | None:
    """Return a word as it stands in a command line, or None if no quoting passes it on."""
    if not word.isprintable():
        return None
    if windows:
        return _quote_for_windows(word)
    if _PLAIN.fullmatch(word):
        return word
    return "".join(map(_quote_piece, _PIECES.findall(word))) or "''"


class Remedy(str):
    """Words that end with a command line, which may be pasted. `advice` is what they say before it.

    Each of `commands` passes its output to the next. As soon as words are put around it, it is mere text.
    """

    __slots__ = ("advice", "commands")
    advice: str
    commands: tuple[tuple[str, ...], ...]

    def __new__(cls, advice: str, line: str, commands: tuple[tuple[str, ...], ...]) -> Self:
        remedy = super().__new__(cls, f"{advice}: {line}")
        remedy.advice, remedy.commands = advice, commands
        return remedy

    def __deepcopy__(self, memo: object) -> Self:
        return self

    @property
    def programs(self) -> list[str]:
        return [name for argv in self.commands for name in (argv[:2] if argv[0] == "sudo" else argv[:1])]


def say_how(advice: str, *argv: str) -> str:
    """Return `advice: COMMAND` as a Remedy, or `advice.` if the command cannot be quoted."""
    return say_how_by_pipe(advice, argv)


def say_how_by_pipe(advice: str, *commands: tuple[str, ...]) -> str:
    """Return `advice: COMMAND | COMMAND` as a Remedy, or `advice.` if one of them cannot be quoted."""
    line = quote_pipe(commands)
    return f"{advice}." if line is None else Remedy(advice, line, commands)


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


def as_root(*argv: str) -> tuple[str, ...]:
    """Return a command that only root may run, as this user has to write it."""
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return argv if is_root else ("sudo", *argv)


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
