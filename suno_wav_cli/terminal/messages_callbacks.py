"""Messages about callbacks: how they arrive."""

from __future__ import annotations

from typing import assert_never

from suno_wav_cli.events import callbacks
from suno_wav_cli.terminal.message import Level, Message
from suno_wav_cli.terminal.tables import printable


def render(event: callbacks.CallbackEvent) -> Message:
    match event:
        case callbacks.Ready(public_url=None):
            because = f"no callbacks ({printable(event.reason)}): " if event.reason else ""
            return Message(text=f"suno-wav: {because}polling every {event.poll_interval:g} s")
        case callbacks.Ready():
            return Message(text=f"suno-wav: callbacks arrive at {event.public_url}", level=Level.DETAIL)
        case callbacks.TunnelOpening():
            return Message(text="suno-wav: opening a public address for callbacks", level=Level.DETAIL)
        case callbacks.AgentDownloading():
            why = printable(event.unfit) if event.unfit else "there is no ngrok agent here"
            return Message(
                text=f"suno-wav: {why}; downloading ngrok's agent from {event.source} to {event.path}"
            )
        case callbacks.AgentDownloaded(expected=True):
            return Message(text=f"suno-wav: the ngrok agent has the expected SHA-256 {event.sha256}")
        case callbacks.AgentDownloaded():
            return Message(
                text=f"suno-wav: the ngrok agent has the SHA-256 {event.sha256}; none is known for this system"
            )
        case callbacks.TunnelUnproven(poll_interval=None):
            return Message(text=f"suno-wav: deliveries may not arrive ({printable(event.reason)})")
        case callbacks.TunnelUnproven():
            return Message(
                text=f"suno-wav: callbacks may not arrive ({printable(event.reason)}): "
                f"polling every {event.poll_interval:g} s meanwhile"
            )
        case callbacks.TunnelLost(poll_interval=None):
            return Message(text=f"suno-wav: {printable(event.reason)}: no deliveries until it is restored")
        case callbacks.TunnelLost():
            return Message(
                text=f"suno-wav: {printable(event.reason)}: polling every {event.poll_interval:g} s"
            )
        case callbacks.TunnelRestored(moved=True):
            return Message(
                text=f"suno-wav: callbacks arrive at another address now, {event.public_url}: "
                "what was submitted before is polled"
            )
        case callbacks.TunnelRestored():
            return Message(text=f"suno-wav: callbacks arrive again at {event.public_url}")
        case callbacks.CallbacksMissing():
            return Message(
                text="suno-wav: songs are finished, and their callbacks have not come: "
                f"polling every {event.poll_interval:g} s"
            )
        case callbacks.LookupsDelayed():
            return Message(
                text=f"suno-wav: {event.tasks} songs wait: each is looked up about every "
                f"{event.seconds:.3g} s, not every {event.poll_interval:g} s"
            )
        case callbacks.CallbackReceived():
            return Message(
                text=f"suno-wav: callback for task {event.task_id}, code {event.code}", level=Level.DETAIL
            )
        case _:
            assert_never(event)
