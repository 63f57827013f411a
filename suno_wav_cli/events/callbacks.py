"""Callbacks of `convert` and `resume`, and the tunnel through which they come."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from suno_wav_cli.events.event import event

if TYPE_CHECKING:
    from pathlib import Path


@event
class Ready:
    """It is settled how results arrive: by callback, or by polling alone.

    public_url: address for callbacks, without its secret path; null if the program only polls.
    poll_interval: seconds between status checks.
    reason: why there are no callbacks, unless that was asked for.
    """

    public_url: str | None
    poll_interval: float
    reason: str | None


@event
class TunnelOpening:
    """A public address is being opened, which may take seconds."""


@event
class AgentDownloading:
    """There is no ngrok agent that can be used, and one is being downloaded.

    source: where from.
    path: where to.
    unfit: why an agent that is installed cannot be used; null if none was found.
    """

    source: str
    path: Path
    unfit: str | None


@event
class AgentDownloaded:
    """The ngrok agent was downloaded, and works.

    sha256: of the file that was downloaded.
    expected: whether this digest was known before. Without it, only the server's certificate says that
        the file is ngrok's.
    """

    path: Path
    sha256: str
    expected: bool


@event
class TunnelUnproven:
    """Callbacks may arrive, but no request of this program's own did. Songs are polled meanwhile.

    public_url: the address that the service is given.
    reason: why the request did not arrive.
    poll_interval: seconds between status checks; null if the program does not poll.
    """

    public_url: str
    reason: str
    poll_interval: float | None


@event
class TunnelLost:
    """Callbacks cannot arrive for now.

    poll_interval: seconds between status checks meanwhile; null if the program does not poll.
    """

    reason: str
    poll_interval: float | None


@event
class TunnelRestored:
    """Callbacks can arrive again.

    public_url: where they arrive now.
    moved: whether it differs from the earlier one; what was submitted with that is polled.
    """

    public_url: str
    moved: bool


@event
class CallbacksMissing:
    """The service has finished songs, and their callbacks have not come: the program polls.

    poll_interval: seconds between status checks.
    """

    poll_interval: float


@event
class LookupsDelayed:
    """So many tasks are waited for that `--poll-interval` cannot be kept.

    tasks: how many.
    poll_interval: seconds between status checks that are wanted.
    seconds: between two status checks of a task at present.
    """

    tasks: int
    poll_interval: float
    seconds: float


@event
class CallbackReceived:
    """A callback arrived for `convert` or `resume`, which then check the task.

    task_id: as the callback claims.
    code: as the callback claims.
    """

    task_id: str | None
    code: int | None


CallbackEvent: TypeAlias = (
    Ready
    | TunnelOpening
    | AgentDownloading
    | AgentDownloaded
    | TunnelUnproven
    | TunnelLost
    | TunnelRestored
    | CallbacksMissing
    | LookupsDelayed
    | CallbackReceived
)
