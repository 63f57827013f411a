"""Read the service's answers in every variant (api/README.md, sections 2 to 7)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Context, Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit

from suno_wav_cli.models import MusicTask, Track, WavRecord, WavState

_FAILURE_WORDS = ("FAIL", "ERROR", "EXCEPTION")
_LONGEST_ID = 200
_LONGEST_TEXT = 500
_LONGEST_STYLE, _LONGEST_LYRICS = 2_000, 20_000
"""Characters. The service accepts up to 1,000 and 5,000 for a new song."""
_SMALLEST_AMOUNT, _LARGEST_AMOUNT = Decimal("1E-9"), 10**15
_EXACTLY = Context(prec=15)
"""The digits that a service computing in binary can mean: 0.30000000000000004 is 0.3."""
_LONGEST_SONG = 86400.0
"""Seconds. A larger number does not mean the length of a song."""


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
        top = json.loads(body, parse_float=_parse_fraction)
    except (ValueError, RecursionError):
        return None
    if not isinstance(top, dict):
        return None
    code = _read_integer(top.get("code"))
    if code is None:
        return None
    return Envelope(
        code=code,
        message=_read_text(top.get("msg")) or _read_text(top.get("message")) or "",
        data=top.get("data"),
        top=top,
    )


def find_task_id(answer: Envelope) -> str | None:
    """Return the id of the new WAV task, wherever the answer has it (api/README.md, section 2)."""
    data = answer.data
    candidates = [data]
    if isinstance(data, dict):
        candidates = [data.get("taskId"), data.get("task_id")]
    return _find_id(*candidates, answer.top.get("taskId"))


def read_wav_record(task_id: str, data: object) -> WavRecord:
    """Read a record. A usable URL decides, else the status (api/README.md, section 4)."""
    fields = data if isinstance(data, dict) else {}
    response = fields.get("response")
    places = [response, fields] if isinstance(response, dict) else [fields]
    url = _find_url(*(place.get(key) for place in places for key in ("audioWavUrl", "audio_wav_url")))
    flag = _read_text(fields.get("successFlag")) or _read_text(fields.get("status"))
    return WavRecord(
        task_id=task_id,
        state=_choose_state(flag, url),
        flag=flag,
        url=url,
        audio_id=_find_id(fields.get("musicId")),
        error_code=_read_text(fields.get("errorCode")),
        error_message=_read_text(fields.get("errorMessage")),
        created=_read_time(fields.get("createTime")),
        completed=_read_time(fields.get("completeTime")),
    )


def read_job_record(task_id: str, data: object) -> WavRecord:
    """Read a job's record by the same rule (api/README.md, section 7)."""
    fields = data if isinstance(data, dict) else {}
    url = find_result_url(fields.get("resultJson"))
    flag = _read_text(fields.get("state"))
    return WavRecord(
        task_id=task_id,
        state=_choose_state(flag, url),
        flag=flag,
        url=url,
        error_code=_read_text(fields.get("failCode")),
        error_message=_read_text(fields.get("failMsg")),
        created=_read_time(fields.get("createTime")),
        # 0 before the job is complete.
        completed=_read_time(fields.get("completeTime") or None),
    )


def find_result_url(result: object) -> str | None:
    """Return a job's file: the first WAV, else the first URL (api/README.md, section 7)."""
    if isinstance(result, str):
        try:
            result = json.loads(result)
        except (ValueError, RecursionError):
            return None
    listed = result.get("resultUrls") if isinstance(result, dict) else None
    urls = [url for value in (listed if isinstance(listed, list) else [listed]) if (url := _find_url(value))]
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
        if isinstance(track, dict) and (audio_id := _find_id(track.get("id"))) is not None
    ]
    return MusicTask(task_id=music_task_id, flag=_read_text(fields.get("status")), tracks=tuple(found))


def _read_track(audio_id: str, music_task_id: str, fields: dict[str, Any]) -> Track:
    return Track(
        audio_id=audio_id,
        music_task_id=music_task_id,
        title=_read_text(fields.get("title")),
        tags=_read_text(fields.get("tags"), longest=_LONGEST_STYLE),
        duration=_read_seconds(fields.get("duration")),
        complete=_find_url(fields.get("audioUrl")) is not None,
        lyrics=_read_text(fields.get("prompt"), longest=_LONGEST_LYRICS),
        image_url=_find_url(fields.get("imageUrl"), fields.get("sourceImageUrl")),
    )


def _choose_state(flag: str | None, url: str | None) -> WavState:
    if url is not None:
        return WavState.READY
    if flag is not None and any(word in flag.upper() for word in _FAILURE_WORDS):
        return WavState.FAILED
    return WavState.PENDING


def read_credits(data: object) -> Decimal | None:
    """Read the balance, a number or its text, else return None (api/README.md, section 6)."""
    if isinstance(data, str) and re.fullmatch(r"\s*-?[0-9]{1,15}(\.[0-9]{1,30})?\s*", data):
        data = Decimal(data.strip())
    if isinstance(data, int) and not isinstance(data, bool):
        data = Decimal(data)
    if not isinstance(data, Decimal) or not data.is_finite() or abs(data) >= _LARGEST_AMOUNT:
        return None
    return _EXACTLY.plus(data) if abs(data) >= _SMALLEST_AMOUNT else Decimal(0)


def _parse_fraction(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        # An exponent with too many digits.
        return Decimal("NaN")


def _read_integer(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str) and re.fullmatch(r"\s*[0-9]{1,9}\s*", value):
        return int(value)
    return None


def _read_seconds(value: object) -> float | None:
    """Read a length. 0 means that it is not known yet, and returns None."""
    try:
        seconds = (
            float(value)
            if isinstance(value, int | float | Decimal | str) and not isinstance(value, bool)
            else 0.0
        )
    except (ValueError, OverflowError):
        return None
    return seconds if 0 < seconds < _LONGEST_SONG else None


def _read_text(value: object, *, longest: int = _LONGEST_TEXT) -> str | None:
    if isinstance(value, str):
        # JSON can hold half of a surrogate pair, which cannot be printed.
        return value.encode("utf-8", "replace").decode().strip()[:longest] or None
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return str(value)[:longest]
    return None


def _find_id(*values: object) -> str | None:
    for value in values:
        if isinstance(value, str) and value.isprintable() and 0 < len(value.strip()) <= _LONGEST_ID:
            return value.strip()
    return None


def _find_url(*values: object) -> str | None:
    for value in values:
        if not isinstance(value, str):
            continue
        url = value.strip()
        try:
            parts = urlsplit(url)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and url.isprintable()
            # Reading the port raises ValueError if it is not a number.
            usable = usable and parts.port != 0
        except ValueError:
            continue
        if usable:
            return url
    return None


def _read_time(value: object) -> str | None:
    """Read a time: text as it is, epoch milliseconds as UTC text of the same form."""
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        try:
            return datetime.fromtimestamp(float(value) / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
        except (OverflowError, ValueError, OSError):
            return None
    return _read_text(value)
