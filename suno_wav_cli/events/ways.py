"""How results are heard of: callbacks, and the way that they come by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from suno_wav_cli.events.event import event

if TYPE_CHECKING:
    from pathlib import Path


@event
class Ready:
    """How results will be heard of.

    `public_url` is the address without its secret path, or None where the program polls, with the `reason` unless
    that was asked for.
    """

    public_url: str | None
    poll_interval: float
    reason: str | None


@event
class TunnelOpening:
    """A way for callbacks is being opened, which may take seconds."""


@event
class AgentDownloading:
    """There is no ngrok agent on this machine, and so it is fetched from `source` to `path`."""

    source: str
    path: Path


@event
class TunnelLost:
    """Callbacks cannot arrive for now. The service is asked every `poll_interval` seconds; None where nobody asks."""

    reason: str
    poll_interval: float | None


@event
class TunnelRestored:
    public_url: str


@event
class CallbackReceived:
    """`task_id` and `code` as the callback claims them."""

    task_id: str | None
    code: int | None
