"""Open the journal of an account, with the file by which its run is known to be alive."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from suno_wav_cli.journal.database import open_database
from suno_wav_cli.journal.journal import Journal
from suno_wav_cli.journal.runs import Runs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from suno_wav_cli.journal.entry import Account


@contextmanager
def open_journal(
    path: Path | None, account: Account, on_restored: Callable[[Path], None] | None = None
) -> Iterator[Journal]:
    """Open the journal at `path`, or make it. None keeps it in memory.

    `on_restored` is called when it has vanished and was written again. Every method of the Journal
    raises UsageError if the file or its folder cannot be used, as this does.
    """
    runs = Runs(None if path is None else path.parent / "runs")
    with open_database(path, on_restored) as database:
        try:
            yield Journal(database, account, runs)
        finally:
            runs.end()
