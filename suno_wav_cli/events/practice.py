"""The sandbox."""

from __future__ import annotations

from suno_wav_cli.events.event import event


@event
class SandboxStarted:
    base_url: str


@event
class SandboxServing:
    """The sandbox as a command of its own is up. `signed` says whether its callbacks are."""

    base_url: str
    signed: bool


@event
class SandboxId:
    """One of the audio ids that the sandbox knows."""

    audio_id: str
    about: str


@event
class RequestServed:
    """One request that the sandbox answered, or one callback that it sent."""

    method: str
    path: str
    status: int
    note: str
