"""The packages stand as their page draws them: imports point downwards, modules stay small."""

from __future__ import annotations

import ast
import re
import statistics
from functools import cache
from graphlib import TopologicalSorter
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from tests.support.program import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKAGE = REPOSITORY / "suno_wav_cli"
PAGE = (PACKAGE / "README.md").read_text(encoding="utf-8")
VOCABULARY = {"events", "models", "errors"}
MODULES = sorted(PACKAGE.rglob("*.py"))


def folder_of(file: Path) -> str:
    """Name the top-level folder or module that a file belongs to."""
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


@cache
def imported_names(file: Path) -> frozenset[str]:
    """Name every module that a file imports, wherever in it the import stands."""
    return frozenset(_imported_names(file))


def _imported_names(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            # The name may be a module itself.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own_modules(file: Path) -> set[str]:
    """Name the modules of this package that a file imports, as dotted names without the package's."""
    known = {dotted(module) for module in MODULES}
    names = {name.removeprefix("suno_wav_cli.") for name in imported_names(file)}
    return (names & known) - {dotted(file)}


def dotted(file: Path) -> str:
    parts = file.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imports_of(folder: str) -> set[str]:
    files = [file for file in MODULES if folder_of(file) == folder]
    modules = set[str]().union(*(own_modules(file) for file in files))
    return {name.partition(".")[0] for name in modules if name} - {folder}


def picture() -> dict[str, set[str]]:
    """Read the picture: from top to bottom, each folder and what it imports."""
    lines = re.findall(r"^(\w+) +\S.*→ (.+)$", PAGE, re.MULTILINE)
    return {folder: set(imported.split()) - {"nothing"} for folder, imported in lines}


@pytest.mark.long
def test_the_picture_shows_every_folder_and_exactly_its_imports() -> None:
    folders = {folder_of(file) for file in MODULES} - VOCABULARY - {"__init__", "__main__"}
    assert picture() == {folder: imports_of(folder) - VOCABULARY for folder in folders}


def test_the_vocabulary_imports_only_itself() -> None:
    assert set().union(*(imports_of(name) for name in VOCABULARY)) <= VOCABULARY


def test_no_folder_imports_one_above_it() -> None:
    above: set[str] = set()
    for folder, imported in picture().items():
        above.add(folder)
        assert imported & above == set(), folder


@pytest.mark.long
def test_no_modules_import_each_other_in_a_circle() -> None:
    """Raises CycleError, which names the circle."""
    tuple(TopologicalSorter({dotted(file): own_modules(file) for file in MODULES}).static_order())


def test_a_song_that_is_counted_is_of_one_test_file() -> None:
    """All tests of a worker share one sandbox, which counts by audio id."""
    texts = {
        path.name: path.read_text(encoding="utf-8") for path in (REPOSITORY / "tests").rglob("test_*.py")
    }
    counted = {
        audio_id
        for text in texts.values()
        for audio_id in re.findall(r'sandbox\.counted\("\w+", "(demo[^"]+)"\)', text)
    }
    users = {
        audio_id: [name for name, text in texts.items() if f'"{audio_id}"' in text] for audio_id in counted
    }
    assert counted
    assert {audio_id: names for audio_id, names in users.items() if len(names) > 1} == {}


def test_every_command_has_the_same_name_in_cli_and_in_commands() -> None:
    from suno_wav_cli.cli.app import app

    names = {command.name or "" for command in app.registered_commands} - {"logout", "help"}
    for folder in ("cli", "commands"):
        entries = {entry.stem for entry in (PACKAGE / folder).iterdir()}
        assert names <= entries, folder


@pytest.mark.parametrize(
    ("library", "folders"),
    [
        ("typer", {"cli"}),
        ("rich", {"terminal"}),
        ("pyngrok", {"callbacks"}),
        ("httpx", {"api", "download", "callbacks", "sandbox", "system", "cli"}),
        ("starlette", {"callbacks", "sandbox"}),
        ("uvicorn", {"callbacks", "sandbox"}),
        ("sqlite3", {"journal"}),
        ("keyring", {"config"}),
        ("tomlkit", {"config"}),
        ("numpy", {"wav", "sandbox"}),
        ("mutagen", {"wav"}),
        ("obstore", {"remote"}),
    ],
)
def test_a_library_is_used_only_where_it_belongs(library: str, folders: set[str]) -> None:
    users = {
        folder_of(file)
        for file in MODULES
        if any(name.partition(".")[0] == library for name in imported_names(file))
    }
    assert users <= folders


def test_modules_are_small_and_the_top_is_readable() -> None:
    lengths = {dotted(file): len(file.read_text(encoding="utf-8").splitlines()) for file in MODULES}
    lengths = {name: length for name, length in lengths.items() if length > 0}
    assert [name for name, length in lengths.items() if length > 300] == []
    assert statistics.median(lengths.values()) <= 110
    assert len([entry for entry in PACKAGE.iterdir() if entry.name != "__pycache__"]) <= 20


_BEFORE_A_WORD = re.compile(
    r"(--[a-z][a-z-]*[ =]|\b(chmod|mkdir|rm|mv|cp|sqlite3|pip install)( \S+)* |suno-wav [a-z]+ |\b[A-Z_]{4,}=)['\"`]?$"
)
_QUOTED = {"quote_word", "quote_command", "describe_command", "word", "line", "_shown"}
"""What may stand in a command line: words that are quoted, or known to need no quotes."""


def _values_in_commands(file: Path) -> Iterator[str]:
    """Yield what f-strings of a module put into command lines."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.JoinedStr):
            continue
        for before, value in pairwise(node.values):
            if (
                isinstance(before, ast.Constant)
                and isinstance(value, ast.FormattedValue)
                and _BEFORE_A_WORD.search(str(before.value))
            ):
                yield ast.unparse(value.value).partition("(")[0]


def test_no_text_comes_unquoted_into_a_command_line_that_is_printed() -> None:
    """People paste them. A title or a path must not become a part of the command."""
    found = {
        f"{dotted(file)}: {value}"
        for file in MODULES
        for value in _values_in_commands(file)
        if value not in _QUOTED
    }
    assert found == {
        # A word of a list, which is quoted as a whole.
        "conversion.resume_hint: path",
        # An address of this machine and a port, made by the program.
        "terminal.messages_commands: event.base_url",
    }
