"""Records in every shape that users of the service have met (contract/wav-api.md, section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from suno_wav_cli.shapes import COMPLETED_MS, CREATED_MS, documented_record

if TYPE_CHECKING:
    from suno_wav_cli.sandbox.tasks import Task


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
    record = documented_record(task.told(flag, url))
    match shape:
        case "first-edition":
            record["status"] = record.pop("successFlag")
            record["response"] = {"audio_wav_url": url} if url else None
        case "flat" | "flat-snake":
            del record["response"]
            record["audioWavUrl" if shape == "flat" else "audio_wav_url"] = url
        case "epoch":
            record |= {"createTime": CREATED_MS, "completeTime": COMPLETED_MS, "musicIndex": "0"}
        case "bare":
            for name in ("musicIndex", "createTime", "completeTime"):
                record.pop(name, None)
        case _:
            pass
    return 200, record
