"""The end of a song's story: its file, from the service to its place, whatever the network does meanwhile."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from suno_wav_cli import events
from suno_wav_cli.conversion.stdout import write_to_standard_output
from suno_wav_cli.download.fetch import Transfer, fetch, settled
from suno_wav_cli.download.part_file import disk_failed, open_part
from suno_wav_cli.errors import (
    AddressRefused,
    BrokenOff,
    DownloadFailed,
    NotAWholeWav,
    OutputExists,
    ServiceUnavailable,
    StartOver,
    SunoWavError,
)
from suno_wav_cli.journal.entry import State
from suno_wav_cli.models import Song
from suno_wav_cli.system.threads import start_in_thread
from suno_wav_cli.wav import is_silent, portray, read_format

if TYPE_CHECKING:
    from pathlib import Path

    from suno_wav_cli.conversion.context import ConversionContext
    from suno_wav_cli.conversion.download_slots import DownloadSlot
    from suno_wav_cli.conversion.tagger import Tagger
    from suno_wav_cli.download.part_file import Part
    from suno_wav_cli.journal.entry import JournalEntry
    from suno_wav_cli.journal.holding import PartialFile
    from suno_wav_cli.models import WavFormat

_MOST_IN_VAIN = 5
"""Tries that fetched bytes and brought the file no further: each may have cost as much as the whole of it."""

_LARGEST_PORTRAIT = 256_000_000
"""Bytes. More than any song has; what is longer is drawn by `inspect`, for somebody who asked."""


async def save(entry: JournalEntry, url: str, target: Path, context: ConversionContext) -> None:
    """Download the file at `url`, check it, and put it at `target`, or on standard output.

    A file that is there already is this conversion's own, or not touched. Raises SunoWavError.
    """
    async with context.downloads.one() as turn:
        with open_part(target) as part:
            # Before it was locked, another program may have put this very file in its place.
            entry = context.journal.of_task(entry.wav_task_id or "") or entry
            if not context.settings.force and context.journal.recognises(entry, target):
                context.report(
                    events.Skipped(audio_id=entry.name, path=target, tags_wanted=context.tagger is not None)
                )
                return
            download = _Download(entry, url, part, context, turn)
            path = None if context.piped else target
            context.report(
                events.DownloadStarted(
                    audio_id=entry.name,
                    task_id=entry.wav_task_id or "",
                    path=path,
                    received=download.received,
                )
            )
            wav, sha256 = await download.finished()
            try:
                if context.tagger is not None:
                    sha256 = await _tagged(entry, part, context.tagger, context)
                silent = await start_in_thread(lambda: is_silent(part.path, wav), "silence")
            except OSError as error:
                raise disk_failed(part.path, error) from error
            size = part.size
            if path is None:
                await write_to_standard_output(part.path)
                part.restart()
            else:
                entry = context.journal.begin_rename(entry, path, size, sha256)
                try:
                    part.put_in_place(path, force=context.settings.force)
                except OutputExists:
                    context.journal.undo_rename(entry, path)
                    raise
            context.journal.parts.forget(part.path)
    context.journal.move(entry, State.SAVED)
    if context.run.interactive and path is not None and size <= _LARGEST_PORTRAIT:
        await _portray(entry, path, wav, context)
    context.report(
        events.Saved(
            audio_id=entry.name,
            task_id=entry.wav_task_id or "",
            path=path,
            bytes=size,
            sha256=sha256,
            format=wav,
            silent=silent,
        )
    )


async def _tagged(entry: JournalEntry, part: Part, tagger: Tagger, context: ConversionContext) -> str:
    """Write the song's tags; the SHA-256 of the file that has them. Raises OSError, and NotAWholeWav for a bug."""
    # A crash in the middle leaves what is not the server's file any more: to be begun anew.
    context.journal.parts.forget(part.path)
    await tagger.tag(part.file, Song(audio_id=entry.name, music_task_id=entry.music_task_id))
    read_format(part.path)
    return await settled(part)


async def _portray(entry: JournalEntry, path: Path, wav: WavFormat, context: ConversionContext) -> None:
    # It is saved: whoever takes it away this soon does not want to see it.
    with suppress(OSError):
        portrait = await start_in_thread(lambda: portray(path, wav), "portrait")
        if portrait is not None:
            context.report(events.LevelsMeasured(audio_id=entry.name, levels=portrait))


def _continuable(part: Part, entry: JournalEntry, context: ConversionContext) -> PartialFile | None:
    """Tell what of this conversion's file is in the `.part`; None where it is of another one, or has changed."""
    kept = context.journal.parts.holding(part.path, entry)
    if kept is None:
        return None
    holding, evidence = kept
    if not holding.end <= part.size <= (holding.length or part.size):
        return None
    # A disk that does not give back what it has taken is a reason to begin anew, too.
    with suppress(OSError):
        if part.evidence(holding.present()) == evidence:
            return holding
    return None


