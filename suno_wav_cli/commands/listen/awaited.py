"""What `listen` waits for, and whether it has come. Deliveries of strangers do not count."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from suno_wav_cli.conversion.resume_hint import command_for
from suno_wav_cli.errors import StillRunning
from suno_wav_cli.system.shell_words import say_how

if TYPE_CHECKING:
    from collections.abc import Sequence


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
    """What has come so far.

    `received` counts all deliveries. `genuine` holds the tasks of those that are confirmed, or signed if
    there is no API key: a callback that comes again, or that a stranger repeats, counts once.

    `counts_all` says that strangers cannot be told, as there is no key, or that there are none, as only
    this machine reaches the receiver.
    """

    received: int = 0
    genuine: set[str] = field(default_factory=set)
    has_task: bool = False
    counts_all: bool = False

    @property
    def counted(self) -> int:
        return self.received if self.counts_all else len(self.genuine)

    def note_genuine(self, task_id: str, awaited: Awaited) -> None:
        self.has_task = self.has_task or task_id == awaited.task_id
        # `listen` may run for days, and needs no more than it waits for.
        if len(self.genuine) < (awaited.events or 1):
            self.genuine.add(task_id)


def has_all_come(awaited: Awaited, arrivals: Arrivals) -> bool:
    """Tell whether there is nothing left to listen for, unless there is nothing to wait for."""
    is_full = awaited.events is not None and arrivals.counted >= awaited.events
    return is_full or (awaited.task_id is not None and arrivals.has_task)


def find_missing(awaited: Awaited, arrivals: Arrivals, service: Sequence[str]) -> StillRunning | None:
    """Return the error to end with if what was awaited did not come.

    `service` are the options that lead a command to the service.
    """
    if awaited.task_id is not None:
        if arrivals.has_task:
            return None
        return StillRunning(
            f"no genuine callback of task {awaited.task_id} has come",
            say_how("See what the service says of it", *command_for(service, "status", [awaited.task_id])),
        )
    if awaited.seconds is None or arrivals.counted >= (awaited.events or 1):
        return None
    kind = "" if arrivals.counts_all else "genuine "
    if awaited.events is None:
        said = f"no {kind}delivery has come"
    else:
        said = f"{arrivals.counted} of {awaited.events} {kind}deliveries have come"
    return StillRunning(said, "Give it more --timeout.")
