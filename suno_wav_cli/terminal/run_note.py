"""Takes note of the events of a run. A command without songs need not load what they change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from suno_wav_cli.events.event import group_of

if TYPE_CHECKING:
    from suno_wav_cli.events import Event
    from suno_wav_cli.terminal.run_state import RunState

_OF_RUNS = {"payments", "songs", "callbacks", "deliveries", "ends"}
"""The modules of the events that change the state of a run."""


def take_note(state: RunState, event: Event, now: float) -> None:
    """Change the state of a run as the event says."""
    if group_of(event) in _OF_RUNS:
        from suno_wav_cli.terminal.run_events import apply

        apply(state, event, now)
