"""Callbacks in every shape that users of the service have met (api/README.md, sections 5 and 7)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_CREATED, _COMPLETED = "2025-01-01 00:00:00", "2025-01-01 00:10:00"
CREATED_MS, COMPLETED_MS = 1_735_689_600_000, 1_735_690_200_000
_FAILED = "WAV format conversion failed"
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
    """What is told of a conversion. `url` is None while it is pending and where it failed; `code` is a callback's."""

    task_id: str
    audio_id: str
    callback_url: str
    flag: str
    code: int
    url: str | None


def callback_content(shape: str, told: Conversion) -> bytes:
    """What is posted when a conversion is decided."""
    if shape == "not-json":
        return b'{"code": 200, "data": {'
    code, message = (200, "success") if told.url else (told.code, _FAILED)
    if shape == "huge":
        message = "x" * _HUGE_BYTES
    return json.dumps({"code": code, "msg": message} | _rest(shape, told)).encode()


def documented_record(told: Conversion) -> dict[str, Any]:
    """What `record-info` says of it (api/README.md, section 4)."""
    failed = told.flag not in ("SUCCESS", "PENDING") and told.url is None
    record = {
        "taskId": told.task_id,
        "musicId": told.audio_id,
        "musicIndex": 0,
        "callbackUrl": told.callback_url,
        "createTime": _CREATED,
        "response": {"audioWavUrl": told.url} if told.url else None,
        "successFlag": told.flag,
        "errorCode": told.code if failed else None,
        "errorMessage": _FAILED if failed else None,
    }
    if told.flag != "PENDING":
        record["completeTime"] = _COMPLETED
    return record


def job_details(told: Conversion, at_work: str | None = None) -> dict[str, Any]:
    """What the jobs route says of it (api/README.md, section 7). `at_work` is the state while pending."""
    failed = at_work is None and told.flag != "SUCCESS" and told.url is None
    return {
        "state": at_work or ("fail" if failed else "success"),
        "resultJson": json.dumps({"resultUrls": [told.url]}) if told.url else None,
        "failCode": str(told.code) if failed else None,
        "failMsg": _FAILED if failed else None,
        "createTime": CREATED_MS,
        "completeTime": COMPLETED_MS,
    }


def _rest(shape: str, told: Conversion) -> dict[str, Any]:
    """What stands beside `code` and `msg`."""
    documented = {"data": {"audio_wav_url": told.url, "task_id": told.task_id}}
    others: dict[str, dict[str, Any]] = {
        "camel": {"data": {"audioWavUrl": told.url, "task_id": told.task_id}},
        "camel-id": {"data": {"audioWavUrl": told.url, "taskId": told.task_id}},
        "response": {"data": {"response": {"audioWavUrl": told.url}, "task_id": told.task_id}},
        "top-level": documented_record(told),
        "jobs": {"data": job_details(told), "taskId": told.task_id},
        "null": {"data": None, "taskId": told.task_id},
        "no-id": {"data": None},
    }
    return others.get(shape, documented)
