"""From a local port to an address that the service can reach, and nothing left behind."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING

from suno_wav_cli.errors import TunnelFailed

if TYPE_CHECKING:
    from collections.abc import Iterator


PATH = "/suno-wav-callback"


class TunnelMode(StrEnum):
    AUTO = "auto"
    NGROK = "ngrok"
    NONE = "none"


def secret_path() -> str:
    """Make a callback path that nobody guesses: 32 random bytes."""
    return f"{PATH}/{secrets.token_urlsafe(32)}"


@contextmanager
def open_tunnel(
    local_url: str, mode: TunnelMode, *, public_url: str | None, token_known: bool, service_is_local: bool
) -> Iterator[str]:
    """Yield the public base URL that leads to `local_url`, without a trailing slash.

    Raises TunnelFailed where there is none; whether polling may take its place is the caller's decision.
    """
    if public_url is not None:
        yield public_url.rstrip("/")
    elif service_is_local and mode is TunnelMode.AUTO:
        yield local_url
    elif mode is TunnelMode.AUTO and not token_known:
        raise TunnelFailed(
            "there is no ngrok token", "Set NGROK_AUTHTOKEN, give --public-url, or poll: --tunnel none"
        )
    else:
        raise TunnelFailed(
            "this version cannot open ngrok tunnels yet",
            "Give --public-url with --port, or poll: --tunnel none",
        )
