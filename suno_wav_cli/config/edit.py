"""Edit config.toml, and keep its comments and its order."""

from __future__ import annotations

import os
import tomllib
from typing import TYPE_CHECKING

from suno_wav_cli.config.file import LARGEST, make_read_error
from suno_wav_cli.errors import UsageError
from suno_wav_cli.system.atomic_file import write_atomically
from suno_wav_cli.system.private_files import make_folder

if TYPE_CHECKING:
    from pathlib import Path

    from suno_wav_cli.config.file import ConfigFile

_MARK = "\ufeff"
"""A byte order mark, which Windows editors put first and TOML does not have."""


def check_editable(path: Path) -> None:
    """Raise UsageError if config.toml is a link: what it leads to is another program's to write."""
    if path.is_symlink():
        raise UsageError(
            f"{path} is a link to {os.path.realpath(path)}, and is not written through it", "Edit that file."
        )


def write_setting(config: ConfigFile, name: str, value: str | int | bool | None) -> None:
    """Write one setting into the file, or remove it if `value` is None. Raise UsageError."""
    check_editable(config.path)
    content = edit_text(config, name, value).encode()
    if len(content) > LARGEST:
        raise UsageError(f"{config.path} would be larger than {LARGEST:,} bytes", "Remove something from it.")
    try:
        make_folder(config.path.parent)
        write_atomically(config.path, content, 0o600)
    except OSError as error:
        raise UsageError(
            f"{config.path} cannot be written: {error.strerror or error}",
            "Fix the folder, or name another one: SUNO_WAV_HOME=FOLDER",
        ) from error


def edit_text(config: ConfigFile, name: str, value: str | int | bool | None) -> str:
    """Return the text of the file with the setting changed. Raise UsageError if it cannot be."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    text = config.text
    mark, line_end = _MARK if text.startswith(_MARK) else "", "\r\n" if "\r\n" in text else "\n"
    expected = {key: found for key, found in config.written.items() if key != name}
    if value is not None:
        expected[name] = value
    try:
        document = tomlkit.parse(text.removeprefix(_MARK).replace("\r\n", "\n"))
        if value is not None:
            document[name] = value
        else:
            document.pop(name, None)
        edited = tomlkit.dumps(document)
        understood = tomllib.loads(edited, parse_float=str) == expected
    except (TOMLKitError, ValueError) as error:
        raise make_read_error(config.path, str(error)) from None
    if not understood:
        raise UsageError(f"{config.path} is not changed: its form is unusual", "Edit it by hand.")
    return mark + edited.replace("\n", line_end)
