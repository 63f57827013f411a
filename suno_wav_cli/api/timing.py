"""How long the client waits for an answer. Imports no HTTP library: every start of the program reads it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ApiTiming:
    """Seconds to wait for whole answers: to a `lookup`, and to a `payment`.

    After `slow` seconds, the user is told that the answer to a payment has not come yet.
    """

    lookup: float = 60.0
    payment: float = 300.0
    slow: float = 30.0
