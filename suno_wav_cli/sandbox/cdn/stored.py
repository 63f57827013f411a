"""A task's file as it lies at the CDN: its version, its address, and what the next request for it meets."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from suno_wav_cli.sandbox.cdn.faults import Kind, Trait
from suno_wav_cli.sandbox.cdn.melody import Layout, Wav, make_melody

if TYPE_CHECKING:
    from suno_wav_cli.sandbox.cdn.faults import Plan, Step

ADDRESS = "fresh"
"""The parameter that has the number of an address; the first address is without it."""

FIRST_ADDRESS = "0"


class StoredFile:
    """Not locked: the one thread that serves the files takes each step without waiting in between."""

    def __init__(self, task_id: str, layout: Layout, plan: Plan) -> None:
        self.traits = plan.traits
        self._task_id = task_id
        self._layout = layout
        self._version = 0
        self._refused: dict[str, int] = {}
        self._steps = plan.in_turn()
        self._coming = next(self._steps)

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
    def coming_step(self) -> Step:
        """What the next request will meet."""
        return self._coming

    def take_step(self) -> Step:
        """Give what a request meets, and count it. Where the file is to change, it changes now."""
        step, self._coming = self._coming, next(self._steps)
        if step.has(Kind.CHANGED):
            self._version += 1
        return step

    @property
    def address(self) -> str:
        """The number of the one address that is good: so many before it were refused."""
        return str(len(self._refused))

    @property
    def query(self) -> str:
        """What the good address has behind its path."""
        return "" if self.address == FIRST_ADDRESS else f"?{ADDRESS}={self.address}"

    def refusal_at(self, address: str) -> int | None:
        """Give the status with which an address is refused, which is 404 where it was never told to anybody."""
        return None if address == self.address else self._refused.get(address, 404)

    def refuse(self, address: str, status: int) -> None:
        """Refuse an address from now on, where it is not yet: the file is at another then."""
        if address == self.address:
            self._refused[address] = status
