"""What the receiver has refused, shown so that a flood of it fills no screen."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from suno_wav_cli.events.deliveries import DeliveryRefused, RefusalsOmitted

if TYPE_CHECKING:
    from suno_wav_cli.callbacks.refusal import RefusedRequest
    from suno_wav_cli.commands.listen.limits import ListenLimits
    from suno_wav_cli.events import Report


@dataclass(frozen=True, kw_only=True)
class RefusalCount:
    """Refusals for one reason since a moment: how many are shown, and how many are not."""

    shown: int = 0
    omitted: int = 0


def count_refusal(count: RefusalCount, limit: int) -> tuple[RefusalCount, bool]:
    """Count one more. Return whether to show it: the first `limit` are shown."""
    if count.shown < limit:
        return replace(count, shown=count.shown + 1), True
    return replace(count, omitted=count.omitted + 1), False


class RefusalLog:
    """Reports the first refusals of a while for each reason, and then how many more there were."""

    def __init__(self, report: Report, limits: ListenLimits) -> None:
        self._report = report
        self._limits = limits
        self._counts: dict[str, RefusalCount] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def add(self, refused: RefusedRequest) -> None:
        reason = refused.refusal.reason
        if reason not in self._counts:
            loop, seconds = asyncio.get_running_loop(), self._limits.refusal_seconds
            self._timers[reason] = loop.call_later(seconds, self._end, reason)
        count = self._counts.get(reason, RefusalCount())
        self._counts[reason], is_shown = count_refusal(count, self._limits.refusals)
        if is_shown:
            self._report(
                DeliveryRefused(
                    refused_at=time.time(),
                    method=refused.method,
                    path=refused.path,
                    status=refused.refusal.status,
                    reason=reason,
                    remedy=refused.refusal.remedy,
                )
            )

    def close(self) -> None:
        """Report what was not reported yet."""
        for reason in list(self._counts):
            self._end(reason)

    def _end(self, reason: str) -> None:
        self._timers.pop(reason).cancel()
        count = self._counts.pop(reason)
        if count.omitted:
            self._report(
                RefusalsOmitted(reason=reason, count=count.omitted, seconds=self._limits.refusal_seconds)
            )
