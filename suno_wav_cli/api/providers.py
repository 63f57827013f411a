"""What differs between providers (api/README.md, sections 1, 2, 3, 6 and 7)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto
from types import MappingProxyType
from typing import TYPE_CHECKING

from suno_wav_cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from suno_wav_cli.models import Song

_PLACEHOLDER_CALLBACK = "https://example.com/callback"
"""Sent if no callback is wanted, because the field is required (api/README.md, section 2)."""
_MUSIC_PATH, _JOB_PATH = "/api/v1/generate/record-info", "/api/v1/jobs/recordInfo"


class Meaning(Enum):
    """What an answer means, whatever its code is at this provider."""

    SUCCESS = auto()
    INVALID = auto()
    UNAUTHORIZED = auto()
    NO_CREDITS = auto()
    KEY_CAP = auto()
    UNKNOWN_TASK = auto()
    BUSY = auto()
    EXISTS = auto()
    MAINTENANCE = auto()
    SOURCE_LOST = auto()
    SERVER_ERROR = auto()
    FAILED = auto()
    DISABLED = auto()
    NOT_THE_API = auto()


@dataclass(frozen=True, kw_only=True)
class Provider:
    """One contract at one address.

    `make_submission` makes the body of a paid request from the song and the callback URL, which is
    None if no callback is wanted. `retention_days` is how long the service keeps a file. With
    `needs_music_task` an audio id alone cannot be converted. `music_paths` are the routes that may
    know a music task. `key_advice` is what else can be wrong with a key that is refused. `link_path`
    is the route that makes a fresh link to a file, if there is one (section 6). `key_page` is where its
    users find their key.
    """

    name: str
    base_url: str
    codes: Mapping[int, Meaning]
    make_submission: Callable[[Song, str | None], Mapping[str, object]]
    submit_path: str
    record_path: str
    credit_path: str
    retention_days: int
    signs_callbacks: bool
    key_page: str
    needs_music_task: bool = False
    music_paths: tuple[str, ...] = (_MUSIC_PATH,)
    key_advice: str = ""
    link_path: str | None = None


def _make_wav_submission(song: Song, callback_url: str | None) -> Mapping[str, object]:
    """Both ids if they are known, and no other field (api/README.md, section 2)."""
    body = {"audioId": song.audio_id, "callBackUrl": callback_url or _PLACEHOLDER_CALLBACK}
    if song.music_task_id is not None:
        body["taskId"] = song.music_task_id
    return body


def _make_job_submission(song: Song, callback_url: str | None) -> Mapping[str, object]:
    """`callBackUrl` can be left out here (api/README.md, section 7)."""
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
    make_submission=_make_wav_submission,
    submit_path="/api/v1/wav/generate",
    record_path="/api/v1/wav/record-info",
    credit_path="/api/v1/generate/credit",
    retention_days=15,
    signs_callbacks=False,
    key_page="https://sunoapi.org/api-key",
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
            # No answer from upstream for ten minutes: the outcome of a paid request is unknown.
            408: Meaning.SERVER_ERROR,
            409: Meaning.EXISTS,
            # A lookup says "recordInfo is null" so; for a submission it means that it is not valid.
            422: Meaning.UNKNOWN_TASK,
            429: Meaning.BUSY,
            433: Meaning.KEY_CAP,
            451: Meaning.SOURCE_LOST,
            455: Meaning.MAINTENANCE,
            500: Meaning.SERVER_ERROR,
            501: Meaning.FAILED,
            505: Meaning.DISABLED,
        }
    ),
    make_submission=_make_wav_submission,
    submit_path="/api/v1/wav/generate",
    record_path="/api/v1/wav/record-info",
    credit_path="/api/v1/chat/credit",
    retention_days=14,
    signs_callbacks=True,
    key_page="https://kie.ai/api-key",
    music_paths=(_MUSIC_PATH, _JOB_PATH),
    key_advice="A key of kie may have a list of allowed addresses: this machine's must be among them.",
    link_path="/api/v1/common/download-url",
)

KIE_JOBS = replace(
    KIE,
    name="kie-jobs",
    make_submission=_make_job_submission,
    submit_path="/api/v1/jobs/createTask",
    record_path=_JOB_PATH,
    needs_music_task=True,
    # New songs are made by the same route as WAVs.
    music_paths=(_JOB_PATH, _MUSIC_PATH),
)

SANDBOX = "sandbox"
"""The provider whose service is this program, with the contract of `sunoapi`."""

PROVIDERS: Mapping[str, Provider] = MappingProxyType(
    {provider.name: provider for provider in (SUNOAPI, KIE, KIE_JOBS)} | {SANDBOX: SUNOAPI}
)


def get_provider(name: str) -> Provider:
    """Return the provider of this name. Raise UsageError."""
    try:
        return PROVIDERS[name]
    except KeyError:
        raise UsageError(
            f"there is no provider '{name}'", f"Choose one of: {', '.join(PROVIDERS)}."
        ) from None
