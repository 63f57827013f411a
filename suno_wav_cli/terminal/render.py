"""The words for every event."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from suno_wav_cli.events.event import group_of
from suno_wav_cli.terminal.queries import for_people

if TYPE_CHECKING:
    from suno_wav_cli.events import Event
    from suno_wav_cli.terminal.message import Message


def render(event: Event) -> Message:
    """Put an event into words. Text of others loses what could control a terminal, addresses their queries.

    The words for the events of `events/songs.py` are in `messages_songs.py`, and so on: a run loads
    those of the events that it reports.
    """
    messages = import_module(f"suno_wav_cli.terminal.messages_{group_of(event)}")
    message: Message = messages.render(for_people(event))
    return message
