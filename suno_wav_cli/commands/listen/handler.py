"""What happens to a delivery once it was acknowledged: numbered, recognised, kept, passed on, checked.

Runs for days, and stands on the internet: whatever is remembered or under way has a bound.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from suno_wav_cli import events
from suno_wav_cli.callbacks.recording import RecordedCallback
from suno_wav_cli.callbacks.sender import ANSWER_SECONDS, CallbackRequest, deliver, end_to_end
from suno_wav_cli.callbacks.signature import Signature, verify
from suno_wav_cli.callbacks.verification import Verdict
from suno_wav_cli.commands.listen.archive import DeliveryArchive
from suno_wav_cli.commands.listen.verifier import CallbackVerifier
from suno_wav_cli.system.bounded_dict import BoundedDict
from suno_wav_cli.system.task_pool import TaskPool

if TYPE_CHECKING:
    import ssl
    from pathlib import Path

    from suno_wav_cli.callbacks.payload import Callback, ReceivedCallback
    from suno_wav_cli.commands.listen.verifier import Service
    from suno_wav_cli.events import Report
    from suno_wav_cli.models import Secret

_MOST_REMEMBERED = 4096
_MOST_FORWARDS = 256
_FORWARDS_AT_ONCE = 8
_LONGEST_ANSWER = 1000


@dataclass(frozen=True, kw_only=True)
class ListenOptions:
    """What the person asked for."""

    hmac_key: Secret | None
    forward_to: str | None
    save: Path | None
    max_events: int | None


class DeliveryHandler:
    """Takes deliveries. `over` is done when `max_events` have come, or raises the first bug.

    `service` is None where there is no API key.
    """

    def __init__(
        self, wishes: ListenOptions, service: Service | None, tls: ssl.SSLContext, report: Report
    ) -> None:
        self._wishes = wishes
        self._tls = tls
        self._report = report
        self._crew = TaskPool()
        self._inquiries = CallbackVerifier(service, self._crew, report) if service else None
        self._shelf = DeliveryArchive(wishes.save) if wishes.save else None
        self._numbers: BoundedDict[bytes, int] = BoundedDict(_MOST_REMEMBERED)
        self._forwards = asyncio.Semaphore(_FORWARDS_AT_ONCE)
        self._forwards_waiting = 0
        self._count = 0
        self.over = self._crew.over

    async def deliver(self, delivery: ReceivedCallback) -> None:
        """Begin the work on a delivery. Returns at once."""
        if self.over.done():
            return
        self._count += 1
        number, callback, now = self._count, delivery.callback, time.time()
        repeats = self._numbers.get(callback.digest)
        self._numbers[callback.digest] = repeats or number
        key = self._wishes.hmac_key
        signature = verify(key, callback.task_id, delivery.headers, now) if key else None
        self._report(
            events.DeliveryReceived(
                number=number,
                received_at=now,
                task_id=callback.task_id,
                code=callback.code,
                url=callback.url,
                repeats=repeats,
                signature=signature,
            )
        )
        self._keep(number, RecordedCallback(received=now, headers=delivery.headers, body=delivery.body))
        self._forward(number, delivery)
        self._check(number, callback, signature)
        if self._count == self._wishes.max_events:
            self.over.set_result(None)

    async def finish(self) -> None:
        """Wait for what is under way."""
        if self._inquiries is not None:
            self._inquiries.leave()
        await self._crew.finish()

    def cancel(self) -> None:
        """Drop what is under way."""
        self._crew.cancel()

    def _keep(self, number: int, recording: RecordedCallback) -> None:
        if self._shelf is None:
            return
        try:
            self._report(events.DeliveryRecorded(number=number, path=self._shelf.keep(number, recording)))
        except OSError as error:
            self._report(events.DeliveryDropped(number=number, reason=f"it cannot be kept: {error.strerror}"))

    def _check(self, number: int, callback: Callback, signature: Signature | None) -> None:
        reason = None
        if self._inquiries is None:
            reason = "there is no API key"
        elif signature in (Signature.INVALID, Signature.MISSING):
            # Strangers cannot make the program ask then.
            reason = "it is not signed with your webhook key"
        else:
            self._inquiries.begin(number, callback)
        if reason is not None:
            self._report(
                events.DeliveryChecked(
                    number=number,
                    task_id=callback.task_id,
                    verdict=Verdict.UNCONFIRMED,
                    flag=None,
                    url=None,
                    reason=reason,
                )
            )

    def _forward(self, number: int, delivery: ReceivedCallback) -> None:
        if self._wishes.forward_to is None:
            return
        if self._forwards_waiting == _MOST_FORWARDS:
            self._report(events.DeliveryDropped(number=number, reason="too many wait to be forwarded"))
            return
        self._forwards_waiting += 1
        self._crew.start(self._forwarded(number, delivery, self._wishes.forward_to))

    async def _forwarded(self, number: int, delivery: ReceivedCallback, url: str) -> None:
        """Pass it on: the same headers and the same bytes, and as long to answer as the service gives."""
        outgoing = CallbackRequest(body=delivery.body, headers=end_to_end(delivery.headers))
        try:
            async with self._forwards:
                answer = await deliver(outgoing, url, ANSWER_SECONDS, self._tls)
        finally:
            self._forwards_waiting -= 1
        problem = f"{answer.problem} {answer.detail}".strip() if answer.problem else None
        text = answer.body.decode("utf-8", "replace")[:_LONGEST_ANSWER]
        self._report(
            events.DeliveryForwarded(
                number=number, status=answer.status, seconds=answer.seconds, problem=problem, answer=text
            )
        )
