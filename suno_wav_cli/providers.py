"""The table of what differs between providers (contract/wav-api.md, sections 1, 3 and 6)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from types import MappingProxyType
from typing import TYPE_CHECKING

from suno_wav_cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping


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


@dataclass(frozen=True)
class Provider:
    """`codes` maps the envelope's `code`; what it leaves out is shown with its `msg`."""

    name: str
    base_url: str
    codes: Mapping[int, Meaning]
    submit_path: str = "/api/v1/wav/generate"
    record_path: str = "/api/v1/wav/record-info"
    music_path: str = "/api/v1/generate/record-info"
    retention_days: int = 15


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
        }
    ),
)

SANDBOX = "sandbox"
"""A provider whose service is this program: `sunoapi`'s contract on loopback."""

PROVIDERS: Mapping[str, Provider] = MappingProxyType({SUNOAPI.name: SUNOAPI, SANDBOX: SUNOAPI})


def provider_named(name: str) -> Provider:
    """Raises UsageError."""
    try:
        return PROVIDERS[name]
    except KeyError:
        raise UsageError(
            f"there is no provider '{name}'", f"Choose one of: {', '.join(PROVIDERS)}."
        ) from None
