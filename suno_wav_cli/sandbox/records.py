"""Records in every shape that the service is known to send (api/README.md, sections 4, 6 and 7)."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any
from uuid import UUID

from suno_wav_cli.callbacks.payload_variants import documented_record, job_details, milliseconds

if TYPE_CHECKING:
    from suno_wav_cli.sandbox.tasks import Task

_SNAKE_JOB = "demo-song"
_MUSIC_JOBS = (_SNAKE_JOB, "demo-song-camel")
"""Music tasks of kie's current route. Their tracks are spelled as `audio_url`, or as `audioUrl`."""

_WORKING_STATES = ("waiting", "queuing", "generating")


def make_sunoapi_record(task: Task, flag: str, url: str | None) -> dict[str, Any]:
    described = task.describe(flag, url)
    record = documented_record(described)
    match task.behaviour.record:
        case "first-edition":
            record["status"] = record.pop("successFlag")
            record["response"] = {"audio_wav_url": url} if url else None
        case "flat" | "flat-snake" as shape:
            del record["response"]
            record["audioWavUrl" if shape == "flat" else "audio_wav_url"] = url
        case "epoch":
            record["musicIndex"] = "0"
            record["createTime"] = milliseconds(described.created)
            if "completeTime" in record:
                record["completeTime"] = milliseconds(described.completed)
        case "bare":
            for name in ("musicIndex", "createTime", "completeTime"):
                record.pop(name, None)
        case _:
            pass
    return record


def make_kie_record(task: Task, flag: str, url: str | None) -> dict[str, Any]:
    """Make the same record, with `errorCode` 500 for every failure, as kie documents it."""
    record = make_sunoapi_record(task, flag, url)
    return record | {"errorCode": 500} if record["errorCode"] is not None else record


def make_job_record(task: Task, flag: str, url: str | None) -> dict[str, Any]:
    """Make a job's record. Each lookup of a working job moves its state on."""
    working = _WORKING_STATES[min(task.lookups, len(_WORKING_STATES)) - 1] if flag == "PENDING" else None
    described = task.describe(flag, url)
    record = job_details(described, working) | {
        "taskId": task.task_id,
        "model": "ai-music-api/convert-to-wav-format",
        "param": json.dumps({"input": {"task_id": task.music_task_id, "audio_id": task.audio_id}}),
        "updateTime": milliseconds(described.completed),
        "costTime": milliseconds(described.completed - described.created),
        "creditsConsumed": float(task.behaviour.credits),
    }
    if working is not None or task.behaviour.record == "bare":
        for name in ("completeTime", "costTime", "creditsConsumed"):
            del record[name]
    return record


def is_music_job(music_task_id: str) -> bool:
    """Tell whether a music task was made by kie's current route, which alone knows it."""
    return music_task_id.partition("+")[0] in _MUSIC_JOBS


def make_music_job_record(base_url: str, music_task_id: str) -> dict[str, Any]:
    """Make the record of a finished music task of kie's current route, in the spelling of its id."""
    tracks = [_make_track(base_url, music_task_id, index) for index in range(2)]
    lyrics = tracks[0]["prompt"]
    if music_task_id.partition("+")[0] == _SNAKE_JOB:
        result: dict[str, Any] = {"data": [_spell_as_job(track) for track in tracks]}
    else:
        result = {"taskId": music_task_id, "sunoData": tracks}
    return {
        "taskId": music_task_id,
        "model": "ai-music-api/generate",
        "state": "success",
        "resultJson": json.dumps(result | {"resultObject": {"lyricsData": lyrics}}),
        "response": result,
        "failCode": None,
        "failMsg": None,
        "creditsConsumed": 12.0,
    }


def _spell_as_job(track: dict[str, Any]) -> dict[str, Any]:
    """Spell a track with underscores."""
    names = {"audioUrl": "audio_url", "streamAudioUrl": "stream_audio_url", "imageUrl": "image_url"}
    return {names.get(name, name): value for name, value in track.items()}


def make_music_record(base_url: str, music_task_id: str) -> dict[str, Any]:
    """Make the record of a finished music task with two tracks. Any other id has one."""
    return {
        "taskId": music_task_id,
        "status": "SUCCESS",
        "type": "GENERATE",
        "response": {
            "taskId": music_task_id,
            "sunoData": [_make_track(base_url, music_task_id, index) for index in range(2)],
        },
        "errorCode": None,
    }


def _make_track(base_url: str, music_task_id: str, index: int) -> dict[str, Any]:
    # Seeded by the task: it has the same tracks at every lookup, in every sandbox.
    audio_id = str(UUID(int=random.Random(f"{music_task_id}/{index}").getrandbits(128), version=4))
    return {
        "id": audio_id,
        "audioUrl": f"https://example.com/{audio_id}.mp3",
        "streamAudioUrl": f"https://example.com/{audio_id}",
        "imageUrl": f"{base_url}covers/{audio_id}.png",
        "prompt": "[Verse]\nLa la la, là-haut\n\n[Chorus]\nらららら ♪",
        "modelName": "chirp-v4",
        "title": f"Sandbox song {index + 1}",
        "tags": "sine, practice",
        "createTime": "2025-01-01 00:00:00",
        "duration": 6.0,
    }
