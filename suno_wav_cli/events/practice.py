"""The sandbox."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SandboxStarted:
    base_url: str


@dataclass(frozen=True)
class SandboxServing:
    """The sandbox as a command of its own is up. `signed` says whether its callbacks are."""

    base_url: str
    signed: bool


@dataclass(frozen=True)
class SandboxId:
    """One of the audio ids that the sandbox knows."""

    audio_id: str
    about: str


@dataclass(frozen=True)
class RequestServed:
    """One request that the sandbox answered, or one callback that it sent."""

    method: str
    path: str
    status: int
    note: str
