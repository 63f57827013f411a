"""What `listen` waits for, and whether it has come. Deliveries of strangers do not count."""

from __future__ import annotations

from dataclasses import dataclass

from suno_wav_cli.errors import StillRunning
from suno_wav_cli.system.shell_words import say_how


@dataclass(frozen=True, kw_only=True)
class Awaited:
    """`seconds` is the longest time to listen, `task_id` the task to listen for, `events` a number of deliveries.

    None stands for what was not asked for.
    """

    seconds: float | None = None
    task_id: str | None = None
    events: int | None = None


@dataclass(kw_only=True)
class Arrivals:
    """`received` counts all deliveries, and `genuine` those that are confirmed, or signed, or cannot be checked."""

    received: int = 0
    genuine: int = 0
    has_task: bool = False

    def note(self, task_id: str | None, awaited: Awaited) -> None:
        """Note a delivery that is no stranger's."""
        self.genuine += 1
        self.has_task = self.has_task or (task_id is not None and task_id == awaited.task_id)


def has_all_come(awaited: Awaited, arrivals: Arrivals) -> bool:
    """Tell whether there is nothing left to listen for, unless there is nothing to wait for."""
    if awaited.task_id is not None:
        return arrivals.has_task or arrivals.received == awaited.events
    return arrivals.received == awaited.events


def find_missing(awaited: Awaited, arrivals: Arrivals) -> StillRunning | None:
    """Return the error to end with if what was awaited did not come."""
    if awaited.task_id is not None:
        if arrivals.has_task:
            return None
        return StillRunning(
            f"no genuine callback of task {awaited.task_id} has come",
            say_how("See what the service says of it", "suno-wav", "status", awaited.task_id),
        )
    if awaited.seconds is None or arrivals.received == awaited.events:
        return None
    if awaited.events is not None:
        return StillRunning(
            f"{arrivals.received} of {awaited.events} deliveries have come", "Give it more --timeout."
        )
    if arrivals.genuine:
        return None
    return StillRunning("no genuine delivery has come", "Give it more --timeout.")
