"""How long the client waits for an answer. Imports no HTTP library: every start of the program reads it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ApiTiming:
    """Seconds to wait for whole answers: to a `lookup`, and to a `payment`.

    After `slow` seconds, the user is told that the answer to a payment has not come yet; after `notice`
    seconds, that of a lookup which a command does nothing but wait for.
    """

    lookup: float = 60.0
    payment: float = 300.0
    slow: float = 30.0
    notice: float = 2.0
