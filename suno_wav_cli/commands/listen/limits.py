"""The bounds of `listen`. It runs for days, and anyone who knows the path can post."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ListenLimits:
    deliveries: int = 4096
    """Remembered, to recognise those that come again."""

    outbox_files: int = 10_000
    outbox_bytes: int = 200_000_000
    """Deliveries that wait to be forwarded, and those that other runs have left."""

    concurrent_forwards: int = 8
    forward_patience: float = 0.25
    """So many are posted at once, and one that is not answered in so many seconds is not counted."""

    open_forwards: int = 200
    """At most so many wait for their answer."""

    forward_pauses: tuple[float, ...] = (1.0, 5.0, 15.0, 60.0, 300.0)
    """Before what could not be forwarded is tried again."""

    last_forwards: float = 15.0
    """At the end, so many seconds to post what was not posted yet. What is left then is kept."""

    files: int = 10_000
    file_bytes: int = 200_000_000
    """Kept in the folder of `--save`."""

    tasks: int = 4096
    """Remembered, to check no claim twice."""

    unasked_tasks: int = 2000
    """Tasks that strangers may have made up and that wait for their first lookup."""

    unknown_tasks: int = 100
    """At most so many of them are followed after it, if the service does not know them."""

    claims: int = 16
    """Deliveries about one task that wait for the same answer."""

    lookups: int = 150
    trusted_lookups: int = 50
    lookup_seconds: float = 10.0
    """At most so many lookups in so many seconds: of such tasks, and of those that are trusted."""

    refusals: int = 3
    refusal_seconds: float = 60.0
    """For each reason, so many refused requests are shown in so many seconds."""
