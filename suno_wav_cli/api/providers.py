"""The table of what differs between providers (api/README.md, sections 1, 2, 3, 6 and 7)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto
from types import MappingProxyType
from typing import TYPE_CHECKING

from suno_wav_cli.api.parsing import read_job_record, read_wav_record
from suno_wav_cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from suno_wav_cli.models import Song, WavRecord

_PLACEHOLDER_CALLBACK = "https://example.com/callback"
"""`callBackUrl` is required of pollers too, and this one is known to be accepted (section 2)."""


class Meaning(Enum):
    """What a `code` in the envelope says, whatever its number on this provider."""

    SUCCESS = auto()
    INVALID = auto()
    UNAUTHORIZED = auto()
    NO_CREDITS = auto()
    UNKNOWN_TASK = auto()
    BUSY = auto()
    EXISTS = auto()
    MAINTENANCE = auto()
    SOURCE_LOST = auto()
    SERVER_ERROR = auto()
    FAILED = auto()
    DISABLED = auto()


@dataclass(frozen=True, kw_only=True)
class Provider:
    """One contract at one address.

    `codes` maps the envelope's `code`; what it leaves out is shown with its `msg`. `submission` makes the body of a
    paid request from the song and the address to call back, None where nobody listens; `read_record` reads a record's
    `data` for a task id. `needs_music_task` says that the contract has no conversion by the audio id alone.
    """

    name: str
    base_url: str
    codes: Mapping[int, Meaning]
    submission: Callable[[Song, str | None], Mapping[str, object]]
    read_record: Callable[[str, object], WavRecord]
    submit_path: str
    record_path: str
    credit_path: str
    retention_days: int
    signs_callbacks: bool
    needs_music_task: bool = False
    music_path: str = "/api/v1/generate/record-info"


def _wav_submission(song: Song, callback_url: str | None) -> Mapping[str, object]:
    """Section 2: the two ids where both are known, and no other field."""
    body = {"audioId": song.audio_id, "callBackUrl": callback_url or _PLACEHOLDER_CALLBACK}
    if song.music_task_id is not None:
        body["taskId"] = song.music_task_id
    return body


def _job_submission(song: Song, callback_url: str | None) -> Mapping[str, object]:
    """Section 7: `callBackUrl` is optional here."""
    body: dict[str, object] = {
        "model": "ai-music-api/convert-to-wav-format",
        "input": {"task_id": song.music_task_id, "audio_id": song.audio_id},
    }
    if callback_url is not None:
        body["callBackUrl"] = callback_url
    return body


SUNOAPI = Provider(
    name="sunoapi",
    base_url="https://api.sunoapi.org",
    codes=MappingProxyType(
        {
            200: Meaning.SUCCESS,
            400: Meaning.INVALID,
            401: Meaning.UNAUTHORIZED,
            404: Meaning.UNKNOWN_TASK,
            405: Meaning.BUSY,
            409: Meaning.EXISTS,
            413: Meaning.INVALID,
            429: Meaning.NO_CREDITS,
            430: Meaning.BUSY,
            451: Meaning.SOURCE_LOST,
            455: Meaning.MAINTENANCE,
            500: Meaning.SERVER_ERROR,
            501: Meaning.FAILED,
            531: Meaning.FAILED,
        }
    ),
    submission=_wav_submission,
    read_record=read_wav_record,
    submit_path="/api/v1/wav/generate",
    record_path="/api/v1/wav/record-info",
    credit_path="/api/v1/generate/credit",
    retention_days=15,
    signs_callbacks=False,
)

KIE = Provider(
    name="kie",
    base_url="https://api.kie.ai",
    codes=MappingProxyType(
        {
            200: Meaning.SUCCESS,
            400: Meaning.INVALID,
            401: Meaning.UNAUTHORIZED,
            402: Meaning.NO_CREDITS,
            404: Meaning.UNKNOWN_TASK,
            # Silent for ten minutes: of a paid request, nobody knows what became of it.
            408: Meaning.SERVER_ERROR,
            409: Meaning.EXISTS,
            # "recordInfo is null" at a lookup; of a submission, that it is not valid.
            422: Meaning.UNKNOWN_TASK,
            429: Meaning.BUSY,
            451: Meaning.SOURCE_LOST,
            455: Meaning.MAINTENANCE,
            500: Meaning.SERVER_ERROR,
            501: Meaning.FAILED,
            505: Meaning.DISABLED,
        }
    ),
    submission=_wav_submission,
    read_record=read_wav_record,
    submit_path="/api/v1/wav/generate",
    record_path="/api/v1/wav/record-info",
    credit_path="/api/v1/chat/credit",
    retention_days=14,
    signs_callbacks=True,
)

KIE_JOBS = replace(
    KIE,
    name="kie-jobs",
    submission=_job_submission,
    read_record=read_job_record,
    submit_path="/api/v1/jobs/createTask",
    record_path="/api/v1/jobs/recordInfo",
    needs_music_task=True,
)

SANDBOX = "sandbox"
"""A provider whose service is this program: `sunoapi`'s contract on loopback."""

PROVIDERS: Mapping[str, Provider] = MappingProxyType(
    {provider.name: provider for provider in (SUNOAPI, KIE, KIE_JOBS)} | {SANDBOX: SUNOAPI}
)


def get_provider(name: str) -> Provider:
    """Raises UsageError."""
    try:
        return PROVIDERS[name]
    except KeyError:
        raise UsageError(
            f"there is no provider '{name}'", f"Choose one of: {', '.join(PROVIDERS)}."
        ) from None
