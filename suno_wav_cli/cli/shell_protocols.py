"""What bash, zsh and fish ask for, and how they are answered, where typer's own way falls short."""

from __future__ import annotations

import os
from contextlib import suppress
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from typer._click.shell_completion import (
    CompletionItem,
    _resolve_context,
    _resolve_incomplete,
    split_arg_string,
)
from typer._completion_classes import BashComplete, FishComplete, ZshComplete

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typer._click.core import Command, Parameter
    from typer._click.shell_completion import ShellComplete

_ANY_FILE = "_files"
_LISTS = (".txt", ".csv", ".json", ".jsonl", ".ndjson")
_KINDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "files": (".wav",),
        "from_file": _LISTS,
        "out": (),
        "recording": (".json",),
        "save": (),
        "verify": (".json",),
    }
)
"""By the name of a parameter: how its files end, or nothing if it takes a folder. A shell offers all
files where there is none of the kind."""

_MARK = "files:"
"""The first line of an answer to bash whose other lines are paths."""

_MOST_FILES = 1000


class Bash(BashComplete):
    """Reads the line up to the cursor, because bash splits its words at `@` and `=` too."""

    def get_completion_args(self) -> tuple[list[str], str]:
        line = os.environ["COMP_LINE"]
        words = split_arg_string(line)[1:]
        if words and not line.endswith(" "):
            return words[:-1], words[-1]
        return words, ""

    def complete(self) -> str:
        answer = super().complete()
        found = [] if answer else _list_files(self)
        return "\n".join([_MARK, *found]) if found else answer


class Zsh(ZshComplete):
    """Offers files of the kind that a parameter takes, and none where it takes no file."""

    def format_completion(self, item: CompletionItem) -> str:
        if item.help:
            # typer drops the straight one.
            item.help = item.help.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}")
        return super().format_completion(item)

    def complete(self) -> str:
        _, incomplete = self.get_completion_args()
        answer = super().complete()
        if answer == _ANY_FILE:
            parameter, _ = _resolve(self)
            kind = _KINDS.get(parameter.name or "")
            if kind is not None:
                endings = "|".join(ending.removeprefix(".") for ending in (*kind, *map(str.upper, kind)))
                answer = f"_files -g '*.({endings})'" if kind else "_files -/"
            elif getattr(parameter, "metavar", None) != "FILE":
                answer = ""
        # zsh completes the whole word, unless it is told that the value is a part of its own.
        return f"compset -P '*='; {answer}" if answer and option_before(incomplete) else answer


class Fish(FishComplete):
    """Completes the value behind `--option=` too: fish wants the whole word, and not only the value."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        return super().get_completions(args, incomplete) or [*map(CompletionItem, _list_files(self))]

    def format_completion(self, item: CompletionItem) -> str:
        _, incomplete = self.get_completion_args()
        item.value = option_before(incomplete) + item.value
        return super().format_completion(item)


def _resolve(shell: ShellComplete) -> tuple[Parameter | Command, str]:
    """Return what is completed, and its beginning."""
    args, incomplete = shell.get_completion_args()
    context = _resolve_context(shell.cli, shell.ctx_args, shell.prog_name, args)
    return _resolve_incomplete(context, args, incomplete)


def _list_files(shell: ShellComplete) -> list[str]:
    """Return the folders that a path may go on with, and the files of the kind, if it has one."""
    parameter, begun = _resolve(shell)
    kind = _KINDS.get(parameter.name or "")
    if kind is None:
        return []
    folder, slash, name = begun.rpartition("/")
    found: list[str] = []
    with suppress(OSError, ValueError), os.scandir(Path(f"{folder}{slash}" or ".").expanduser()) as entries:
        for entry in islice(entries, _MOST_FILES):
            is_meant = entry.name.startswith(name) and (name or not entry.name.startswith("."))
            if is_meant and entry.name.isprintable():
                if entry.is_dir():
                    found.append(f"{folder}{slash}{entry.name}/")
                elif entry.name.lower().endswith(kind):
                    found.append(f"{folder}{slash}{entry.name}")
    return sorted(found)


def option_before(word: str) -> str:
    """Return `--option=`, if the word begins so and goes on with its value."""
    return word[: word.index("=") + 1] if word.startswith("--") and "=" in word else ""
