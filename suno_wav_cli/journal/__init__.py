"""What was paid for and where it stands, on disk before the next step."""

from suno_wav_cli.journal.journal import Journal
from suno_wav_cli.journal.migrations import SCHEMA_VERSION
from suno_wav_cli.journal.opening import open_journal
from suno_wav_cli.journal.queries import (
    History,
    Listing,
    open_history,
    open_history_as_it_is,
)

__all__ = [
    "SCHEMA_VERSION",
    "History",
    "Journal",
    "Listing",
    "open_history",
    "open_history_as_it_is",
    "open_journal",
]
