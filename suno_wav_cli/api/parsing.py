"""Read the service's answers in every variant (api/README.md, sections 2 to 7)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any
from urllib.parse import urlsplit

from suno_wav_cli.api.values import (
    find_id,
    find_url,
    parse_fraction,
    read_integer,
    read_seconds,
    read_text,
    read_time,
)
from suno_wav_cli.models import MusicTask, Track, WavRecord, WavState

_FAILURE_WORDS = ("FAIL", "ERROR", "EXCEPTION")
_LONGEST_STYLE, _LONGEST_LYRICS = 2_000, 20_000
"""Characters. The service accepts up to 1,000 and 5,000 for a new song."""
_SMALLEST_AMOUNT, _LARGEST_AMOUNT = Decimal("1E-9"), 10**15
_EXACTLY = Context(prec=15)
"""The digits that a service computing in binary can mean: 0.30000000000000004 is 0.3."""


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """`{"code": int, "msg": string, "data": …}`.

    `top` is the whole object, for ids outside `data`.
    """

    code: int
    message: str
    data: Any
    top: dict[str, Any]


def read_envelope(body: bytes) -> Envelope | None:
    """Read an answer. Return None if it is not an envelope but, say, a proxy's page."""
    try:
        top = json.loads(body, parse_float=parse_fraction)
    except (ValueError, RecursionError):
        return None
    if not isinstance(top, dict):
        return None
    code = read_integer(top.get("code"))
    if code is None:
        return None
    return Envelope(
        code=code,
        message=read_text(top.get("msg")) or read_text(top.get("message")) or "",
        data=top.get("data"),
        top=top,
    )


def find_task_id(answer: Envelope) -> str | None:
    """Return the id of the new WAV task, wherever the answer has it (api/README.md, section 2)."""
    data = answer.data
    candidates = [data]
    if isinstance(data, dict):
        candidates = [data.get("taskId"), data.get("task_id")]
    return find_id(*candidates, answer.top.get("taskId"))


def read_wav_record(task_id: str, data: object) -> WavRecord:
    """Read a record. A usable URL decides, else the status (api/README.md, section 4)."""
    fields = data if isinstance(data, dict) else {}
    response = fields.get("response")
    places = [response, fields] if isinstance(response, dict) else [fields]
    url = find_url(*(place.get(key) for place in places for key in ("audioWavUrl", "audio_wav_url")))
    flag = read_text(fields.get("successFlag")) or read_text(fields.get("status"))
    return WavRecord(
        task_id=task_id,
        state=_choose_state(flag, url),
        flag=flag,
        url=url,
        audio_id=find_id(fields.get("musicId")),
        error_code=read_text(fields.get("errorCode")),
        error_message=read_text(fields.get("errorMessage")),
        created=read_time(fields.get("createTime")),
        completed=read_time(fields.get("completeTime")),
    )


def read_job_record(task_id: str, data: object) -> WavRecord:
    """Read a job's record by the same rule (api/README.md, section 7)."""
    fields = data if isinstance(data, dict) else {}
    url = find_result_url(fields.get("resultJson"))
    flag = read_text(fields.get("state"))
    return WavRecord(
        task_id=task_id,
        state=_choose_state(flag, url),
        flag=flag,
        url=url,
        error_code=read_text(fields.get("failCode")),
        error_message=read_text(fields.get("failMsg")),
        created=read_time(fields.get("createTime")),
        # 0 before the job is complete.
        completed=read_time(fields.get("completeTime") or None),
    )


def find_result_url(result: object) -> str | None:
    """Return a job's file: the first WAV, else the first URL (api/README.md, section 7)."""
    if isinstance(result, str):
        try:
            result = json.loads(result)
        except (ValueError, RecursionError):
            return None
    listed = result.get("resultUrls") if isinstance(result, dict) else None
    urls = [url for value in (listed if isinstance(listed, list) else [listed]) if (url := find_url(value))]
    return next(
        (url for url in urls if urlsplit(url).path.lower().endswith(".wav")), urls[0] if urls else None
    )


def read_music_task(music_task_id: str, data: object) -> MusicTask:
    """Read a music task, without tracks that have no id yet (api/README.md, section 6)."""
    fields = data if isinstance(data, dict) else {}
    response = fields.get("response")
    listed = response.get("sunoData") if isinstance(response, dict) else None
    found = [
        _read_track(audio_id, music_task_id, track)
        for track in (listed if isinstance(listed, list) else [])
        if isinstance(track, dict) and (audio_id := find_id(track.get("id"))) is not None
    ]
    return MusicTask(task_id=music_task_id, flag=read_text(fields.get("status")), tracks=tuple(found))


def read_credits(data: object) -> Decimal | None:
    """Read the balance, a number or its text, else return None (api/README.md, section 6)."""
    if isinstance(data, str) and re.fullmatch(r"\s*-?[0-9]{1,15}(\.[0-9]{1,30})?\s*", data):
        data = Decimal(data.strip())
    if isinstance(data, int) and not isinstance(data, bool):
        data = Decimal(data)
    if not isinstance(data, Decimal) or not data.is_finite() or abs(data) >= _LARGEST_AMOUNT:
        return None
    return _EXACTLY.plus(data) if abs(data) >= _SMALLEST_AMOUNT else Decimal(0)


def _read_track(audio_id: str, music_task_id: str, fields: dict[str, Any]) -> Track:
    return Track(
        audio_id=audio_id,
        music_task_id=music_task_id,
        title=read_text(fields.get("title")),
        tags=read_text(fields.get("tags"), longest=_LONGEST_STYLE),
        duration=read_seconds(fields.get("duration")),
        complete=find_url(fields.get("audioUrl")) is not None,
        lyrics=read_text(fields.get("prompt"), longest=_LONGEST_LYRICS),
        image_url=find_url(fields.get("imageUrl"), fields.get("sourceImageUrl")),
    )


def _choose_state(flag: str | None, url: str | None) -> WavState:
    if url is not None:
        return WavState.READY
    if flag is not None and any(word in flag.upper() for word in _FAILURE_WORDS):
        return WavState.FAILED
    return WavState.PENDING
