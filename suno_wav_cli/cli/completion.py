"""Complete task ids in the shell, from the journal. Writes nothing, and reports no errors."""

from __future__ import annotations

import os
from contextlib import suppress

_MAX_OFFERED = 50


def complete_task_id(incomplete: str) -> list[tuple[str, str]]:
    """Return the newest tasks that begin so, each with its song and state."""
    return _find_tasks(incomplete, unfinished=False)


def complete_unfinished_task_id(incomplete: str) -> list[tuple[str, str]]:
    return _find_tasks(incomplete, unfinished=True)


def _find_tasks(incomplete: str, *, unfinished: bool) -> list[tuple[str, str]]:
    from suno_wav_cli.config.settings import journal_file
    from suno_wav_cli.errors import SunoWavError
    from suno_wav_cli.journal import open_history_as_it_is
    from suno_wav_cli.terminal.tables import printable

    with suppress(SunoWavError), open_history_as_it_is(journal_file(os.environ)) as history:
        if history is not None:
            entries = history.tasks_beginning(incomplete, unfinished=unfinished, limit=_MAX_OFFERED)
            return [
                (entry.wav_task_id, printable(f"{entry.title or entry.name}, {entry.state}"))
                for entry in entries
                if entry.wav_task_id is not None
            ]
    return []
