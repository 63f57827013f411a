"""Callbacks: how they reach the program, what `listen` receives, what `trigger` posts."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from suno_wav_cli.events.event import event

if TYPE_CHECKING:
    from pathlib import Path


@event
class Ready:
    """It is settled how results arrive: by callback, or by polling alone.

    public_url: address for callbacks, without its secret path; null if the program only polls.
    poll_interval: seconds between status checks.
    reason: why there are no callbacks, unless that was asked for.
    """

    public_url: str | None
    poll_interval: float
    reason: str | None


@event
class TunnelOpening:
    """A public address is being opened, which may take seconds."""


@event
class AgentDownloading:
    """The ngrok agent is not installed and is being downloaded.

    source: where from.
    path: where to.
    """

    source: str
    path: Path


@event
class AgentDownloaded:
    """The ngrok agent was downloaded, and works.

    sha256: of the file that was downloaded.
    expected: whether this digest was known before. Without it, only the server's certificate says that
        the file is ngrok's.
    """

    path: Path
    sha256: str
    expected: bool


@event
class TunnelLost:
    """Callbacks cannot arrive for now.

    poll_interval: seconds between status checks meanwhile; null if the program does not poll.
    """

    reason: str
    poll_interval: float | None


@event
class TunnelRestored:
    """Callbacks can arrive again.

    public_url: may differ from the earlier one.
    """

    public_url: str


@event
class CallbacksMissing:
    """The service has finished songs, and their callbacks have not come: the program polls.

    poll_interval: seconds between status checks.
    """

    poll_interval: float


@event
class LookupsDelayed:
    """So many tasks are waited for that `--poll-interval` cannot be kept.

    tasks: how many.
    poll_interval: seconds between status checks that are wanted.
    seconds: between two status checks of a task at present.
    """

    tasks: int
    poll_interval: float
    seconds: float


@event
class CallbackReceived:
    """A callback arrived for `convert` or `resume`, which then check the task.

    task_id: as the callback claims.
    code: as the callback claims.
    """

    task_id: str | None
    code: int | None


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
    callback_url: str
    unverified: bool


@event
class DeliveryReceived:
    """`listen` received a callback.

    number: counts the deliveries of this run, from 1.
    received_at: time of arrival.
    task_id: as the callback claims.
    code: as the callback claims.
    url: as the callback claims; may be a signed URL.
    repeats: number of an earlier delivery with the same claims.
    signature: `valid`, `old`, `invalid` or `missing`; null without a webhook key.
    """

    number: int
    received_at: float
    task_id: str | None
    code: int | None
    url: str | None
    repeats: int | None
    signature: str | None


@event
class DeliveryRecorded:
    """`listen --save`: the delivery was written to a file."""

    number: int
    path: Path


@event
class DeliveryForwarded:
    """`listen --forward-to`: the delivery was forwarded.

    status: HTTP status of the response; null if there was none.
    seconds: until the response.
    problem: why there was no response.
    answer: body of the response.
    """

    number: int
    status: int | None
    seconds: float
    problem: str | None
    answer: str


@event
class DeliveryChecked:
    """The service was asked whether a delivery is true.

    verdict: `confirmed`, `pending`, `contradicted`; or `unconfirmed` if there is no key or no answer.
    flag: the service's own word for the state of the task.
    url: as the service says; may be a signed URL.
    """

    number: int
    task_id: str | None
    verdict: str
    flag: str | None
    url: str | None
    reason: str | None


@event
class DeliveryDropped:
    """There were too many deliveries to work on this one, or it could not be saved."""

    number: int
    reason: str


@event
class CallbackSample:
    """`trigger --list`: a callback that `trigger` can post."""

    name: str
    description: str


@event
class CallbackSending:
    """`trigger` is about to post a callback.

    name: of the sample, or of the recording.
    method: of the HTTP request.
    receiver: address without its path.
    """

    name: str
    method: str
    receiver: str
    task_id: str | None
    signed: bool


@event
class AnswerOverdue:
    """The service would have given up on the receiver; `trigger` still waits.

    seconds: since the callback was posted.
    """

    seconds: float


@event
class CallbackSent:
    """`trigger` posted a callback.

    status: HTTP status of the response; null if there was none.
    seconds: until the response.
    answer: first line of its body.
    received: whether the service would count the callback as received.
    correctly_refused: whether a careful receiver should refuse this callback, and this one did.
    verdict: the result in words.
    """

    status: int | None
    seconds: float
    answer: str
    received: bool
    correctly_refused: bool
    verdict: str


@event
class CallbackRetried:
    """`trigger --retries`: the callback failed and will be posted again.

    seconds: until then.
    """

    seconds: float


CallbackEvent: TypeAlias = (
    Ready
    | TunnelOpening
    | AgentDownloading
    | AgentDownloaded
    | TunnelLost
    | TunnelRestored
    | CallbacksMissing
    | LookupsDelayed
    | CallbackReceived
    | Listening
    | DeliveryReceived
    | DeliveryRecorded
    | DeliveryForwarded
    | DeliveryChecked
    | DeliveryDropped
    | CallbackSample
    | CallbackSending
    | AnswerOverdue
    | CallbackSent
    | CallbackRetried
)
