"""When an address that worked is to be proven again. Pure: the clocks are values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from suno_wav_cli.callbacks.tunnel.tunnel import TunnelTimeouts


@dataclass(frozen=True, kw_only=True)
class Clocks:
    """One moment on both clocks. Only the wall clock goes on while the machine sleeps."""

    wall: float
    monotonic: float


def has_slept(before: Clocks, after: Clocks, timeouts: TunnelTimeouts) -> bool:
    """Tell whether the machine or this program has slept between two looks at the clocks.

    A wall clock that was set looks the same, and costs one request. Where the monotonic clock goes
    on during a sleep, and where the program was stopped, the next look comes late.
    """
    passed = after.monotonic - before.monotonic
    jumped = abs(after.wall - before.wall - passed) > timeouts.sleep
    return jumped or passed > timeouts.clock_look + timeouts.sleep


def is_proof_due(proven: Clocks, before: Clocks, now: Clocks, timeouts: TunnelTimeouts) -> bool:
    """Tell whether the address is to be proven now. `before` is the last look at the clocks."""
    return now.monotonic - proven.monotonic >= timeouts.heartbeat or has_slept(before, now, timeouts)
