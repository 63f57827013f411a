"""The tags of a run's songs: looked up at the service or in the journal, and written into the files.

A song is paid for, so a tag that is missing is reported and fails nothing.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, BinaryIO

from suno_wav_cli.download.cover import fetch_cover
from suno_wav_cli.errors import ServiceUnavailable, SunoWavError, TagsNotWritten
from suno_wav_cli.events import TagsMissing
from suno_wav_cli.models import SongTags
from suno_wav_cli.wav import write_tags

if TYPE_CHECKING:
    import ssl

    from suno_wav_cli.api.client import Client
    from suno_wav_cli.events import Report
    from suno_wav_cli.journal import History
    from suno_wav_cli.models import Cover, MusicTask, Song, Track

_SECONDS = 30.0
"""For the lookup of a music task, with all its retries."""


class Tagger:
    """Looks up each music task once a run. `local` if the service is on this machine."""

    def __init__(
        self, client: Client, history: History, tls: ssl.SSLContext, *, local: bool, report: Report
    ) -> None:
        self._client = client
        self._history = history
        self._tls = tls
        self._local = local
        self._report = report
        self._lookups: dict[str, asyncio.Task[MusicTask]] = {}

    async def tag(self, file: BinaryIO, song: Song) -> None:
        """Write the tags that can be had into the song's file. Raise OSError if the disk fails."""
        tags = await self.tags_of(song)
        try:
            write_tags(file, tags)
        except TagsNotWritten as error:
            self._report(TagsMissing(audio_id=song.audio_id, reason=error.message))

    async def tags_of(self, song: Song) -> SongTags:
        """Return the tags that can be had, and report those that cannot."""
        track = await self._track(song)
        if track is None:
            title, style = self._history.title_of(song.audio_id), self._history.style_of(song.audio_id)
            return SongTags(title=title or song.title, style=style)
        return SongTags(
            title=track.title, style=track.tags, lyrics=track.lyrics, cover=await self._cover(track)
        )

    async def _track(self, song: Song) -> Track | None:
        music_task_id = song.music_task_id or self._history.music_task_of(song.audio_id)
        if music_task_id is None:
            reason = "its music task is not known; with --task-id, lyrics and cover can be written"
        else:
            try:
                for track in (await self._music_task(music_task_id)).tracks:
                    if track.audio_id == song.audio_id:
                        return track
                reason = f"the music task {music_task_id} does not name it"
            except SunoWavError as error:
                reason = f"the music task {music_task_id} cannot be looked up: {error.message}"
        self._report(TagsMissing(audio_id=song.audio_id, reason=reason))
        return None

    async def _music_task(self, music_task_id: str) -> MusicTask:
        if music_task_id not in self._lookups:
            self._lookups[music_task_id] = asyncio.create_task(self._look_up(music_task_id))
        # Other songs need the answer too, even if this one is given up.
        return await asyncio.shield(self._lookups[music_task_id])

    async def _look_up(self, music_task_id: str) -> MusicTask:
        try:
            async with asyncio.timeout(_SECONDS):
                return await self._client.fetch_music_task(music_task_id)
        except TimeoutError:
            raise ServiceUnavailable(f"no answer within {_SECONDS:g} s", "Try again in a while.") from None

    async def _cover(self, track: Track) -> Cover | None:
        if track.image_url is None:
            return None
        try:
            return await fetch_cover(track.image_url, self._tls, local=self._local)
        except SunoWavError as error:
            self._report(TagsMissing(audio_id=track.audio_id, reason=error.message))
            return None
