"""The contracts that the sandbox speaks: routes, codes, and the shapes of requests and answers.

Written from api/README.md, sections 1 to 7. The program's own table (api/providers.py) is not used,
so that the two check each other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from suno_wav_cli.sandbox.records import make_job_record, make_kie_record, make_sunoapi_record
from suno_wav_cli.sandbox.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from suno_wav_cli.sandbox.tasks import Task

JOB_MODEL = "ai-music-api/convert-to-wav-format"


@dataclass(frozen=True, kw_only=True)
class Submission:
    """What a submission asks for. `callback_url` is empty if the contract lets it be left out."""

    audio_id: str
    music_task_id: str
    callback_url: str


@dataclass(frozen=True, kw_only=True)
class Contract:
    """One provider's routes, codes and shapes.

    `prefix` stands before each path. `messages` explains a refusal, or else its code.
    `read_submission` returns None for a body that is not valid. `make_record` makes the `data` of a
    task's record from its flag and its file's address. `link_path` makes fresh links, if there is such
    a route. `makes_music` if its records are those of
    new songs too.
    """

    name: str
    prefix: str
    submit_path: str
    record_path: str
    credit_path: str
    codes: Mapping[Refusal, int]
    messages: Mapping[Refusal | int, str]
    read_submission: Callable[[object], Submission | None]
    make_record: Callable[[Task, str, str | None], dict[str, Any]]
    callback_shape: str
    music_path: str = "/api/v1/generate/record-info"
    link_path: str | None = None
    makes_music: bool = False

    def explain(self, refusal: Refusal | int) -> tuple[int, str]:
        """Return the code and the message of a refusal. A number is a code by itself."""
        code = self.codes[refusal] if isinstance(refusal, Refusal) else refusal
        return code, self.messages.get(refusal) or self.messages.get(code) or f"code {code}"


def _read_wav_submission(body: object) -> Submission | None:
    if not isinstance(body, dict) or not set(body) <= {"taskId", "audioId", "callBackUrl"}:
        return None
    if not all(isinstance(value, str) for value in body.values()):
        return None
    submission = Submission(
        audio_id=body.get("audioId", ""),
        music_task_id=body.get("taskId", ""),
        callback_url=body.get("callBackUrl", ""),
    )
    return submission if submission.audio_id and _is_address(submission.callback_url) else None


def _read_job_submission(body: object) -> Submission | None:
    if not isinstance(body, dict) or not {"model", "input"} <= set(body) <= {"model", "input", "callBackUrl"}:
        return None
    given, callback_url = body["input"], body.get("callBackUrl", "")
    if body["model"] != JOB_MODEL or not isinstance(given, dict) or set(given) != {"task_id", "audio_id"}:
        return None
    if not all(isinstance(value, str) and value for value in given.values()):
        return None
    if not isinstance(callback_url, str) or not ("callBackUrl" not in body or _is_address(callback_url)):
        return None
    return Submission(audio_id=given["audio_id"], music_task_id=given["task_id"], callback_url=callback_url)


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
    messages=MappingProxyType(
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
    read_submission=_read_wav_submission,
    make_record=make_sunoapi_record,
    callback_shape="snake",
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
    messages=MappingProxyType(
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
    read_submission=_read_wav_submission,
    make_record=make_kie_record,
    callback_shape="camel",
    link_path="/api/v1/common/download-url",
)

KIE_JOBS = replace(
    KIE,
    name="kie-jobs",
    submit_path="/api/v1/jobs/createTask",
    record_path="/api/v1/jobs/recordInfo",
    read_submission=_read_job_submission,
    make_record=make_job_record,
    callback_shape="jobs",
    makes_music=True,
)

CONTRACTS = (SUNOAPI, KIE, KIE_JOBS)
