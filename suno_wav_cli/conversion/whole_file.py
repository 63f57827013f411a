"""The whole file of a song: its tags, its place, and how it sounds."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from suno_wav_cli.download.fetch import sync_and_hash
from suno_wav_cli.errors import OutputExists
from suno_wav_cli.events import songs
from suno_wav_cli.models import Song
from suno_wav_cli.system.threads import start_in_thread
from suno_wav_cli.wav.levels import measure_levels
from suno_wav_cli.wav.structure import read_format

if TYPE_CHECKING:
    from pathlib import Path

    from suno_wav_cli.conversion.context import ConversionContext
    from suno_wav_cli.conversion.tagger import Tagger
    from suno_wav_cli.download.part_file import PartFile
    from suno_wav_cli.journal.entry import JournalEntry
    from suno_wav_cli.models import WavFormat


async def tag(entry: JournalEntry, part: PartFile, tagger: Tagger, context: ConversionContext) -> str:
    """Write the song's tags. Return the SHA-256 of the file with them.

    Raise OSError, and NotAWholeWav for a bug.
    """
    # A crash in the middle leaves what is no longer the server's file: the next run starts over.
    journal = context.journal
    await journal.when_unlocked(lambda: journal.parts.forget(part.path))
    await tagger.tag(part.file, Song(audio_id=entry.name, music_task_id=entry.music_task_id))
    # Whole it was before.
    read_format(part.path, length_met=True)
    return await sync_and_hash(part)


async def put_in_place(
    part: PartFile, entry: JournalEntry, path: Path, sha256: str, context: ConversionContext
) -> JournalEntry:
    """Rename the part file. The journal first: after a crash it still knows whose file that is."""
    journal = context.journal
    entry = await journal.when_unlocked(lambda: journal.begin_rename(entry, path, part.size, sha256))
    try:
        part.put_in_place(path, force=context.settings.force)
    except OutputExists:
        await journal.when_unlocked(partial(journal.undo_rename, entry, path))
        raise
    return entry


async def report_levels(entry: JournalEntry, path: Path, wav: WavFormat, context: ConversionContext) -> None:
    # The song is saved: if its file is gone by now, there is nothing to draw.
    with suppress(OSError):
        levels = await start_in_thread(lambda: measure_levels(path, wav), "levels")
        if levels is not None:
            context.report(songs.LevelsMeasured(audio_id=entry.name, levels=levels))
