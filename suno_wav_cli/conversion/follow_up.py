"""What is done for a song once it is saved: its JSON file, its checksum, its command."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from suno_wav_cli.conversion.checksum_file import ChecksumFile, check_checksum_file
from suno_wav_cli.conversion.exec_command import CommandRunner, check_command
from suno_wav_cli.conversion.info_file import SavedSong, info_of, make_info, write_info
from suno_wav_cli.conversion.stdout import STANDARD_OUTPUT
from suno_wav_cli.errors import NotAWholeWav, SunoWavError, UsageError
from suno_wav_cli.events.follow_up import InfoIncomplete, InfoNotWritten
from suno_wav_cli.models import Song
from suno_wav_cli.remote.address import is_remote, shown
from suno_wav_cli.system.look import look_at

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from pathlib import Path

    from suno_wav_cli.config.run import Run
    from suno_wav_cli.config.settings import Settings
    from suno_wav_cli.conversion.track_lookup import TrackLookup
    from suno_wav_cli.events import Report
    from suno_wav_cli.journal import Journal
    from suno_wav_cli.journal.entry import JournalEntry
    from suno_wav_cli.remote.stores import ObjectStores


class FollowUp:
    """Does what the settings ask for. Its trouble is reported and undoes no song.

    `has_failed` tells whether there was any.
    """

    def __init__(
        self,
        run: Run,
        journal: Journal,
        stores: ObjectStores,
        tracks: TrackLookup | None,
        checksums: ChecksumFile | None,
    ) -> None:
        settings = run.settings
        self._history = journal.history
        self._uploads = journal.uploads
        self._stores = stores
        self._report: Report = run.report
        self._tracks = tracks if settings.info_json else None
        self._checksums = checksums
        self._commands: CommandRunner | None = None
        if settings.exec is not None:
            self._commands = CommandRunner(
                settings.exec,
                run.environ,
                at_once=settings.jobs,
                seconds=settings.timeout,
                report=run.report,
            )
        self.has_failed = False

    async def after_saving(self, song: SavedSong, path: Path) -> None:
        """Do all that is asked for."""
        await self._list(song, path)
        if self._commands is not None and not await self._commands.run(song.entry.name, song.place):
            self.has_failed = True

    async def complete(self, songs: Iterable[tuple[JournalEntry, Path]]) -> None:
        """Write what earlier runs have not written for files that they have saved."""
        if self._tracks is None and self._checksums is None:
            return
        known = [(song, path) for entry, path in songs if (song := self._find_saved(entry, path)) is not None]
        # Of objects, many looks at once.
        lacking = await asyncio.gather(*(self._lacks_info(path) for _, path in known))
        for (song, path), lacks_info in zip(known, lacking, strict=True):
            await self._list(song, path, lacks_info=lacks_info)

    async def _lacks_info(self, path: Path) -> bool:
        if self._tracks is None:
            return False
        if not is_remote(path):
            return look_at(info_of(path)) is None
        # What the store does not tell is reported when it is written.
        with suppress(UsageError):
            return await self._stores.find(info_of(path)) is None
        return True

    def _find_saved(self, entry: JournalEntry, path: Path) -> SavedSong | None:
        """Return a song as the journal has it, if that knows the file and the file can be read."""
        if is_remote(path):
            sent = self._uploads.find(entry, path)
            if sent is None or not sent.is_done:
                return None
            return SavedSong(
                entry=entry,
                place=shown(path),
                file_name=path.name,
                bytes=sent.bytes,
                sha256=sent.sha256,
                format=None,
            )
        # Only files from before, which need a JSON file or a checksum, are read again.
        from suno_wav_cli.wav.structure import read_format

        place = path.absolute()
        for file in self._history.saved_files(entry):
            if file.path == place and file.sha256 is not None:
                with suppress(OSError, NotAWholeWav):
                    return SavedSong(
                        entry=entry,
                        place=str(place),
                        file_name=path.name,
                        bytes=file.bytes,
                        sha256=file.sha256,
                        format=read_format(path, length_met=True),
                    )
        return None

    async def _list(self, song: SavedSong, path: Path, *, lacks_info: bool = True) -> None:
        if self._tracks is not None and lacks_info:
            await self._write_info(self._tracks, song, info_of(path))
        if self._checksums is not None:
            await self._checksums.add(self._checksums.name_of(path), song.sha256)

    async def _write_info(self, tracks: TrackLookup, song: SavedSong, path: Path) -> None:
        entry, history = song.entry, self._history
        track = await tracks.find(Song(audio_id=entry.name, music_task_id=entry.music_task_id))
        if isinstance(track, str):
            self._report(InfoIncomplete(audio_id=entry.name, reason=track))
        content = make_info(
            song,
            None if isinstance(track, str) else track,
            history.title_of(entry.name),
            history.style_of(entry.name),
        )
        try:
            await write_info(self._stores, path, entry.name, content)
        except (OSError, SunoWavError) as error:
            self.has_failed = True
            reason = error.message if isinstance(error, SunoWavError) else error.strerror or str(error)
            self._report(InfoNotWritten(audio_id=entry.name, path=path, reason=reason))


def check_follow_up(settings: Settings) -> None:
    """Raise UsageError, before anything is paid for, if something asked for cannot be done."""
    given = {
        "--exec": settings.exec is not None,
        "--info-json": settings.info_json,
        "--checksums": settings.checksums is not None,
    }
    asked = [name for name, is_given in given.items() if is_given]
    if asked and settings.out == STANDARD_OUTPUT:
        raise UsageError(f"{asked[0]} needs a file", "Name one: --out song.wav")
    if settings.exec is not None:
        check_command(settings.exec)
    if settings.checksums is not None:
        check_checksum_file(settings.checksums)


def follow_up_options(settings: Settings) -> list[str]:
    """Return the options that ask for the same in the command that continues."""
    options = [] if settings.exec is None else ["--exec", settings.exec]
    options += ["--info-json"] if settings.info_json else []
    return options if settings.checksums is None else [*options, "--checksums", str(settings.checksums)]


@asynccontextmanager
async def open_follow_up(
    run: Run, journal: Journal, stores: ObjectStores, tracks: TrackLookup | None
) -> AsyncIterator[FollowUp]:
    """Yield what follows each saved song. At the end, write the checksums that are left."""
    path = run.settings.checksums
    checksums = None if path is None else ChecksumFile(path, run.report)
    follow_up = FollowUp(run, journal, stores, tracks, checksums)
    in_hurry = True
    try:
        yield follow_up
        in_hurry = False
    finally:
        if checksums is not None and not checksums.close(in_hurry=in_hurry):
            follow_up.has_failed = True
