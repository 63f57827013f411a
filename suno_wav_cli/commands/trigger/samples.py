"""The callbacks that `trigger` can post: those of the service, and those of strangers."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from enum import Enum, auto
from types import MappingProxyType
from typing import TYPE_CHECKING

from suno_wav_cli.callbacks.payload_variants import CALLBACK_SHAPES, DOCUMENTED, Conversion, callback_content
from suno_wav_cli.callbacks.sender import AGENT_HEADER, CallbackRequest
from suno_wav_cli.models import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping


class Signer(Enum):
    """Who signs a sample, if the others are signed."""

    SERVICE = auto()
    STRANGER = auto()
    NO_ONE = auto()


@dataclass(frozen=True, kw_only=True)
class Sample:
    """`fault` says why a careful receiver refuses it. It is None for what the service may send."""

    about: str
    shape: str = DOCUMENTED
    code: int = 200
    times: int = 1
    method: str = "POST"
    content_type: str = "application/json"
    signer: Signer = Signer.SERVICE
    fault: str | None = None

    @property
    def needs_key(self) -> bool:
        """Whether it is wrong only if the account has a webhook key."""
        return self.signer is not Signer.SERVICE

    def choose_key(self, key: Secret | None) -> Secret | None:
        """Return what to sign it with, where the others are signed with `key`."""
        if self.signer is Signer.STRANGER:
            return Secret(value=secrets.token_hex(16))
        return None if self.signer is Signer.NO_ONE else key


_FAULTS = {"not-json": "the body is not JSON", "huge": "no callback is that large"}

SAMPLES: Mapping[str, Sample] = MappingProxyType(
    {
        "success": Sample(about="converted: code 200, as documented"),
        "failure": Sample(about="the conversion failed: code 501, no address", code=501),
        "failure-400": Sample(about="bad input or unsupported file: code 400", code=400),
        "failure-451": Sample(about="the source audio could not be fetched: code 451", code=451),
        "failure-500": Sample(about="a server error: code 500", code=500),
        "twice": Sample(about="the same callback two times", times=2),
        **{
            shape: Sample(about=about, shape=shape, fault=_FAULTS.get(shape))
            for shape, about in CALLBACK_SHAPES.items()
            if shape != DOCUMENTED
        },
        "wrong-type": Sample(
            about="as `success`, sent as text/plain",
            content_type="text/plain",
            fault="its Content-Type is not application/json",
        ),
        "get": Sample(about="GET in place of POST", method="GET", fault="a callback is a POST"),
        "unsigned": Sample(
            about="as `success`, without a signature", signer=Signer.NO_ONE, fault="it is not signed"
        ),
        "wrong-signature": Sample(
            about="as `success`, signed with another key",
            signer=Signer.STRANGER,
            fault="it is signed with another key",
        ),
    }
)


def make_callback(sample: Sample, *, task_id: str, audio_id: str, wav_url: str, url: str) -> CallbackRequest:
    """Make the sample for this task and this file, to be posted to `url`."""
    is_success = sample.code == 200  # noqa: PLR2004 - the service's code for success
    conversion = Conversion(
        task_id=task_id,
        audio_id=audio_id,
        callback_url=url,
        flag="SUCCESS" if is_success else "GENERATE_WAV_FAILED",
        code=sample.code,
        url=wav_url if is_success else None,
    )
    body = callback_content(sample.shape, conversion) if sample.method == "POST" else b""
    return CallbackRequest(
        body=body, headers=(("Content-Type", sample.content_type), AGENT_HEADER), method=sample.method
    )
