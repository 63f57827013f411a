"""config.toml: its settings, and the line of each."""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from suno_wav_cli.errors import UsageError
from suno_wav_cli.system.private_files import find_stranger, is_open_to_others

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

LARGEST = 64 * 1024
"""Bytes."""
_MOST_PARTS = 100
"""Of a dotted key: what tomllib needs for one grows faster than its length."""

# A longer part cannot stand in a file of this size often enough to matter.
_PART = r"""(?:[A-Za-z0-9_-]{1,200}+|"(?:[^"\\\n]|\\.){0,200}+"|'[^'\n]{0,200}+')"""
_LONG_KEY = re.compile(rf"(?<![A-Za-z0-9_-]){_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{{_MOST_PARTS}}}")
_TOKENS = re.compile(
    r"""
    \#[^\n]*+
    | \"{3}(?:[^"\\]++|\\.|"(?!""))*+"{3,5}
    | '{3}(?:[^']++|'(?!''))*+'{3,5}
    | "(?:[^"\\\n]++|\\.)*+"
    | '[^'\n]*+'
    | [\[\]{}\n]
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, kw_only=True)
class ConfigFile:
    """`written` is empty if there is no file. Numbers with a fraction are kept as text.

    Others can read a file that `is_open`.
    """

    path: Path
    written: Mapping[str, Any]
    text: str
    is_open: bool = False

    def place(self, name: str) -> str:
        """Say where a setting stands."""
        return f"{self.path}, line {self._lines[name]}"

    @cached_property
    def _lines(self) -> Mapping[str, int]:
        return _find_lines(self.text)


def read_config_file(path: Path, known: Collection[str]) -> ConfigFile:
    """Read the file.

    Raise UsageError with the line for bad TOML and for a name that is not `known`.
    """
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            content = file.read(LARGEST + 1)
    except FileNotFoundError:
        return ConfigFile(path=path, written={}, text="")
    except OSError as error:
        raise make_read_error(path, error.strerror or str(error)) from None
    if stranger := find_stranger(status):
        raise make_read_error(path, stranger)
    if len(content) > LARGEST:
        raise make_read_error(path, f"it is larger than {LARGEST:,} bytes")
    try:
        text = content.decode("utf-8-sig")  # Windows editors begin a file with a byte order mark.
        if (match := _LONG_KEY.search(text)) is not None:
            line = text.count("\n", 0, match.start()) + 1
            raise make_read_error(path, f"line {line} has a key of more than {_MOST_PARTS} parts")
        written = tomllib.loads(text, parse_float=str)
        # Raises ValueError for a hexadecimal number of thousands of digits, as tomllib does for decimal ones.
        str(written)
        config = ConfigFile(path=path, written=written, text=text, is_open=is_open_to_others(status))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise make_read_error(path, f"line {line} is not UTF-8 text") from None
    except (ValueError, RecursionError) as error:
        raise make_read_error(path, _explain(error)) from None
    unknown = [name for name in config.written if name not in known]
    if unknown:
        name = unknown[0]
        raise refuse_name(f"{config.place(name)}: ", name, known)
    return config


def make_read_error(path: Path, reason: str) -> UsageError:
    return UsageError(f"{path} cannot be read: {reason}", "Fix the file, or move it away.")


def _explain(error: ValueError | RecursionError) -> str:
    if isinstance(error, RecursionError):
        return "its lists or tables are nested too deeply"
    # tomllib's own message has the line. Python bounds the digits of an integer.
    return str(error) if isinstance(error, tomllib.TOMLDecodeError) else "a number in it has too many digits"


def refuse_name(place: str, name: str, known: Collection[str]) -> UsageError:
    """Return the error for a name that is not `known`, with the nearest one."""
    return UsageError(f"{place}there is no setting '{name}'", _suggest_name(name, known))


def _suggest_name(name: str, known: Collection[str]) -> str:
    from difflib import get_close_matches

    if name.lower() in ("api_key", "suno_api_key", "key"):
        return "The API key does not belong in this file. Use `suno-wav login` or SUNO_API_KEY."
    near = get_close_matches(name.lower().replace("-", "_"), known, n=1)
    return f"Did you mean {near[0]}?" if near else f"Settings: {', '.join(known)}."


def _find_lines(text: str) -> dict[str, int]:
    """Find the first line of each top-level name of a file that tomllib has read."""
    found: dict[str, int] = {}
    in_table = False
    for line, statement in _split(text.replace("\r\n", "\n")):
        is_header = statement.lstrip().startswith("[")
        in_table = in_table or is_header
        if is_header or not in_table:
            for name in tomllib.loads(statement):
                found.setdefault(name, line)
    return found


def _split(text: str) -> Iterator[tuple[int, str]]:
    """Yield each statement with its line. One ends with a line that ends outside of brackets and texts."""
    begin, line, depth = 0, 1, 0
    for match in _TOKENS.finditer(text + "\n"):
        found = match[0]
        if found in ("[", "{"):
            depth += 1
        elif found in ("]", "}"):
            depth -= 1
        elif found == "\n" and depth == 0:
            statement = text[begin : match.start()]
            if statement.strip()[:1] not in ("", "#"):
                yield line, statement
            begin, line = match.end(), line + statement.count("\n") + 1