class _Download:
    """One file, in as many tries as it takes."""

    def __init__(
        self, entry: JournalEntry, url: str, part: Part, context: ConversionContext, turn: DownloadSlot
    ) -> None:
        self._entry = entry
        self._url = url
        self._part = part
        self._shop = context
        self._turn = turn
        self._connections = context.downloads.connections
        self._holding = _continuable(part, entry, context)
        if self._holding is None:
            self._throw_away()
        self._deadline = time.monotonic() + context.settings.timeout
        self._delays = context.download_backoff.delays()
        self._most_received = self.received
        self._in_vain = 0
        self._refused = False

    @property
    def received(self) -> int:
        """How many bytes are there to go on from."""
        return 0 if self._holding is None else self._holding.received

    async def finished(self) -> tuple[WavFormat, str]:
        """Try until the whole file is in the `.part`; its format and its SHA-256. Raises SunoWavError."""
        context, part, entry = self._shop, self._part, self._entry
        while True:
            transfer = Transfer(self._url, part, context.download_terms, self._holding, self._connections)
            try:
                sha256 = await fetch(
                    transfer,
                    on_progress=lambda received, total: context.report(
                        events.DownloadProgress(audio_id=entry.name, received=received, total=total)
                    ),
                    keep=lambda *kept: context.journal.parts.keep(part.path, entry, *kept),
                )
                return read_format(part.path), sha256
            except DownloadFailed as error:
                await self._recover(transfer, error)

    async def _recover(self, transfer: Transfer, error: DownloadFailed) -> None:
        """Make ready for another try. Raises where there is to be none."""
        self._count(transfer, error)
        self._holding = transfer.holding()
        if isinstance(error, NotAWholeWav | StartOver):
            self._throw_away()
            self._shop.report(events.DownloadProgress(audio_id=self._entry.name, received=0, total=None))
        if isinstance(error, NotAWholeWav) and self._in_vain > 1:
            raise error
        if not isinstance(error, BrokenOff | AddressRefused | NotAWholeWav):
            raise error
        if transfer.several:
            self._connections = 1
            self._shop.report(events.ConnectionsReduced(audio_id=self._entry.name, reason=error.message))
            if not (isinstance(error, BrokenOff) and error.retry_after):
                return
        if isinstance(error, AddressRefused):
            await self._ask_again(error)
        else:
            await self._pause(error)

    def _throw_away(self) -> None:
        """Begin anew. The journal first, so that no crash leaves it with bytes that are not there."""
        self._holding = None
        self._shop.journal.parts.forget(self._part.path)
        self._part.restart()

    def _count(self, transfer: Transfer, error: DownloadFailed) -> None:
        """See whether the try brought the file further, or fetched bytes for nothing."""
        received = transfer.received
        if received > self._most_received and not isinstance(error, NotAWholeWav):
            self._most_received = received
            self._refused = False
            if self._shop.download_backoff.retries is None:
                self._delays = self._shop.download_backoff.delays()
        elif received > self.received or isinstance(error, NotAWholeWav | StartOver):
            self._in_vain += 1

    async def _ask_again(self, refused: AddressRefused) -> None:
        """Get a fresh address, once for each time that one is refused."""
        if self._refused:
            line = self._shop.continue_with([self._entry.wav_task_id or ""])
            raise AddressRefused(
                refused.message,
                f"To try again, free of charge: {line}. If it stays so, the service has deleted the file, as it does after "
                f"{self._shop.client.provider.retention_days} days; only a new conversion, which is charged, brings it "
                "back: convert, with --resubmit.",
            ) from refused
        try:
            record = await self._shop.client.fetch_record(self._entry.wav_task_id or "")
        except ServiceUnavailable as away:
            await self._pause(away)
        else:
            self._refused = True
            self._url = record.url or self._url
            self._shop.journal.move(self._entry, State.READY, wav_url=self._url)

    async def _pause(self, error: SunoWavError) -> None:
        """Wait before the next try. Raises DownloadFailed where the time is up, or enough was fetched in vain."""
        delay = next(self._delays, None)
        if delay is not None and isinstance(error, BrokenOff):
            delay = max(delay, error.retry_after or 0.0)
        if delay is None or self._in_vain > _MOST_IN_VAIN or time.monotonic() + delay > self._deadline:
            if not isinstance(error, BrokenOff):
                raise error
            line = self._shop.continue_with([self._entry.wav_task_id or ""])
            raise DownloadFailed(
                error.message, f"It is paid for and stays at the service. To continue: {line}"
            ) from error
        self._shop.report(
            events.DownloadRetried(audio_id=self._entry.name, reason=error.message, seconds=delay)
        )
        await self._turn.pause(delay)
