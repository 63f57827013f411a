"""How results are heard of: callbacks, and the way that they come by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Ready:
    """How results will be heard of.

    `public_url` is the address without its secret path, or None where the program polls, with the `reason` unless
    that was asked for.
    """

    public_url: str | None
    poll_interval: float
    reason: str | None


@dataclass(frozen=True)
class TunnelOpening:
    """A way for callbacks is being opened, which may take seconds."""


@dataclass(frozen=True)
class AgentDownloading:
    """There is no ngrok agent on this machine, and so it is fetched from `source` to `path`."""

    source: str
    path: Path


@dataclass(frozen=True)
class TunnelLost:
    """Callbacks cannot arrive for now. The service is asked every `poll_interval` seconds; None where nobody asks."""

    reason: str
    poll_interval: float | None


@dataclass(frozen=True)
class TunnelRestored:
    public_url: str


@dataclass(frozen=True)
class CallbackReceived:
    """`task_id` and `code` as the callback claims them."""

    task_id: str | None
    code: int | None
