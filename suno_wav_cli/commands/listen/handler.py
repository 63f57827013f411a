"""What happens to an acknowledged delivery: it is numbered, saved, forwarded and checked."""

from __future__ import annotations

import time
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from suno_wav_cli.callbacks.confirmation import Verdict
from suno_wav_cli.callbacks.recording import RecordedCallback
from suno_wav_cli.callbacks.signature import Signature, check_signature
from suno_wav_cli.commands.listen.archive import DeliveryArchive
from suno_wav_cli.commands.listen.awaited import Arrivals, has_all_come
from suno_wav_cli.commands.listen.verifier import CallbackVerifier
from suno_wav_cli.events import deliveries
from suno_wav_cli.system.bounded_dict import BoundedDict
from suno_wav_cli.system.task_pool import TaskPool

if TYPE_CHECKING:
    from pathlib import Path

    from suno_wav_cli.callbacks.payload import Callback, ReceivedCallback
    from suno_wav_cli.callbacks.signature import SignatureCheck
    from suno_wav_cli.commands.listen.awaited import Awaited
    from suno_wav_cli.commands.listen.forwarder import Forwarder
    from suno_wav_cli.commands.listen.limits import ListenLimits
    from suno_wav_cli.commands.listen.verifier import Service
    from suno_wav_cli.events import Report
    from suno_wav_cli.models import Secret


@dataclass(frozen=True, kw_only=True)
class ListenOptions:
    """What the person asked for."""

    hmac_key: Secret | None
    save: Path | None
    awaited: Awaited


class DeliveryHandler:
    """Handles deliveries. `over` is done when all has come that is awaited, or raises the first bug.

    `service` is None without an API key, and `forwarder` if nothing is forwarded.
    """

    def __init__(
        self,
        options: ListenOptions,
        service: Service | None,
        forwarder: Forwarder | None,
        report: Report,
        limits: ListenLimits,
    ) -> None:
        self._options = options
        self._forwarder = forwarder
        self._report = report
        self._pool = TaskPool()
        self._verifier = (
            CallbackVerifier(service, self._pool, report, limits, self._note_genuine) if service else None
        )
        self._archive = DeliveryArchive(options.save, limits) if options.save else None
        self._numbers: BoundedDict[bytes, int] = BoundedDict(limits.deliveries)
        is_unverifiable = service is None and options.hmac_key is None
        self.arrivals = Arrivals(counts_all=is_unverifiable)
        self.over = self._pool.over

    async def handle(self, delivery: ReceivedCallback) -> None:
        """Begin the work on a delivery. Return at once."""
        if self.over.done():
            return
        self.arrivals.received += 1
        number, callback, now = self.arrivals.received, delivery.callback, time.time()
        digest = sha256(delivery.body).digest()
        repeats = self._numbers.get(digest)
        self._numbers[digest] = repeats or number
        key = self._options.hmac_key
        checked = (
            check_signature(key, callback.task_id, delivery.headers, delivery.body, now) if key else None
        )
        signature = checked.signature if checked else None
        self._report(
            deliveries.DeliveryReceived(
                number=number,
                received_at=now,
                task_id=callback.task_id,
                code=callback.code,
                url=callback.url,
                message=callback.message,
                content_type=delivery.content_type,
                repeats=repeats,
                signature=signature,
                signature_reason=_explain(checked),
            )
        )
        self._keep(number, RecordedCallback(received=now, headers=delivery.headers, body=delivery.body))
        if self._forwarder is not None and delivery.kept is not None:
            self._pool.start(self._forwarder.forward(number, delivery.kept))
        self._check(number, callback, signature)
        if self._verifier is None and callback.task_id and signature in (None, Signature.VALID):
            self.arrivals.note_genuine(callback.task_id, self._options.awaited)
        self._end_if_all_has_come()

    def count_all(self) -> None:
        """Count each delivery from now on, and those before: only this machine reaches the receiver."""
        self.arrivals.counts_all = True
        self._end_if_all_has_come()

    async def finish(self) -> None:
        """Wait for the work that has begun."""
        if self._verifier is not None:
            awaits_task = self._options.awaited.task_id is not None
            self._verifier.stop_asking(all_count=self.arrivals.counts_all and not awaits_task)
        if self._forwarder is not None:
            self._forwarder.stop_retrying()
        await self._pool.finish()

    async def cancel(self) -> None:
        """Drop the work that has begun. A download notes first what another run can continue from."""
        await self._pool.cancel()

    def _note_genuine(self, task_id: str) -> None:
        self.arrivals.note_genuine(task_id, self._options.awaited)
        self._end_if_all_has_come()

    def _end_if_all_has_come(self) -> None:
        if has_all_come(self._options.awaited, self.arrivals) and not self.over.done():
            self.over.set_result(None)

    def _keep(self, number: int, recording: RecordedCallback) -> None:
        if self._archive is None:
            return
        try:
            self._report(
                deliveries.DeliveryRecorded(number=number, path=self._archive.keep(number, recording))
            )
        except OSError as error:
            self._report(
                deliveries.DeliveryDropped(number=number, reason=f"cannot be saved: {error.strerror}")
            )

    def _check(self, number: int, callback: Callback, signature: Signature | None) -> None:
        if self._verifier is None:
            reason = "there is no API key"
        elif signature in (Signature.INVALID, Signature.MISSING):
            # So strangers cannot make the program ask.
            reason = "it is not signed with your webhook key"
        else:
            self._verifier.check(number, callback, signed=signature is Signature.VALID)
            return
        self._report(
            deliveries.DeliveryChecked(
                number=number,
                task_id=callback.task_id,
                verdict=Verdict.UNCONFIRMED,
                flag=None,
                url=None,
                claimed_url=None if self._verifier else callback.url,
                reason=reason,
            )
        )


def _explain(checked: SignatureCheck | None) -> str | None:
    """Say what is wrong with a signature. That there is none says enough."""
    if checked is None or checked.signature is Signature.MISSING:
        return None
    return "; ".join(checked.mistakes) or None
