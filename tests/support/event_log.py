"""Reported events that a failing test can show."""

from __future__ import annotations

from typing import TypeVar

from suno_wav_cli.events.union import Event

E = TypeVar("E")


class EventLog(list[Event]):
    """The events in the order in which they were reported.

    Events have no representation of their own: making it costs the program's start-up too much.
    """

    def __repr__(self) -> str:
        return f"[{', '.join(map(describe, self))}]"

    def of(self, kind: type[E]) -> list[E]:
        """Return the events of one class."""
        return [event for event in self if isinstance(event, kind)]


def describe(event: object) -> str:
    """Show an event as its class and fields."""
    fields = ", ".join(f"{name}={value!r}" for name, value in vars(event).items())
    return f"{type(event).__name__}({fields})"
