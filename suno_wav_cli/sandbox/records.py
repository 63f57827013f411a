"""Records in every shape that users of the service have met (api/README.md, sections 4 and 7)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from suno_wav_cli.callbacks.payload_variants import COMPLETED_MS, CREATED_MS, documented_record, job_details

if TYPE_CHECKING:
    from suno_wav_cli.sandbox.tasks import Task

_STATES_AT_WORK = ("waiting", "queuing", "generating")


def sunoapi_record(task: Task, decided: bool) -> dict[str, Any]:
    flag, url = _told(task, decided)
    record = documented_record(task.told(flag, url))
    match task.behaviour.record:
        case "first-edition":
            record["status"] = record.pop("successFlag")
            record["response"] = {"audio_wav_url": url} if url else None
        case "flat" | "flat-snake" as shape:
            del record["response"]
            record["audioWavUrl" if shape == "flat" else "audio_wav_url"] = url
        case "epoch":
            record |= {"createTime": CREATED_MS, "completeTime": COMPLETED_MS, "musicIndex": "0"}
        case "bare":
            for name in ("musicIndex", "createTime", "completeTime"):
                record.pop(name, None)
        case _:
            pass
    return record


def kie_record(task: Task, decided: bool) -> dict[str, Any]:
    """Make the same record; its `errorCode` is documented as 500 whatever went wrong."""
    record = sunoapi_record(task, decided)
    return record | {"errorCode": 500} if record["errorCode"] is not None else record


def job_record(task: Task, decided: bool) -> dict[str, Any]:
    """Make a job's record, whose state moves on with each lookup while it is at work."""
    flag, url = _told(task, decided)
    at_work = _STATES_AT_WORK[min(task.lookups, len(_STATES_AT_WORK)) - 1] if flag == "PENDING" else None
    record = job_details(task.told(flag, url), at_work) | {
        "taskId": task.task_id,
        "model": "ai-music-api/convert-to-wav-format",
        "param": json.dumps({"input": {"task_id": task.music_task_id, "audio_id": task.audio_id}}),
        "updateTime": COMPLETED_MS,
        "costTime": COMPLETED_MS - CREATED_MS,
        "creditsConsumed": 0.4,
    }
    if at_work is not None or task.behaviour.record == "bare":
        for name in ("completeTime", "costTime", "creditsConsumed"):
            del record[name]
    return record


def _told(task: Task, decided: bool) -> tuple[str, str | None]:
    """Give the flag and the file's address that this lookup is told."""
    if task.lookups == 1 and task.behaviour.record == "no-url-first":
        return "SUCCESS", None
    flag = task.behaviour.flag if decided else "PENDING"
    url = task.file_url if flag == "SUCCESS" else None
    if task.behaviour.record == "callback-exception" and decided:
        flag = "CALLBACK_EXCEPTION"
    return flag, url
