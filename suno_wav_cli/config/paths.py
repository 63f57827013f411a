"""Where the program keeps its files. Each is named here, once, and is this user's own."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from suno_wav_cli.config import parsers
from suno_wav_cli.errors import UsageError
from suno_wav_cli.system.look import look_at
from suno_wav_cli.system.private_files import find_stranger
from suno_wav_cli.system.shell_words import as_operand, say_how

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Paths:
    """`keys`, `agents`, `spool`, `lists` and `undelivered` are folders.

    `sandbox_journal` and `sandbox_tasks` keep what was practised at the program's own sandbox.
    `agents` notes which tunnels run. `spool` holds songs on their way to standard output.
    `undelivered` has what `listen` has yet to forward. `lists` has the rest of lists from standard
    input, of runs that ended early. `callback_path` is the file that keeps the end of the receiver's
    path.
    """

    config_file: Path
    journal: Path
    sandbox_journal: Path
    sandbox_tasks: Path
    keys: Path
    agents: Path
    spool: Path
    lists: Path
    undelivered: Path
    callback_path: Path


def find_paths(environ: Mapping[str, str]) -> Paths:
    """Return the user's own paths, or those below SUNO_WAV_HOME. Links to these folders are resolved.

    Raise UsageError if another user could have made or changed one of them.
    """
    # `resolve` raises for links that lead to themselves.
    config, state = (Path(os.path.realpath(folder)) for folder in _find_folders(environ))
    paths = Paths(
        config_file=config / "config.toml",
        journal=state / "journal.sqlite3",
        sandbox_journal=state / "sandbox" / "journal.sqlite3",
        sandbox_tasks=state / "sandbox" / "tasks.jsonl",
        keys=state / "keys",
        agents=state / "agents",
        spool=state / "piped",
        lists=state / "lists",
        undelivered=state / "undelivered",
        callback_path=state / "callback-path",
    )
    _check_owners(config, state, paths)
    return paths


def _check_owners(config: Path, state: Path, paths: Paths) -> None:
    """Raise UsageError: who can write there chooses where the key goes, and what was paid for."""
    ours = [getattr(paths, one.name) for one in fields(Paths)]
    # SQLite reads its logs as parts of the journal: `-journal` too, which WAL mode does not write.
    endings = ("-wal", "-shm", "-journal")
    journals = (paths.journal, paths.sandbox_journal)
    logs = [journal.with_name(journal.name + ending) for journal in journals for ending in endings]
    folders = [journal.parent for journal in journals] + [journal.parent / "runs" for journal in journals]
    for path in dict.fromkeys((config, state, *folders, *ours, *logs)):
        status = look_at(path)
        stranger = status and find_stranger(status)
        if not status or not stranger:
            continue
        if status.st_uid in (os.geteuid(), 0):
            remedy = say_how("Take that from them", "chmod", "o-w", as_operand(path))
        else:
            remedy = "Name a folder of your own: SUNO_WAV_HOME=FOLDER"
        raise UsageError(f"{path} is not used: {stranger}", remedy)


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
