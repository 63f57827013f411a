"""Where the program keeps its files. Each is named here, once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from suno_wav_cli.config import parsers
from suno_wav_cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Paths:
    """`keys`, `agents`, `spool` and `lists` are folders.

    `agents` notes which ngrok agents run. `spool` holds songs on their way to standard output.
    `lists` has the rest of lists from standard input, of runs that ended early.
    """

    config_file: Path
    journal: Path
    keys: Path
    agents: Path
    spool: Path
    lists: Path


def find_paths(environ: Mapping[str, str]) -> Paths:
    """Return the user's own paths, or those below SUNO_WAV_HOME. Raise UsageError."""
    config, state = _find_folders(environ)
    return Paths(
        config_file=config / "config.toml",
        journal=state / "journal.sqlite3",
        keys=state / "keys",
        agents=state / "agents",
        spool=state / "piped",
        lists=state / "lists",
    )


def _find_folders(environ: Mapping[str, str]) -> tuple[Path, Path]:
    """Return the folder of the configuration and that of the state."""
    home = environ.get("SUNO_WAV_HOME")
    if home:
        try:
            folder = parsers.path(home)
        except ValueError as error:
            raise UsageError(
                f"SUNO_WAV_HOME: '{home}' is not {error}", "Correct it and run the command again."
            ) from None
        return folder, folder
    import platformdirs

    return (
        platformdirs.user_config_path("suno-wav", appauthor=False),
        platformdirs.user_state_path("suno-wav", appauthor=False),
    )
