"""From a local port to an address that the service can reach, and nothing left behind."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from suno_wav_cli.events import Report


@dataclass(frozen=True, kw_only=True)
class Destination:
    """Where the tunnel leads. Where the agent can, only POSTs to `path` are let through."""

    local_url: str
    path: str
    domain: str | None


@dataclass(frozen=True, kw_only=True)
class Lost:
    """Nothing arrives any more. `final` where the tunnel will not come back by itself."""

    reason: str
    final: bool


@dataclass(frozen=True, kw_only=True)
class Restored:
    """It came back, perhaps at another address."""

    public_url: str


@dataclass(frozen=True, kw_only=True)
class Listener:
    """What hears of a tunnel, from whatever thread: how it is, and what is done for it."""

    changed: Callable[[Lost | Restored], None]
    report: Report


class Tunnel(Protocol):
    """A public base URL that leads to a local port."""

    def open(self, listener: Listener, seconds: float) -> str:
        """Return the base URL, without a trailing slash. Blocks for so many seconds at most, so run it in a thread.

        From then on the listener hears when it is lost or restored. Raises TunnelFailed.
        """

    def shut(self) -> None:
        """End what was opened. It may be opened again."""

    def close(self) -> None:
        """Leave nothing behind. May be called from any thread, and while `open` is under way."""


@dataclass(frozen=True, kw_only=True)
class GivenAddress:
    """An address that leads here by itself: the person's own, or this machine's where the service is here too."""

    public_url: str

    def open(self, listener: Listener, seconds: float) -> str:  # noqa: ARG002 - it is there, and does not change
        return self.public_url.rstrip("/")

    def shut(self) -> None:
        """Nothing of ours is there."""

    def close(self) -> None:
        """Nothing of ours is there."""


def secret_path(path: str) -> str:
    """Make a callback path that nobody guesses: 32 random bytes."""
    return f"{path}/{secrets.token_urlsafe(32)}"
