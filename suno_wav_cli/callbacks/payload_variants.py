"""Callbacks and records in every shape that users have met (api/README.md, sections 4, 5 and 7)."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_CREATED, _COMPLETED = 1_735_689_600.0, 1_735_690_200.0
_FAILED = "WAV format conversion failed"
_SUCCESS = 200
_HUGE_BYTES = 1_000_000

DOCUMENTED = "snake"

CALLBACK_SHAPES: Mapping[str, str] = MappingProxyType(
    {
        DOCUMENTED: "`data.audio_wav_url`, `data.task_id`",
        "camel": "`data.audioWavUrl`, `data.task_id`",
        "camel-id": "`data.audioWavUrl`, `data.taskId`",
        "response": "`data.response.audioWavUrl`",
        "top-level": "the record itself at top level",
        "jobs": "`taskId` at top level, the file in `data.resultJson`",
        "null": "`data` null, `taskId` at top level",
        "no-id": "`data` null and no id at all",
        "not-json": "half of a JSON object",
        "huge": "a megabyte of JSON",
    }
)


@dataclass(frozen=True, kw_only=True)
class Conversion:
    """A conversion to describe. `url` is None until it has succeeded. `code` is for callbacks.

    `created` and `completed` are Unix times.
    """

    task_id: str
    audio_id: str
    callback_url: str
    flag: str
    code: int
    url: str | None
    created: float = _CREATED
    completed: float = _COMPLETED


def callback_content(shape: str, conversion: Conversion) -> bytes:
    """Make the body that is posted when a conversion is decided."""
    if shape == "not-json":
        return b'{"code": 200, "data": {'
    code, message = (200, "success") if conversion.url else (conversion.code, _FAILED)
    if shape == "huge":
        message = "x" * _HUGE_BYTES
    return json.dumps({"code": code, "msg": message} | _remaining_fields(shape, conversion)).encode()


def documented_record(conversion: Conversion) -> dict[str, Any]:
    """Make the data that `record-info` answers (api/README.md, section 4)."""
    failed = (
        conversion.flag not in ("SUCCESS", "PENDING")
        and conversion.code != _SUCCESS
        and conversion.url is None
    )
    record = {
        "taskId": conversion.task_id,
        "musicId": conversion.audio_id,
        "musicIndex": 0,
        "callbackUrl": conversion.callback_url,
        "createTime": _write_time(conversion.created),
        "response": {"audioWavUrl": conversion.url} if conversion.url else None,
        "successFlag": conversion.flag,
        "errorCode": conversion.code if failed else None,
        "errorMessage": _FAILED if failed else None,
    }
    if conversion.flag != "PENDING":
        record["completeTime"] = _write_time(conversion.completed)
    return record


def job_details(conversion: Conversion, pending_state: str | None = None) -> dict[str, Any]:
    """Make the data of the jobs route (api/README.md, section 7), or of a pending job."""
    failed = pending_state is None and "FAIL" in conversion.flag and conversion.url is None
    decided = "success" if conversion.url or conversion.flag == "SUCCESS" else conversion.flag.lower()
    return {
        "state": pending_state or ("fail" if failed else decided),
        "resultJson": json.dumps({"resultUrls": [conversion.url]}) if conversion.url else None,
        "failCode": str(conversion.code) if failed else None,
        "failMsg": _FAILED if failed else None,
        "createTime": milliseconds(conversion.created),
        "completeTime": milliseconds(conversion.completed),
    }


def milliseconds(moment: float) -> int:
    return int(moment * 1000)


def _write_time(moment: float) -> str:
    """Write a time as the documentation does, without a zone: it is that of this machine."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment))


def _remaining_fields(shape: str, conversion: Conversion) -> dict[str, Any]:
    """Make the fields beside `code` and `msg`."""
    documented = {"data": {"audio_wav_url": conversion.url, "task_id": conversion.task_id}}
    others: dict[str, dict[str, Any]] = {
        "camel": {"data": {"audioWavUrl": conversion.url, "task_id": conversion.task_id}},
        "camel-id": {"data": {"audioWavUrl": conversion.url, "taskId": conversion.task_id}},
        "response": {"data": {"response": {"audioWavUrl": conversion.url}, "task_id": conversion.task_id}},
        "top-level": documented_record(conversion),
        "jobs": {"data": job_details(conversion), "taskId": conversion.task_id},
        "null": {"data": None, "taskId": conversion.task_id},
        "no-id": {"data": None},
    }
    return others.get(shape, documented)
