"""A task's file at the CDN: its version, its address, and the faults of the coming requests."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from suno_wav_cli.sandbox.cdn.faults import Kind, Trait
from suno_wav_cli.sandbox.cdn.melody import Layout, Wav, make_melody

if TYPE_CHECKING:
    from suno_wav_cli.sandbox.cdn.faults import Plan, Step

ADDRESS = "fresh"
"""The query parameter with the number of an address. The first address has none."""

FIRST_ADDRESS = "0"


class StoredFile:
    """Used by one thread, the server's, which never waits in the middle of a change.

    So it has no lock.
    """

    def __init__(self, task_id: str, layout: Layout, plan: Plan) -> None:
        self.traits = plan.traits
        self._task_id = task_id
        self._layout = layout
        self._version = 0
        self._refused: dict[str, int] = {}
        self._steps = plan.in_turn()
        self._next = next(self._steps)

    @property
    def wav(self) -> Wav:
        return make_melody(self._layout, self._version)

    @property
    def etag(self) -> str | None:
        if Trait.UNTAGGED in self.traits:
            return None
        digest = hashlib.sha256(f"{self._task_id}/{self._version}".encode()).hexdigest()[:32]
        return f'W/"{digest}"' if Trait.WEAK in self.traits else f'"{digest}"'

    @property
    def next_step(self) -> Step:
        """The faults of the next request."""
        return self._next

    def take_step(self) -> Step:
        """Return the step of this request, and move on.

        A step that changes the file does so now.
        """
        step, self._next = self._next, next(self._steps)
        if step.has(Kind.CHANGED):
            self._version += 1
        return step

    @property
    def address(self) -> str:
        """The number of the valid address, which is the count of the refused ones."""
        return str(len(self._refused))

    @property
    def query(self) -> str:
        """The query of the valid address."""
        return "" if self.address == FIRST_ADDRESS else f"?{ADDRESS}={self.address}"

    @property
    def recorded_query(self) -> str:
        """The query of the address that the task's record names."""
        return "" if Trait.STALE in self.traits else self.query

    def refusal_at(self, address: str) -> int | None:
        """Return the status that refuses an address: None if it is valid, 404 if never issued."""
        return None if address == self.address else self._refused.get(address, 404)

    def refuse(self, address: str, status: int) -> None:
        """Refuse the valid address from now on. The file moves to the next one."""
        if address == self.address:
            self._refused[address] = status
