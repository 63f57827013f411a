"""What the service says of a run's songs: each music task is looked up once a run."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from suno_wav_cli.errors import ServiceUnavailable, SunoWavError

if TYPE_CHECKING:
    from suno_wav_cli.api.client import Client
    from suno_wav_cli.journal import History
    from suno_wav_cli.models import MusicTask, Song, Track

_SECONDS = 30.0
"""For the lookup of a music task, with all its retries."""


class TrackLookup:
    """Finds songs among the tracks of their music tasks."""

    def __init__(self, client: Client, history: History) -> None:
        self._client = client
        self._history = history
        self._lookups: dict[str, asyncio.Task[MusicTask]] = {}

    async def find(self, song: Song) -> Track | str:
        """Return the song's track, or why it cannot be had."""
        music_task_id = song.music_task_id or self._history.music_task_of(song.audio_id)
        if music_task_id is None:
            return "its music task is not known; --task-id names it"
        try:
            for track in (await self._music_task(music_task_id)).tracks:
                if track.audio_id == song.audio_id:
                    return track
        except SunoWavError as error:
            return f"the music task {music_task_id} cannot be looked up: {error.message}"
        return f"the music task {music_task_id} does not name it"

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
