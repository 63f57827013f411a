"""A public address that leads to a local port, and is gone after the run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from suno_wav_cli.events import Report


@dataclass(frozen=True, kw_only=True)
class TunnelTimeouts:
    """How long each step may take, in seconds. A song waits at most 8 s: `open` + `min_probe`."""

    open: float = 7.0
    """From nothing to a public address."""

    min_probe: float = 1.0
    max_probe: float = 3.0
    """For the first request through the address, however long it took to open."""

    probe_pause: float = 0.25
    """Between two of these requests: a new address may take a moment to be known everywhere."""

    recovery: float = 30.0
    recovery_pause: float = 2.0
    """For an address that has stopped working, before its tunnel is opened again, and between two requests."""

    command_open: float = 30.0
    command_probe: float = 20.0
    """In place of `open` and `max_probe` for a tunnel command: new names take a while to be known."""

    heartbeat: float = 600.0
    """Between two proofs of an idle address. Free accounts have 20,000 requests a month."""

    clock_look: float = 5.0
    sleep: float = 10.0
    """Between two looks at the clocks, and by how much they differ at least after a sleep."""

    first_reopen: float = 1.0
    max_reopen: float = 60.0
    """Before a lost tunnel is opened again: doubled until it has held for `max_reopen`."""

    agent_version: float = 3.0
    """For an agent to print its version."""

    agent_config: float = 3.0
    """For an agent that has begun to read its configuration, if neither its log nor the disk tells of it."""

    agent_request: float = 4.0
    """For the agent's own API to answer."""

    agent_exit: float = 0.5
    """For pyngrok to notice that the agent was killed."""

    command_exit: float = 0.4
    """For a tunnel command to end when it is asked to. Ctrl-C must end a run within a second."""

    agent_download: float = 60.0
    agent_stall: float = 8.0
    """For the agent's download, and for a download that brings nothing. Songs wait for it."""


@dataclass(frozen=True, kw_only=True)
class Destination:
    """Where the tunnel leads. If the agent can, it lets only POSTs to `path` through."""

    local_url: str
    path: str
    domain: str | None


@dataclass(frozen=True, kw_only=True)
class Lost:
    """Callbacks do not arrive any more. `final`: the tunnel will not come back by itself."""

    reason: str
    final: bool


@dataclass(frozen=True, kw_only=True)
class Restored:
    """Callbacks arrive again, perhaps at another address. From a tunnel it is a claim, to be proven."""

    public_url: str


@dataclass(frozen=True, kw_only=True)
class Listener:
    """Receives a tunnel's changes, and events about the work on it. Called from any thread."""

    changed: Callable[[Lost | Restored], None]
    report: Report


class Tunnel(Protocol):
    """A public base URL that leads to a local port."""

    def open(self, listener: Listener, seconds: float) -> str:
        """Return the base URL, without a trailing slash. Raise TunnelFailed.

        Blocks for at most `seconds`, so run it in a thread. From then on the listener hears of
        changes.
        """

    def shut(self) -> None:
        """End what was opened. It may be opened again."""

    def close(self) -> None:
        """Leave nothing behind. May be called from any thread, and while `open` is under way."""


@dataclass(frozen=True, kw_only=True)
class GivenAddress:
    """An address that needs no tunnel: the person's own, or loopback for a local service."""

    public_url: str

    def open(self, listener: Listener, seconds: float) -> str:  # noqa: ARG002 - it exists, and does not change
        return self.public_url.rstrip("/")

    def shut(self) -> None:
        """Do nothing: this program opened nothing."""

    def close(self) -> None:
        """Do nothing: this program opened nothing."""
