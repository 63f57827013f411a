"""What was paid for and where it stands, on disk before the next step is taken."""

from suno_wav_cli.journal.conversions import Claim, Journal, open_journal
from suno_wav_cli.journal.history import (
    History,
    Listing,
    open_history,
    open_history_as_it_is,
)
from suno_wav_cli.journal.schema import SCHEMA_VERSION

__all__ = [
    "SCHEMA_VERSION",
    "Claim",
    "History",
    "Journal",
    "Listing",
    "open_history",
    "open_history_as_it_is",
    "open_journal",
]
