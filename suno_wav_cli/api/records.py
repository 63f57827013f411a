"""Read the record of a WAV task in every variant (api/README.md, sections 4 and 7)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from suno_wav_cli.api.addresses import find_address
from suno_wav_cli.api.values import (
    find_audio_id,
    is_deeper,
    read_amount,
    read_epoch,
    read_fields,
    read_text,
    read_time,
    unpack,
)
from suno_wav_cli.models import WavRecord, WavState

if TYPE_CHECKING:
    from decimal import Decimal

_URL_KEYS = ("audioWavUrl", "audio_wav_url")
_MOST_LEVELS = 100
_FAILURE_NUMBERS = ("2", "3", "2.0", "3.0")


def read_record(task_id: str, data: object, base_url: str = "") -> WavRecord:
    """Read a record, by whichever route. A usable URL decides, else the status.

    An address without a host is one of the service, at `base_url`.
    """
    fields = read_fields(data)
    response = unpack(fields.get("response"))
    places = [read_fields(response), fields]
    values = [place.get(key) for place in places for key in _URL_KEYS]
    # An object has its URLs by name; a text or a list has nothing else.
    values += [None if isinstance(response, dict) else response, _find_results(fields.get("resultJson"))]
    url, unusable = find_address(values, base_url)
    flag = _find_text(fields, "successFlag", "status", "state")
    amount = read_amount(fields.get("creditsConsumed"))
    return WavRecord(
        task_id=task_id,
        state=_choose_state(flag, url),
        flag=flag,
        url=url,
        audio_id=_find_audio_id(fields),
        error_code=_find_text(fields, "errorCode", "failCode"),
        error_message=_find_text(fields, "errorMessage", "failMsg"),
        created=read_time(fields.get("createTime")),
        completed=read_time(fields.get("completeTime")),
        created_at=read_epoch(fields.get("createTime")),
        completed_at=read_epoch(fields.get("completeTime")),
        unusable_url=unusable,
        credits=amount if amount is not None and amount >= 0 else None,
        raw=_make_raw(fields),
    )


def find_result_url(result: object) -> str | None:
    """Return a job's file: the first WAV, else the first URL (api/README.md, section 7)."""
    return find_address([_find_results(result)], "")[0]


def _make_raw(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the record as any JSON writer takes it: fractions are decimals here.

    A field that nests too deep is left out.
    """
    shallow = {name: value for name, value in fields.items() if not is_deeper(value, _MOST_LEVELS)}
    raw: dict[str, Any] = json.loads(json.dumps(shallow, default=_to_float))
    return raw


def _to_float(number: Decimal) -> float | None:
    return float(number) if number.is_finite() else None


def _find_results(result: object) -> object:
    """Return what in a job's result names its files."""
    result = unpack(result)
    if not isinstance(result, dict):
        return result
    return [result.get(key) for key in ("resultUrls", *_URL_KEYS)]


def _find_audio_id(fields: dict[str, object]) -> str | None:
    """Return the id of the song, as the record has it or as the job was asked for it."""
    asked = read_fields(read_fields(fields.get("param")).get("input"))
    return find_audio_id(fields.get("musicId"), asked.get("audio_id"))


def _find_text(fields: dict[str, object], *keys: str) -> str | None:
    return next((text for key in keys if (text := read_text(fields.get(key)))), None)


def _choose_state(flag: str | None, url: str | None) -> WavState:
    if url is not None:
        return WavState.READY
    if flag is not None and ("FAIL" in flag.upper() or flag in _FAILURE_NUMBERS):
        return WavState.FAILED
    return WavState.PENDING
