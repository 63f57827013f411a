"""One file from the service, in as many attempts as it takes."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, NoReturn

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
from suno_wav_cli.conversion.lookup_retry import next_step as next_lookup
from suno_wav_cli.conversion.wait import wait_terms
from suno_wav_cli.download.confirm import confirm_length
from suno_wav_cli.download.fetch import Transfer, fetch, sync_and_hash
from suno_wav_cli.errors import (
    AddressRefused,
    BrokenOff,
    DiskFull,
    DownloadFailed,
    NotAuthorized,
    NotAWholeWav,
    OutOfTime,
    PageAnswered,
    ServiceUnavailable,
    StartOver,
    SunoWavError,
)
from suno_wav_cli.events import songs
from suno_wav_cli.journal.entry import State
from suno_wav_cli.wav.fmt_chunk import NotAWav
from suno_wav_cli.wav.structure import read_format, read_structure

if TYPE_CHECKING:
    from suno_wav_cli.conversion.context import ConversionContext
    from suno_wav_cli.conversion.download_slots import DownloadSlot
    from suno_wav_cli.download.part_file import PartFile
    from suno_wav_cli.journal.entry import JournalEntry
    from suno_wav_cli.journal.parts import PartialFile
    from suno_wav_cli.models import WavFormat


@dataclass(frozen=True, kw_only=True)
class Download:
    """One file, in as many attempts as it takes. `began` is in seconds of the monotonic clock."""

    entry: JournalEntry
    part: PartFile
    context: ConversionContext
    slot: DownloadSlot
    began: float

    async def run(self, url: str, partial: PartialFile | None) -> tuple[WavFormat, str]:
        """Bring the whole file into the part file. Return its format and SHA-256.

        `partial` is what an earlier run left there. Raise SunoWavError.
        """
        if partial is None:
            await self._discard()
        connections = self.context.downloads.connections
        progress = Progress(received=count_bytes(partial))
        while True:
            await self.context.room.wait_for(self.part.path, partial)
            transfer = Transfer(url, self.part, self.context.download_terms, partial, connections)
            try:
                sha256 = await self._fetch(transfer, url)
                # A length that was announced and met says that there is no more to come.
                length_met = transfer.segments.is_length_announced
                return read_format(self.part.path, length_met=length_met), sha256
            except DownloadFailed as error:
                segments = transfer.segments
                attempt = Attempt(
                    began_at=count_bytes(partial), received=segments.received, shared=segments.is_shared
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
                        songs.ConnectionsReduced(audio_id=self.entry.name, reason=error.message)
                    )
                if not isinstance(step, Refresh) and not step.at_once:
                    progress = await self._pause(error, progress)
                if isinstance(step, Refresh) or (isinstance(step, Restart) and step.refresh):
                    url, progress = await self._refresh(url, progress, error)

    async def _fetch(self, transfer: Transfer, url: str) -> str:
        parts = self.context.journal.parts
        try:
            return await fetch(
                transfer,
                on_progress=self._report_progress,
                keep=lambda partial, fingerprint: parts.keep(
                    self.part.path, self.entry, partial, fingerprint
                ),
                since=self.began,
            )
        except BaseException as error:
            may_be_whole = isinstance(error, BrokenOff) and not isinstance(error, StartOver)
            if may_be_whole and await self._is_complete(transfer, url):
                return await sync_and_hash(self.part)
            if transfer.segments.partial_file() is None:
                # No run can continue it: nothing proves that the rest is of the same file.
                with suppress(OSError):
                    self.part.restart()
            raise

    async def _is_complete(self, transfer: Transfer, url: str) -> bool:
        """Tell whether a body that broke off was all of the file, by its own header and the server's word."""
        segments = transfer.segments
        length = segments.received
        try:
            structure = read_structure(self.part.path)
            is_said = structure.flaw is None and structure.promised is not None and self.part.size == length
        except (NotAWav, OSError):
            return False
        return is_said and await confirm_length(url, length, segments.validator, transfer.policy)

    def _report_progress(self, received: int, total: int | None) -> None:
        if total is not None:
            self.context.room.learn(self.part.path, total)
        self.context.report(songs.DownloadProgress(audio_id=self.entry.name, received=received, total=total))

    async def _discard(self) -> None:
        """Start over. The journal first: a crash must not leave it with bytes that are gone."""
        journal = self.context.journal
        await journal.when_unlocked(lambda: journal.parts.forget(self.part.path))
        self.part.restart()

    async def _refresh(self, url: str, progress: Progress, refused: DownloadFailed) -> tuple[str, Progress]:
        """Ask the service for a fresh address. If it names none, pause and keep the old one.

        Its answer decides nothing about a file that is paid for: the old address may work again.
        """
        progress = replace(progress, refused=progress.refused | {url})
        client = self.context.client
        while True:
            try:
                record = await client.fetch_record(self.entry.wav_task_id or "")
                check_identity(self.context, self.entry, record)
                break
            except SunoWavError as error:
                progress = await self._pause_lookup(error, progress, refused)
                # While the whole service is away, another attempt would fetch the same page again.
                if not (isinstance(error, ServiceUnavailable) and isinstance(refused, NotAWholeWav)):
                    return url, progress
        named = record.url or url
        journal = self.context.journal
        await journal.when_unlocked(partial(journal.move, self.entry, State.READY, wav_url=named))
        if named in progress.refused:
            # Not for the journal: it is good for minutes only.
            named = await client.fetch_fresh_link(named) or named
        return named, replace(progress, is_address_fresh=True)

    async def _pause_lookup(
        self, error: SunoWavError, progress: Progress, refused: DownloadFailed
    ) -> Progress:
        """Pause after a lookup that named no address. Raise if there is to be no other attempt."""
        lookups = progress.lookups.after(error, time.monotonic())
        step = next_lookup(lookups, wait_terms(self.context, self.entry), key_worked=True)
        if isinstance(step, NotAuthorized):
            self._give_up(step)
        if not isinstance(error, ServiceUnavailable | NotAuthorized):
            kind = PageAnswered if isinstance(refused, PageAnswered) else AddressRefused
            error = kind(f"{refused.message}; {error.message}", refused.remedy)
        return await self._pause(error, replace(progress, lookups=lookups))

    async def _pause(self, error: SunoWavError, progress: Progress) -> Progress:
        """Let another download go on for a while. Raise if there is to be no other attempt."""
        seconds_left = self.began + self.context.settings.timeout - time.monotonic()
        if is_full := isinstance(error, DiskFull):
            seconds_left = min(seconds_left, self.context.room.found_short(self.part.path))
        seconds = next_pause(error, progress, self.context.download_backoff, seconds_left)
        if seconds is None:
            self._give_up(error)
        self.context.report(
            songs.DownloadRetried(audio_id=self.entry.name, reason=error.message, seconds=seconds)
        )
        # Another download would find the disk as full.
        await (asyncio.sleep if is_full else self.slot.pause)(seconds)
        return replace(progress, pauses=progress.pauses + 1)

    def _give_up(self, error: SunoWavError) -> NoReturn:
        """Raise the error, with what to do next."""
        argv = self.context.continue_argv([self.entry.wav_task_id or ""])
        if isinstance(error, AddressRefused):
            raise AddressRefused(error.message, self._explain(error), continue_argv=argv) from error
        if isinstance(error, BrokenOff | OutOfTime):
            more = f" {error.remedy}" if isinstance(error, OutOfTime) else ""
            remedy = f"It is paid for and stays at the service.{more}"
            raise DownloadFailed(error.message, remedy, continue_argv=argv) from error
        raise error

    def _explain(self, refused: AddressRefused) -> str:
        days = self.context.client.provider.retention_days
        if isinstance(refused, PageAnswered):
            return (
                "Something in front of the file's server keeps this program out, such as a protection against "
                f"robots; the file itself is paid for, and stays at the service for {days} days. Try again later "
                "or from another network, free of charge:"
            )
        return (
            f"If it stays so, the service has deleted the file, as it does after {days} days; only a new "
            "conversion, which is charged, brings it back: `convert` with the song's id, --resubmit and --force. "
            "To try again, free of charge:"
        )


def count_bytes(partial: PartialFile | None) -> int:
    return 0 if partial is None else partial.received
