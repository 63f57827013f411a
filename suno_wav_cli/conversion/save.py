"""Save a song: its file, from the service to its place, whatever the network does meanwhile."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from suno_wav_cli.api.pricing import WAV_PRICE
from suno_wav_cli.conversion.attempts import Download, count_bytes
from suno_wav_cli.conversion.info_file import SavedSong
from suno_wav_cli.conversion.stdout import write_to_standard_output
from suno_wav_cli.conversion.upload import is_saved, upload
from suno_wav_cli.conversion.whole_file import put_in_place, report_levels, tag
from suno_wav_cli.download.part_file import check_target, disk_error, open_part
from suno_wav_cli.errors import PartInUse, StillRunning
from suno_wav_cli.events import payments, songs
from suno_wav_cli.journal.entry import State
from suno_wav_cli.remote.address import is_remote, shown
from suno_wav_cli.system.threads import start_in_thread
from suno_wav_cli.wav.samples import is_silent

if TYPE_CHECKING:
    from pathlib import Path

    from suno_wav_cli.conversion.context import ConversionContext
    from suno_wav_cli.conversion.download_slots import DownloadSlot
    from suno_wav_cli.download.part_file import PartFile
    from suno_wav_cli.journal.entry import JournalEntry
    from suno_wav_cli.journal.parts import PartialFile

_BETWEEN_LOOKS = 0.5
"""Seconds between two looks whether another program still downloads the song."""
_LARGEST_DRAWN = 256_000_000
"""Bytes. More than any song has. A longer file is drawn by `inspect` only."""


async def save(
    entry: JournalEntry, url: str, target: Path, context: ConversionContext, slot: DownloadSlot
) -> bool:
    """Download the file at `url`, check it, and put it at `target`, or on standard output.

    While another program downloads it, wait for that, until `--timeout`. `slot` is held until the
    file is in its place. Return False if the file is there already: it is this conversion's own, or
    is left alone. Raise SunoWavError.
    """
    deadline, is_said = time.monotonic() + context.settings.timeout, False
    while True:
        try:
            return await _save(entry, url, target, context, slot)
        except PartInUse as in_use:
            if time.monotonic() > deadline:
                raise StillRunning(
                    in_use.message,
                    "Nothing is paid twice. To wait for it:",
                    continue_argv=context.continue_argv([entry.wav_task_id or ""]),
                ) from None
            if not is_said:
                is_said = True
                context.report(payments.OtherRunAwaited(audio_id=entry.name, downloading=True))
        await slot.pause(_BETWEEN_LOOKS)


async def _save(
    entry: JournalEntry, url: str, target: Path, context: ConversionContext, slot: DownloadSlot
) -> bool:
    path = None if context.piped else target
    journal = context.journal
    local = context.local_file(entry.name, target)
    with open_part(local) as part, context.room.shared_with(part.path):
        # Before the lock, another program may have put this very file in its place.
        entry = journal.of_task(entry.wav_task_id or "") or entry
        if await is_saved(context, entry, target):
            context.report(
                songs.Skipped(audio_id=entry.name, path=target, tags_wanted=context.tagger is not None)
            )
            return False
        if path is not None and not is_remote(path):
            check_target(path)
        partial = _find_partial(part, entry, context)
        download = Download(
            entry=entry,
            part=part,
            context=context,
            slot=slot,
            began=time.monotonic(),
        )
        context.report(
            songs.DownloadStarted(
                audio_id=entry.name,
                title=entry.title,
                task_id=entry.wav_task_id or "",
                path=path,
                received=count_bytes(partial),
            )
        )
        wav, sha256 = await download.run(url, partial)
        context.room.found_enough()
        try:
            if context.tagger is not None:
                sha256 = await tag(entry, part, context.tagger, context)
            silent = await start_in_thread(lambda: is_silent(part.path, wav), "silence")
        except OSError as error:
            raise disk_error(part.path, error) from error
        size = part.size
        if path is None:
            await write_to_standard_output(part.path)
            part.restart()
        elif is_remote(path):
            await upload(part, entry, path, sha256, context)
        else:
            entry = await put_in_place(part, entry, path, sha256, context)
        await journal.when_unlocked(lambda: journal.parts.forget_renamed(part.path))
    slot.end()
    await journal.when_unlocked(lambda: journal.move(entry, State.SAVED))
    if context.draws_levels and path is not None and not is_remote(path) and size <= _LARGEST_DRAWN:
        await report_levels(entry, path, wav, context)
    context.report(
        songs.Saved(
            audio_id=entry.name,
            task_id=entry.wav_task_id or "",
            path=path,
            bytes=size,
            sha256=sha256,
            format=wav,
            silent=silent,
            credits=entry.credits,
            price=WAV_PRICE,
        )
    )
    if path is not None:
        saved = SavedSong(
            entry=entry,
            place=shown(path if is_remote(path) else path.absolute()),
            file_name=path.name,
            bytes=size,
            sha256=sha256,
            format=wav,
        )
        await context.follow_up.after_saving(saved, path)
    return True


def _find_partial(part: PartFile, entry: JournalEntry, context: ConversionContext) -> PartialFile | None:
    """Return what this conversion left in the part file, if it is still there unchanged."""
    found = context.journal.parts.find(part.path, entry)
    if found is None:
        return None
    partial, fingerprint = found
    if not partial.end <= part.size <= (partial.length or part.size):
        return None
    # A disk that cannot read its bytes back is a reason to start over, too.
    with suppress(OSError):
        if part.fingerprint(partial.present) == fingerprint:
            return partial
    return None
