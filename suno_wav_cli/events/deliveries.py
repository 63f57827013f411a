"""Deliveries: what `listen` receives, and what becomes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from suno_wav_cli.events.event import event, not_logged

if TYPE_CHECKING:
    from pathlib import Path


@event
class Listening:
    """`listen` accepts deliveries.

    local_url: address of the receiver on this machine.
    public_url: address without the path; null if only this machine can reach it.
    reason: why there is no public address, unless that was asked for.
    callback_url: the address to give to the service, secret path included; hidden in the log file.
    unverified: whether the provider can sign callbacks, but there is no webhook key to check with.
    """

    local_url: str
    public_url: str | None
    reason: str | None
    callback_url: str = not_logged()
    unverified: bool


@event
class DeliveryReceived:
    """`listen` received a callback.

    number: counts the deliveries of this run, from 1.
    received_at: time of arrival.
    task_id: as the callback claims.
    code: as the callback claims.
    url: as the callback claims; may be a signed URL.
    message: why the conversion failed, as the callback claims; null unless it claims a failure.
    content_type: media type of the delivery, if it is not that of JSON; empty if there is none.
    repeats: number of an earlier delivery with the same body.
    signature: `valid`, `old`, `future`, `invalid` or `missing`; null without a webhook key.
    signature_reason: what is wrong with an invalid signature, if that can be told; how old another one is.
    """

    number: int
    received_at: float
    task_id: str | None
    code: int | None
    url: str | None
    message: str | None
    content_type: str | None
    repeats: int | None
    signature: str | None
    signature_reason: str | None


@event
class DeliveryRefused:
    """`listen` refused a request that is not a callback. Reported a few times a minute for each reason.

    refused_at: time of the refusal.
    method: of the HTTP request; null for what is not HTTP.
    path: of the request, without what may be secret; null for what is not HTTP.
    status: HTTP status of the answer.
    """

    refused_at: float
    method: str | None
    path: str | None
    status: int
    reason: str
    remedy: str


@event
class RefusalsOmitted:
    """`listen` refused more requests for the same reason than it reports.

    count: how many were not reported.
    seconds: within this time.
    """

    reason: str
    count: int
    seconds: float


@event
class DeliveryRecorded:
    """`listen --save`: the delivery was written to a file."""

    number: int
    path: Path


@event
class DeliveryForwarded:
    """`listen --forward-to`: the delivery was posted to that address, which may happen several times.

    While that address refuses connections, one delivery is posted again and again, and the others wait
    in their files: nothing is reported for them until they are posted, or by `deliveries_kept` at the end.

    status: HTTP status of the response; null if there was none.
    seconds: until the response.
    problem: why there was no response.
    answer: body of the response.
    retry_in: seconds until it is posted again; null if it is not.
    """

    number: int
    status: int | None
    seconds: float
    problem: str | None
    answer: str
    retry_in: float | None


@event
class DeliveriesKept:
    """`listen --forward-to`: deliveries were acknowledged and could not be forwarded. They are kept.

    Reported at the end, and at the beginning for each folder of an earlier run that has ended.

    count: how many.
    folder: for `trigger --from FOLDER URL`, which posts them.
    earlier: whether an earlier run has left them.
    """

    count: int
    folder: Path
    earlier: bool


@event
class DeliveryChecked:
    """The service was asked whether a delivery is true.

    verdict: `confirmed`, `pending`, `contradicted`; or `unconfirmed` if there is no key or no answer.
    flag: the service's own word for the state of the task.
    url: as the service says; may be a signed URL.
    claimed_url: as the callback says, if the service cannot be asked; may be a signed URL.
    """

    number: int
    task_id: str | None
    verdict: str
    flag: str | None
    url: str | None
    claimed_url: str | None
    reason: str | None


@event
class DeliveryDropped:
    """There were too many deliveries to work on this one before the end, or it could not be saved."""

    number: int
    reason: str


DeliveryEvent: TypeAlias = (
    Listening
    | DeliveryReceived
    | DeliveryRefused
    | RefusalsOmitted
    | DeliveryRecorded
    | DeliveryForwarded
    | DeliveriesKept
    | DeliveryChecked
    | DeliveryDropped
)
