"""Conversions that this machine's journal does not know, and a file of `--info-json` does.

They are continued, so that another machine, or one that has lost its journal, pays for nothing again.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from suno_wav_cli.api.providers import PROVIDERS, get_provider
from suno_wav_cli.conversion.info_file import MADE_BY
from suno_wav_cli.journal.entry import SavedFile, State
from suno_wav_cli.models import KnownTask, is_id
from suno_wav_cli.remote.address import is_remote

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from suno_wav_cli.conversion.context import ConversionContext
    from suno_wav_cli.journal.entry import JournalEntry
    from suno_wav_cli.models import Song

_SHA256 = re.compile(r"[0-9a-f]{64}")
_LARGEST = 2**63
_YEAR_2100 = 4102444800.0
"""Seconds. The journal holds no larger size, and computes with the time."""


def read_known_task(values: Mapping[str, object]) -> KnownTask | None:
    """Return the conversion that an object of `--info-json` names. Other objects name none."""
    if values.get("made_by") != MADE_BY:
        return None
    texts = [values.get(name) for name in ("provider", "base_url", "wav_task_id", "submitted", "sha256")]
    size = values.get("bytes")
    # A list may come from anybody. True is an int, too.
    if not all(isinstance(text, str) for text in texts) or type(size) is not int:
        return None
    provider, base_url, task_id, submitted, sha256 = map(str, texts)
    if not is_id(task_id) or not _SHA256.fullmatch(sha256) or not 0 < size < _LARGEST:
        return None
    try:
        seconds = datetime.fromisoformat(submitted).timestamp()
    except (ValueError, OverflowError):
        return None
    if not 0 < seconds < _YEAR_2100:
        return None
    return KnownTask(
        provider=provider, base_url=base_url, task_id=task_id, submitted=seconds, bytes=size, sha256=sha256
    )


def adopt_known(context: ConversionContext, song: Song, target: Path) -> JournalEntry | None:
    """Record the conversion of a song that the journal does not know, if its list names one of this service.

    A file that is there already, with the same bytes, is recorded as saved.
    """
    known, journal = song.known, context.journal
    if known is None or known.base_url != context.service:
        return None
    if PROVIDERS.get(known.provider) is not get_provider(context.settings.provider):
        return None
    entry = journal.adopt(known.task_id, song.audio_id, target, accepted=known.submitted)
    if entry.audio_id != song.audio_id:
        # The journal knows better whose task this is.
        return None
    if is_remote(target):
        # Whether the object is there, and is this one, is looked at before this counts.
        journal.uploads.begin(entry, target, known.bytes, known.sha256, in_parts=False)
        journal.uploads.end(entry, target)
    elif SavedFile(path=target, bytes=known.bytes, sha256=known.sha256).is_unchanged():
        entry = journal.begin_rename(entry, target, known.bytes, known.sha256)
        entry = journal.move(entry, State.SAVED)
    return entry
