"""Messages about callbacks: how they arrive."""

from __future__ import annotations

from typing import assert_never

from suno_wav_cli import events
from suno_wav_cli.terminal.message import Level, Message
from suno_wav_cli.terminal.tables import printable


def render_callback(event: events.CallbackEvent) -> Message:
    match event:
        case events.Ready(public_url=None):
            because = f"no callbacks ({printable(event.reason)}): " if event.reason else ""
            return Message(text=f"suno-wav: {because}polling every {event.poll_interval:g} s")
        case events.Ready():
            return Message(text=f"suno-wav: callbacks arrive at {event.public_url}", level=Level.DETAIL)
        case events.TunnelOpening():
            return Message(text="suno-wav: opening a public address for callbacks", level=Level.DETAIL)
        case events.AgentDownloading():
            why = printable(event.unfit) if event.unfit else "there is no ngrok agent here"
            return Message(
                text=f"suno-wav: {why}; downloading ngrok's agent from {event.source} to {event.path}"
            )
        case events.AgentDownloaded(expected=True):
            return Message(text=f"suno-wav: the ngrok agent has the expected SHA-256 {event.sha256}")
        case events.AgentDownloaded():
            return Message(
                text=f"suno-wav: the ngrok agent has the SHA-256 {event.sha256}; none is known for this system"
            )
        case events.TunnelUnproven(poll_interval=None):
            return Message(text=f"suno-wav: deliveries may not arrive ({printable(event.reason)})")
        case events.TunnelUnproven():
            return Message(
                text=f"suno-wav: callbacks may not arrive ({printable(event.reason)}): "
                f"polling every {event.poll_interval:g} s meanwhile"
            )
        case events.TunnelLost(poll_interval=None):
            return Message(text=f"suno-wav: {printable(event.reason)}: no deliveries until it is restored")
        case events.TunnelLost():
            return Message(
                text=f"suno-wav: {printable(event.reason)}: polling every {event.poll_interval:g} s"
            )
        case events.TunnelRestored(moved=True):
            return Message(
                text=f"suno-wav: callbacks arrive at another address now, {event.public_url}: "
                "what was submitted before is polled"
            )
        case events.TunnelRestored():
            return Message(text=f"suno-wav: callbacks arrive again at {event.public_url}")
        case events.CallbacksMissing():
            return Message(
                text="suno-wav: songs are finished, and their callbacks have not come: "
                f"polling every {event.poll_interval:g} s"
            )
        case events.LookupsDelayed():
            return Message(
                text=f"suno-wav: {event.tasks} songs wait: each is looked up about every "
                f"{event.seconds:.3g} s, not every {event.poll_interval:g} s"
            )
        case events.CallbackReceived():
            return Message(
                text=f"suno-wav: callback for task {event.task_id}, code {event.code}", level=Level.DETAIL
            )
        case _:
            assert_never(event)
