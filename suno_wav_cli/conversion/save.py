"""Save a song: its file, from the service to its place, whatever the network does meanwhile."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, NoReturn

from suno_wav_cli import events
from suno_wav_cli.api.pricing import WAV_PRICE
from suno_wav_cli.conversion.download_retry import (
    Attempt,
    GiveUp,
    Progress,
    Refresh,
    Restart,
    next_pause,
    next_step,
)
from suno_wav_cli.conversion.identity import check_identity
from suno_wav_cli.conversion.info_file import SavedSong
from suno_wav_cli.conversion.lookup_retry import next_step as next_lookup
from suno_wav_cli.conversion.stdout import write_to_standard_output
from suno_wav_cli.conversion.upload import is_saved, upload
from suno_wav_cli.conversion.wait import wait_terms
from suno_wav_cli.conversion.whole_file import put_in_place, report_levels, tag
from suno_wav_cli.download.fetch import Transfer, fetch
from suno_wav_cli.download.part_file import disk_error, open_part
from suno_wav_cli.errors import (
    AddressRefused,
    BrokenOff,
    DiskFull,
    DownloadFailed,
    NotAuthorized,
    ServiceUnavailable,
    SunoWavError,
)
from suno_wav_cli.journal.entry import State
from suno_wav_cli.remote.address import is_remote, shown
from suno_wav_cli.system.threads import start_in_thread
from suno_wav_cli.wav import is_silent, read_format

if TYPE_CHECKING:
    from pathlib import Path

    from suno_wav_cli.conversion.context import ConversionContext
    from suno_wav_cli.conversion.download_slots import DownloadSlot
    from suno_wav_cli.download.part_file import PartFile
    from suno_wav_cli.journal.entry import JournalEntry
    from suno_wav_cli.journal.parts import PartialFile
    from suno_wav_cli.models import WavFormat

_LARGEST_DRAWN = 256_000_000
"""Bytes. More than any song has. A longer file is drawn by `inspect` only."""


async def save(entry: JournalEntry, url: str, target: Path, context: ConversionContext) -> None:
    """Download the file at `url`, check it, and put it at `target`, or on standard output.

    A file that is there already is this conversion's own, or is left alone. Raise SunoWavError.
    """
    path = None if context.piped else target
    journal = context.journal
    async with context.downloads.one() as slot:
        local = context.local_file(entry.name, target)
        with open_part(local) as part, context.room.shared_with(part.path):
            # Before the lock, another program may have put this very file in its place.
            entry = journal.of_task(entry.wav_task_id or "") or entry
            if await is_saved(context, entry, target):
                context.report(
                    events.Skipped(audio_id=entry.name, path=target, tags_wanted=context.tagger is not None)
                )
                return
            partial = _find_partial(part, entry, context)
            download = _Download(
                entry=entry,
                part=part,
                context=context,
                slot=slot,
                deadline=time.monotonic() + context.settings.timeout,
            )
            context.report(
                events.DownloadStarted(
                    audio_id=entry.name,
                    title=entry.title,
                    task_id=entry.wav_task_id or "",
                    path=path,
                    received=_count(partial),
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
    await journal.when_unlocked(lambda: journal.move(entry, State.SAVED))
    if context.draws_levels and path is not None and not is_remote(path) and size <= _LARGEST_DRAWN:
        await report_levels(entry, path, wav, context)
    context.report(
        events.Saved(
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


@dataclass(frozen=True, kw_only=True)
class _Download:
    """One file, in as many attempts as it takes until `deadline`."""

    entry: JournalEntry
    part: PartFile
    context: ConversionContext
    slot: DownloadSlot
    deadline: float

    async def run(self, url: str, partial: PartialFile | None) -> tuple[WavFormat, str]:
        """Bring the whole file into the part file. Return its format and SHA-256.

        `partial` is what an earlier run left there. Raise SunoWavError.
        """
        if partial is None:
            await self._discard()
        connections = self.context.downloads.connections
        progress = Progress(received=_count(partial))
        while True:
            await self.context.room.wait_for(self.part.path, partial)
            transfer = Transfer(url, self.part, self.context.download_terms, partial, connections)
            try:
                sha256 = await self._fetch(transfer)
                return read_format(self.part.path), sha256
            except DownloadFailed as error:
                segments = transfer.segments
                attempt = Attempt(
                    began_at=_count(partial), received=segments.received, shared=segments.is_shared
                )
                progress = progress.after(error, attempt, self.context.download_backoff)
                step = next_step(error, progress, attempt)
                partial = segments.partial_file()
                if isinstance(step, Restart) or (isinstance(step, GiveUp) and step.discard):
                    partial = None
                    await self._discard()
                    self._report_progress(0, None)
                if isinstance(step, GiveUp):
                    self._give_up(error)
                if attempt.shared:
                    connections = 1
                    self.context.report(
                        events.ConnectionsReduced(audio_id=self.entry.name, reason=error.message)
                    )
                if isinstance(step, Refresh):
                    url, progress = await self._refresh(url, progress, error)
                elif not step.at_once:
                    progress = await self._pause(error, progress)

    async def _fetch(self, transfer: Transfer) -> str:
        parts = self.context.journal.parts
        return await fetch(
            transfer,
            on_progress=self._report_progress,
            keep=lambda partial, fingerprint: parts.keep(self.part.path, self.entry, partial, fingerprint),
        )

    def _report_progress(self, received: int, total: int | None) -> None:
        if total is not None:
            self.context.room.learn(self.part.path, total)
        self.context.report(events.DownloadProgress(audio_id=self.entry.name, received=received, total=total))

    async def _discard(self) -> None:
        """Start over. The journal first: a crash must not leave it with bytes that are gone."""
        journal = self.context.journal
        await journal.when_unlocked(lambda: journal.parts.forget(self.part.path))
        self.part.restart()

    async def _refresh(self, url: str, progress: Progress, refused: DownloadFailed) -> tuple[str, Progress]:
        """Ask the service for a fresh address. If it names none, pause and keep the old one.

        Its answer decides nothing about a file that is paid for: the old address may work again.
        """
        try:
            record = await self.context.client.fetch_record(self.entry.wav_task_id or "")
            check_identity(self.context, self.entry, record)
        except SunoWavError as error:
            lookups = progress.lookups.after(error, time.monotonic())
            step = next_lookup(lookups, wait_terms(self.context, self.entry), key_worked=True)
            if isinstance(step, NotAuthorized):
                self._give_up(step)
            if not isinstance(error, ServiceUnavailable | NotAuthorized):
                error = AddressRefused(f"{refused.message}; {error.message}", refused.remedy)
            return url, await self._pause(error, replace(progress, lookups=lookups))
        url = record.url or url
        journal = self.context.journal
        await journal.when_unlocked(partial(journal.move, self.entry, State.READY, wav_url=url))
        return url, replace(progress, is_address_fresh=True)

    async def _pause(self, error: SunoWavError, progress: Progress) -> Progress:
        """Let another download go on for a while. Raise if there is to be no other attempt."""
        seconds_left = self.deadline - time.monotonic()
        if is_full := isinstance(error, DiskFull):
            seconds_left = min(seconds_left, self.context.room.found_short(self.part.path))
        seconds = next_pause(error, progress, self.context.download_backoff, seconds_left)
        if seconds is None:
            self._give_up(error)
        self.context.report(
            events.DownloadRetried(audio_id=self.entry.name, reason=error.message, seconds=seconds)
        )
        # Another download would find the disk as full.
        await (asyncio.sleep if is_full else self.slot.pause)(seconds)
        return replace(progress, pauses=progress.pauses + 1)

    def _give_up(self, error: SunoWavError) -> NoReturn:
        """Raise the error, with what to do next."""
        argv = self.context.continue_argv([self.entry.wav_task_id or ""])
        if isinstance(error, AddressRefused):
            days = self.context.client.provider.retention_days
            raise AddressRefused(
                error.message,
                f"If it stays so, the service has deleted the file, as it does after {days} days; only a new "
                "conversion, which is charged, brings it back: `convert` with the song's id, --resubmit and --force. "
                "To try again, free of charge:",
                continue_argv=argv,
            ) from error
        if isinstance(error, BrokenOff):
            remedy = "It is paid for and stays at the service."
            raise DownloadFailed(error.message, remedy, continue_argv=argv) from error
        raise error


def _count(partial: PartialFile | None) -> int:
    return 0 if partial is None else partial.received


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
