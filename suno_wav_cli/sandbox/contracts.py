"""The contracts that the sandbox speaks: what a submission looks like, and with which codes and shapes it is answered.

Written down here from api/README.md, sections 1 to 7, and not read from the program's own table: so the two
check each other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from suno_wav_cli.sandbox.records import job_record, kie_record, sunoapi_record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from suno_wav_cli.sandbox.tasks import Task

JOB_MODEL = "ai-music-api/convert-to-wav-format"


class Refusal(StrEnum):
    """A reason to refuse, which has its own code in each contract."""

    NOT_JSON = "not JSON"
    INVALID = "invalid"
    UNAUTHORIZED = "unauthorized"
    NO_CREDITS = "no credits"
    TOO_MANY = "too many in the window"
    BUSY = "busy"
    EXISTS = "exists"
    MAINTENANCE = "maintenance"
    UNKNOWN_TASK = "unknown task"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a submission asks for. `callback_url` is empty where the contract lets it be left out."""

    audio_id: str
    music_task_id: str
    callback_url: str


@dataclass(frozen=True, kw_only=True)
class Contract:
    """`prefix` stands before each of its paths; `words` explains a refusal, or else its code.

    `asked` reads a submission's body, None where it is not valid; `record` makes the `data` of a task's record, told
    whether the task is decided; `callback` is the documented shape.
    """

    name: str
    prefix: str
    submit_path: str
    record_path: str
    credit_path: str
    codes: Mapping[Refusal, int]
    words: Mapping[Refusal | int, str]
    asked: Callable[[object], Asked | None]
    record: Callable[[Task, bool], dict[str, Any]]
    callback: str
    music_path: str = "/api/v1/generate/record-info"

    def said(self, why: Refusal | int) -> tuple[int, str]:
        """Give the code and the message of a refusal. A number is a code by itself."""
        code = self.codes[why] if isinstance(why, Refusal) else why
        return code, self.words.get(why) or self.words.get(code) or f"code {code}"


def _asked_of_wav(body: object) -> Asked | None:
    if not isinstance(body, dict) or not set(body) <= {"taskId", "audioId", "callBackUrl"}:
        return None
    if not all(isinstance(value, str) for value in body.values()):
        return None
    asked = Asked(
        audio_id=body.get("audioId", ""),
        music_task_id=body.get("taskId", ""),
        callback_url=body.get("callBackUrl", ""),
    )
    return asked if asked.audio_id and _is_address(asked.callback_url) else None


def _asked_of_jobs(body: object) -> Asked | None:
    if not isinstance(body, dict) or not {"model", "input"} <= set(body) <= {"model", "input", "callBackUrl"}:
        return None
    given, callback_url = body["input"], body.get("callBackUrl", "")
    if body["model"] != JOB_MODEL or not isinstance(given, dict) or set(given) != {"task_id", "audio_id"}:
        return None
    if not all(isinstance(value, str) and value for value in given.values()):
        return None
    if not isinstance(callback_url, str) or not ("callBackUrl" not in body or _is_address(callback_url)):
        return None
    return Asked(audio_id=given["audio_id"], music_task_id=given["task_id"], callback_url=callback_url)


def _is_address(url: str) -> bool:
    return url.startswith(("http://", "https://"))


SUNOAPI = Contract(
    name="sunoapi",
    prefix="",
    submit_path="/api/v1/wav/generate",
    record_path="/api/v1/wav/record-info",
    credit_path="/api/v1/generate/credit",
    codes=MappingProxyType(
        {
            Refusal.NOT_JSON: 400,
            Refusal.INVALID: 400,
            Refusal.UNAUTHORIZED: 401,
            Refusal.NO_CREDITS: 429,
            Refusal.TOO_MANY: 405,
            Refusal.BUSY: 430,
            Refusal.EXISTS: 409,
            Refusal.MAINTENANCE: 455,
            Refusal.UNKNOWN_TASK: 404,
        }
    ),
    words=MappingProxyType(
        {
            400: "Invalid parameters",
            401: "You do not have access permissions",
            404: "task not found",
            405: "Rate limit exceeded",
            409: "WAV record already exists",
            413: "Parameter too long",
            429: "Insufficient credits",
            430: "Call frequency too high, please try again later",
            451: "Failed to download the source audio",
            455: "System maintenance in progress",
            500: "Server error",
            501: "Audio generation failed",
            531: "Generation failed, credits refunded",
        }
    ),
    asked=_asked_of_wav,
    record=sunoapi_record,
    callback="snake",
)

KIE = Contract(
    name="kie",
    prefix="/kie",
    submit_path="/api/v1/wav/generate",
    record_path="/api/v1/wav/record-info",
    credit_path="/api/v1/chat/credit",
    codes=MappingProxyType(
        {
            Refusal.NOT_JSON: 400,
            Refusal.INVALID: 422,
            Refusal.UNAUTHORIZED: 401,
            Refusal.NO_CREDITS: 402,
            Refusal.TOO_MANY: 429,
            Refusal.BUSY: 429,
            Refusal.EXISTS: 409,
            Refusal.MAINTENANCE: 455,
            Refusal.UNKNOWN_TASK: 422,
        }
    ),
    words=MappingProxyType(
        {
            Refusal.UNKNOWN_TASK: "recordInfo is null",
            400: "The request body is not valid JSON",
            401: "You do not have access permissions",
            402: "Credits insufficient",
            404: "Not found",
            408: "Upstream has not answered for 10 minutes",
            409: "WAV record already exists",
            422: "Validation error",
            429: "Your call frequency is too high",
            451: "Failed to download the source audio",
            455: "System maintenance in progress",
            500: "Server error",
            501: "Generation failed",
            505: "Feature disabled",
        }
    ),
    asked=_asked_of_wav,
    record=kie_record,
    callback="camel",
)

KIE_JOBS = replace(
    KIE,
    name="kie-jobs",
    submit_path="/api/v1/jobs/createTask",
    record_path="/api/v1/jobs/recordInfo",
    asked=_asked_of_jobs,
    record=job_record,
    callback="jobs",
)

CONTRACTS = (SUNOAPI, KIE, KIE_JOBS)
