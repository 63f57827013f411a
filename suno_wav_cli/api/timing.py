"""How long the client waits for an answer. Imports no HTTP library: every start of the program reads it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ApiTiming:
    """Seconds to wait for whole answers: to a `lookup`, and to a `payment`.

    A payment is `slow` when it has to be said that its answer is still waited for.
    """

    lookup: float = 60.0
    payment: float = 300.0
    slow: float = 30.0
