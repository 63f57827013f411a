"""Records and callbacks in every shape that users of the service have met (contract/wav-api.md, sections 4 and 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from suno_wav_cli.sandbox.tasks import Task

_CREATED, _COMPLETED = "2025-01-01 00:00:00", "2025-01-01 00:10:00"
_CREATED_MS, _COMPLETED_MS = 1_735_689_600_000, 1_735_690_200_000


def shaped_record(task: Task, *, decided: bool) -> tuple[int, dict[str, Any] | None]:
    """Return the envelope's code and `data`."""
    shape = task.behaviour.record
    if task.lookups == 1 and shape == "unknown-first":
        return 404, None
    if task.lookups == 1 and shape == "null-first":
        return 200, None
    flag = task.behaviour.flag if decided else "PENDING"
    url = task.file_url if flag == "SUCCESS" else None
    if shape == "callback-exception" and decided:
        flag = "CALLBACK_EXCEPTION"
    if shape == "no-url-first" and task.lookups == 1:
        flag, url = "SUCCESS", None
    record = _documented(task, flag, url)
    match shape:
        case "first-edition":
            record["status"] = record.pop("successFlag")
            record["response"] = {"audio_wav_url": url} if url else None
        case "flat" | "flat-snake":
            del record["response"]
            record["audioWavUrl" if shape == "flat" else "audio_wav_url"] = url
        case "epoch":
            record |= {"createTime": _CREATED_MS, "completeTime": _COMPLETED_MS, "musicIndex": "0"}
        case "bare":
            for name in ("musicIndex", "createTime", "completeTime"):
                record.pop(name, None)
        case _:
            pass
    return 200, record


def callback_body(task: Task, url: str | None) -> dict[str, Any]:
    """What is posted when the task is decided; `url` is None for a failure."""
    code = 200 if url else task.behaviour.code
    message = "success" if url else "WAV format conversion failed"
    body: dict[str, Any] = {"code": code, "msg": message}
    match task.behaviour.callback:
        case "camel":
            body["data"] = {"audioWavUrl": url, "task_id": task.task_id}
        case "camel-id":
            body["data"] = {"audioWavUrl": url, "taskId": task.task_id}
        case "response":
            body["data"] = {"response": {"audioWavUrl": url}, "task_id": task.task_id}
        case "top-level":
            body |= _documented(task, task.behaviour.flag, url)
        case "null":
            body |= {"data": None, "taskId": task.task_id}
        case "no-id":
            body["data"] = None
        case _:
            body["data"] = {"audio_wav_url": url, "task_id": task.task_id}
    return body


def _documented(task: Task, flag: str, url: str | None) -> dict[str, Any]:
    failed = flag not in ("SUCCESS", "PENDING") and url is None
    record = {
        "taskId": task.task_id,
        "musicId": task.audio_id,
        "musicIndex": 0,
        "callbackUrl": task.callback_url,
        "createTime": _CREATED,
        "response": {"audioWavUrl": url} if url else None,
        "successFlag": flag,
        "errorCode": task.behaviour.code if failed else None,
        "errorMessage": "WAV format conversion failed" if failed else None,
    }
    if flag != "PENDING":
        record["completeTime"] = _COMPLETED
    return record
