"""The tags of a run's songs: looked up at the service or in the journal, and written into the files.

A song is paid for, so a tag that is missing is reported and fails nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from suno_wav_cli.download.cover import fetch_cover
from suno_wav_cli.errors import SunoWavError, TagsNotWritten
from suno_wav_cli.events.songs import TagsMissing
from suno_wav_cli.models import SongTags
from suno_wav_cli.wav.write_tags import write_tags

if TYPE_CHECKING:
    from suno_wav_cli.conversion.track_lookup import TrackLookup
    from suno_wav_cli.download.http import DownloadPolicy
    from suno_wav_cli.events import Report
    from suno_wav_cli.journal import History
    from suno_wav_cli.models import Cover, Song, Track


class Tagger:
    """Writes tags into files. Covers come from where the `policy` lets songs come from."""

    def __init__(self, tracks: TrackLookup, history: History, policy: DownloadPolicy, report: Report) -> None:
        self._tracks = tracks
        self._history = history
        self._policy = policy
        self._report = report

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
        found = await self._tracks.find(song)
        if isinstance(found, str):
            self._report(TagsMissing(audio_id=song.audio_id, reason=found))
            return None
        return found

    async def _cover(self, track: Track) -> Cover | None:
        if track.image_url is None:
            return None
        try:
            return await fetch_cover(track.image_url, self._policy)
        except SunoWavError as error:
            self._report(TagsMissing(audio_id=track.audio_id, reason=error.message))
            return None
