"""The service's answers, read: every variant of api/README.md, sections 2 to 7, and whatever else may come."""

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
"""Characters. The service takes up to 1,000 and 5,000 from those who order a song."""
_SMALLEST_AMOUNT, _LARGEST_AMOUNT = Decimal("1E-9"), 10**15
_EXACTLY = Context(prec=15)
"""As many digits as a service that computes in binary can mean: of 0.30000000000000004 the rest is an accident."""
_LONGEST_SONG = 86400.0
"""Seconds. More than a day is no length of a song, but a number that means something else."""


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """`{"code": int, "msg": string, "data": …}`; `top` is the whole object, for ids that stand outside `data`."""

    code: int
    message: str
    data: Any
    top: dict[str, Any]


def read_envelope(body: bytes) -> Envelope | None:
    """Read an answer; None where it is not an envelope (a proxy's page, say)."""
    try:
        top = json.loads(body, parse_float=_fraction)
    except (ValueError, RecursionError):
        return None
    if not isinstance(top, dict):
        return None
    code = _integer(top.get("code"))
    if code is None:
        return None
    return Envelope(
        code=code,
        message=_text(top.get("msg")) or _text(top.get("message")) or "",
        data=top.get("data"),
        top=top,
    )


def find_task_id(answer: Envelope) -> str | None:
    """The new WAV task's id (section 2), wherever the answer carries it."""
    data = answer.data
    candidates = [data]
    if isinstance(data, dict):
        candidates = [data.get("taskId"), data.get("task_id")]
    return _first_id(*candidates, answer.top.get("taskId"))


def read_wav_record(task_id: str, data: object) -> WavRecord:
    """What `record-info` says (section 4): a usable URL wins, wherever it stands; otherwise the status decides."""
    fields = data if isinstance(data, dict) else {}
    response = fields.get("response")
    places = [response, fields] if isinstance(response, dict) else [fields]
    url = _first_url(*(place.get(key) for place in places for key in ("audioWavUrl", "audio_wav_url")))
    flag = _text(fields.get("successFlag")) or _text(fields.get("status"))
    return WavRecord(
        task_id=task_id,
        state=_state(flag, url),
        flag=flag,
        url=url,
        audio_id=_first_id(fields.get("musicId")),
        error_code=_text(fields.get("errorCode")),
        error_message=_text(fields.get("errorMessage")),
        created=_time(fields.get("createTime")),
        completed=_time(fields.get("completeTime")),
    )


def read_job_record(task_id: str, data: object) -> WavRecord:
    """What `recordInfo` says of a job (section 7), by the same rule."""
    fields = data if isinstance(data, dict) else {}
    url = find_result_url(fields.get("resultJson"))
    flag = _text(fields.get("state"))
    return WavRecord(
        task_id=task_id,
        state=_state(flag, url),
        flag=flag,
        url=url,
        error_code=_text(fields.get("failCode")),
        error_message=_text(fields.get("failMsg")),
        created=_time(fields.get("createTime")),
        # A time that has not come yet may be 0.
        completed=_time(fields.get("completeTime") or None),
    )


def find_result_url(result: object) -> str | None:
    """The file that a job's `resultJson` names (section 7): of several, the first that is called a WAV, else the first."""
    if isinstance(result, str):
        try:
            result = json.loads(result)
        except (ValueError, RecursionError):
            return None
    listed = result.get("resultUrls") if isinstance(result, dict) else None
    urls = [url for value in (listed if isinstance(listed, list) else [listed]) if (url := _first_url(value))]
    return next(
        (url for url in urls if urlsplit(url).path.lower().endswith(".wav")), urls[0] if urls else None
    )


def read_music_task(music_task_id: str, data: object) -> MusicTask:
    """What is said of a music task (section 6). A track without an id is none yet."""
    fields = data if isinstance(data, dict) else {}
    response = fields.get("response")
    listed = response.get("sunoData") if isinstance(response, dict) else None
    found = [
        _track(audio_id, music_task_id, track)
        for track in (listed if isinstance(listed, list) else [])
        if isinstance(track, dict) and (audio_id := _first_id(track.get("id"))) is not None
    ]
    return MusicTask(task_id=music_task_id, flag=_text(fields.get("status")), tracks=tuple(found))


def _track(audio_id: str, music_task_id: str, fields: dict[str, Any]) -> Track:
    return Track(
        audio_id=audio_id,
        music_task_id=music_task_id,
        title=_text(fields.get("title")),
        tags=_text(fields.get("tags"), longest=_LONGEST_STYLE),
        duration=_seconds(fields.get("duration")),
        complete=_first_url(fields.get("audioUrl")) is not None,
        lyrics=_text(fields.get("prompt"), longest=_LONGEST_LYRICS),
        image_url=_first_url(fields.get("imageUrl"), fields.get("sourceImageUrl")),
    )


def _state(flag: str | None, url: str | None) -> WavState:
    if url is not None:
        return WavState.READY
    if flag is not None and any(word in flag.upper() for word in _FAILURE_WORDS):
        return WavState.FAILED
    return WavState.PENDING


def read_credits(data: object) -> Decimal | None:
    """The balance (section 6): the number itself, or its text; None for whatever else there is."""
    if isinstance(data, str) and re.fullmatch(r"\s*-?[0-9]{1,15}(\.[0-9]{1,30})?\s*", data):
        data = Decimal(data.strip())
    if isinstance(data, int) and not isinstance(data, bool):
        data = Decimal(data)
    if not isinstance(data, Decimal) or not data.is_finite() or abs(data) >= _LARGEST_AMOUNT:
        return None
    return _EXACTLY.plus(data) if abs(data) >= _SMALLEST_AMOUNT else Decimal(0)


def _fraction(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        # An exponent that has more digits than any number has.
        return Decimal("NaN")


def _integer(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str) and re.fullmatch(r"\s*[0-9]{1,9}\s*", value):
        return int(value)
    return None


def _seconds(value: object) -> float | None:
    """A length; None for 0 too, which is how some say that they do not know it yet."""
    try:
        seconds = (
            float(value)
            if isinstance(value, int | float | Decimal | str) and not isinstance(value, bool)
            else 0.0
        )
    except (ValueError, OverflowError):
        return None
    return seconds if 0 < seconds < _LONGEST_SONG else None


def _text(value: object, *, longest: int = _LONGEST_TEXT) -> str | None:
    if isinstance(value, str):
        # JSON can hold half a character, which nothing can print.
        return value.encode("utf-8", "replace").decode().strip()[:longest] or None
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return str(value)[:longest]
    return None


def _first_id(*values: object) -> str | None:
    for value in values:
        if isinstance(value, str) and value.isprintable() and 0 < len(value.strip()) <= _LONGEST_ID:
            return value.strip()
    return None


def _first_url(*values: object) -> str | None:
    for value in values:
        if not isinstance(value, str):
            continue
        url = value.strip()
        try:
            parts = urlsplit(url)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and url.isprintable()
            # A port that is none shows itself only when it is asked for.
            usable = usable and parts.port != 0
        except ValueError:
            continue
        if usable:
            return url
    return None


def _time(value: object) -> str | None:
    """Text as it came; epoch milliseconds as UTC text of the same form."""
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        try:
            return datetime.fromtimestamp(float(value) / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
        except (OverflowError, ValueError, OSError):
            return None
    return _text(value)
