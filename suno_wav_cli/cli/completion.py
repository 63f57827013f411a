"""Task ids for the shell, from the journal as it is: nothing is written, and no trouble is told."""

from __future__ import annotations

import os
from contextlib import suppress

_MOST_OFFERED = 50


def task_ids_beginning(incomplete: str) -> list[tuple[str, str]]:
    """Offer the newest tasks, each with its song and state."""
    return _offered(incomplete, unfinished=False)


def unfinished_task_ids_beginning(incomplete: str) -> list[tuple[str, str]]:
    return _offered(incomplete, unfinished=True)


def _offered(incomplete: str, *, unfinished: bool) -> list[tuple[str, str]]:
    from suno_wav_cli.config.paths import find_paths
    from suno_wav_cli.errors import SunoWavError
    from suno_wav_cli.journal import open_history_as_it_is
    from suno_wav_cli.terminal.texts import printable

    with suppress(SunoWavError), open_history_as_it_is(find_paths(os.environ).journal) as history:
        if history is not None:
            entries = history.tasks_beginning(incomplete, unfinished=unfinished, limit=_MOST_OFFERED)
            return [
                (entry.wav_task_id, printable(f"{entry.title or entry.name}, {entry.state}"))
                for entry in entries
                if entry.wav_task_id is not None
            ]
    return []
