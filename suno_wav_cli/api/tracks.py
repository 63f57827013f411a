"""Read the tracks of a music task, by both routes (api/README.md, section 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from suno_wav_cli.api.addresses import find_url
from suno_wav_cli.api.values import find_audio_id, read_fields, read_seconds, read_text, unpack
from suno_wav_cli.errors import TaskUnknown
from suno_wav_cli.models import MusicTask, Track

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from suno_wav_cli.errors import SunoWavError

_LONGEST_STYLE, _LONGEST_LYRICS = 2_000, 20_000
"""Characters. The service accepts up to 1,000 and 5,000 for a new song."""


def read_music_task(music_task_id: str, data: object) -> MusicTask:
    """Read a music task, without tracks that have no id yet."""
    fields = read_fields(data)
    lyrics = _find_lyrics(fields)
    tracks: dict[str, Track] = {}
    for found in _find_tracks(fields):
        audio_id = find_audio_id(found.get("id"))
        # The answer may repeat a track, and have only one of them whole.
        if audio_id is not None and not (audio_id in tracks and tracks[audio_id].complete):
            tracks[audio_id] = _read_track(audio_id, music_task_id, found, lyrics)
    flag = read_text(fields.get("status")) or read_text(fields.get("state"))
    return MusicTask(task_id=music_task_id, flag=flag, tracks=tuple(tracks.values()))


def choose_answer(answers: Sequence[MusicTask | SunoWavError]) -> MusicTask | SunoWavError:
    """Return the answer of the route that knows most of a music task."""

    def ignorance(answer: MusicTask | SunoWavError) -> int:
        if isinstance(answer, MusicTask):
            return 0 if answer.tracks else 1 if answer.flag else 3
        return 4 if isinstance(answer, TaskUnknown) else 2

    return min(answers, key=ignorance)


def _find_tracks(fields: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for place in (unpack(fields.get("response")), unpack(fields.get("resultJson"))):
        lists = [place]
        if isinstance(place, dict):
            lists = [unpack(place.get(key)) for key in ("sunoData", "data")]
        for found in lists:
            yield from (
                track for track in (found if isinstance(found, list) else []) if isinstance(track, dict)
            )


def _find_lyrics(fields: dict[str, Any]) -> str | None:
    """Return the lyrics that a job has for all its tracks."""
    places = [fields, read_fields(fields.get("resultJson")), read_fields(fields.get("response"))]
    texts = (read_fields(place.get("resultObject")).get("lyricsData") for place in places)
    return next((text for value in texts if (text := read_text(value, longest=_LONGEST_LYRICS))), None)


def _read_track(audio_id: str, music_task_id: str, fields: dict[str, Any], lyrics: str | None) -> Track:
    return Track(
        audio_id=audio_id,
        music_task_id=music_task_id,
        title=read_text(fields.get("title")),
        tags=read_text(fields.get("tags"), longest=_LONGEST_STYLE),
        duration=read_seconds(fields.get("duration")),
        complete=find_url(fields.get("audioUrl"), fields.get("audio_url")) is not None,
        lyrics=lyrics or read_text(fields.get("prompt"), longest=_LONGEST_LYRICS),
        image_url=find_url(
            fields.get("imageUrl"),
            fields.get("image_url"),
            fields.get("sourceImageUrl"),
            fields.get("source_image_url"),
        ),
    )
