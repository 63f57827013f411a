"""config.toml: its settings, and the line of each."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from suno_wav_cli.errors import UsageError
from suno_wav_cli.system.private_files import find_stranger, is_open_to_others

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

_LARGEST = 1 << 20


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
            content = file.read(_LARGEST + 1)
    except FileNotFoundError:
        return ConfigFile(path=path, written={}, text="")
    except OSError as error:
        raise _make_read_error(path, error.strerror or str(error)) from None
    if stranger := find_stranger(status):
        raise _make_read_error(path, stranger)
    if len(content) > _LARGEST:
        raise _make_read_error(path, "it is too large")
    try:
        text = content.decode("utf-8")
        config = ConfigFile(
            path=path,
            written=tomllib.loads(text, parse_float=str),
            text=text,
            is_open=is_open_to_others(status),
        )
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _make_read_error(path, f"line {line} is not UTF-8 text") from None
    except (ValueError, RecursionError) as error:
        # tomllib's message has the line.
        raise _make_read_error(path, str(error)) from None
    unknown = [name for name in config.written if name not in known]
    if unknown:
        name = unknown[0]
        raise UsageError(f"{config.place(name)}: there is no setting '{name}'", _suggest_name(name, known))
    return config


def _make_read_error(path: Path, reason: str) -> UsageError:
    return UsageError(f"{path} cannot be read: {reason}", "Fix the file, or move it away.")


def _suggest_name(name: str, known: Collection[str]) -> str:
    from difflib import get_close_matches

    if name.lower() in ("api_key", "suno_api_key", "key"):
        return "The API key does not belong in this file. Use `suno-wav login` or SUNO_API_KEY."
    near = get_close_matches(name.lower().replace("-", "_"), known, n=1)
    return f"Did you mean {near[0]}?" if near else f"Settings: {', '.join(known)}."


def _find_lines(text: str) -> dict[str, int]:
    """Find the first line of each top-level name, by reading the text statement by statement.

    A statement is complete when tomllib can read the lines since the last one.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    found: dict[str, int] = {}
    begin, in_table = 0, False
    for end in range(1, len(lines) + 1):
        try:
            statement = tomllib.loads("\n".join(lines[begin:end]))
        except tomllib.TOMLDecodeError:
            continue
        is_header = lines[begin].lstrip().startswith("[")
        in_table = in_table or is_header
        if is_header or not in_table:
            for name in statement:
                found.setdefault(name, begin + 1)
        begin = end
    return found
