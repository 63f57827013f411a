"""What the core reports while it works. Who shows it, and how, is not its business.

No event carries a key or a token, and only `Listening` the path that callbacks arrive on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from suno_wav_cli.models import WavFormat, WavRecord


@dataclass(frozen=True)
class SandboxStarted:
    base_url: str


@dataclass(frozen=True)
class Ready:
    """How results will be heard of.

    `public_url` is the address without its secret path, or None where the program polls, with the `reason` unless
    that was asked for.
    """

    public_url: str | None
    poll_interval: float
    reason: str | None


@dataclass(frozen=True)
class TunnelOpening:
    """A way for callbacks is being opened, which may take seconds."""


@dataclass(frozen=True)
class AgentDownloading:
    """There is no ngrok agent on this machine, and so it is fetched from `source` to `path`."""

    source: str
    path: Path


@dataclass(frozen=True)
class TunnelLost:
    """Callbacks cannot arrive for now. The service is asked every `poll_interval` seconds; None where nobody asks."""

    reason: str
    poll_interval: float | None


@dataclass(frozen=True)
class TunnelRestored:
    public_url: str


@dataclass(frozen=True)
class Submitting:
    """The paid request is about to leave."""

    audio_id: str


@dataclass(frozen=True)
class SubmissionDelayed:
    audio_id: str
    reason: str
    seconds: float


@dataclass(frozen=True)
class Submitted:
    audio_id: str
    task_id: str


@dataclass(frozen=True)
class Adopted:
    """A conversion that was paid for before, and is continued."""

    audio_id: str
    task_id: str
    reason: str


@dataclass(frozen=True)
class CallbackReceived:
    """`task_id` and `code` as the callback claims them."""

    task_id: str | None
    code: int | None


@dataclass(frozen=True)
class Listening:
    """`listen` accepts deliveries. `callback_url` is what to give to the service, secret path included.

    `public_url` is the address without the path, or None where only this machine reaches it, with the `reason` unless
    that was asked for.
    """

    local_url: str
    public_url: str | None
    reason: str | None
    callback_url: str


@dataclass(frozen=True)
class DeliveryReceived:
    """A callback came, the `number`-th of this run, and what it claims. `received` is in seconds since 1970.

    `repeats` is the number of an earlier one that claimed the same; `signature` is None where there is no key.
    """

    number: int
    received: float
    task_id: str | None
    code: int | None
    url: str | None
    repeats: int | None
    signature: str | None


@dataclass(frozen=True)
class DeliveryRecorded:
    number: int
    path: Path


@dataclass(frozen=True)
class DeliveryForwarded:
    """What the person's own receiver answered; `status` is None where it did not, for the reason in `problem`."""

    number: int
    status: int | None
    seconds: float
    problem: str | None
    answer: str


@dataclass(frozen=True)
class DeliveryChecked:
    """What the service says of it: *confirmed*, *pending*, *contradicted*; or *unconfirmed*, with the reason."""

    number: int
    task_id: str | None
    verdict: str
    flag: str | None
    url: str | None
    reason: str | None


@dataclass(frozen=True)
class DeliveryNeglected:
    """Too much was going on for this delivery to be worked on, or it could not be kept."""

    number: int
    reason: str


@dataclass(frozen=True)
class LookedUp:
    audio_id: str
    record: WavRecord


@dataclass(frozen=True)
class LookupFailed:
    audio_id: str
    task_id: str
    message: str


@dataclass(frozen=True)
class DownloadStarted:
    audio_id: str
    task_id: str
    path: Path


@dataclass(frozen=True)
class DownloadProgress:
    """`total` is None where the server does not say it."""

    audio_id: str
    received: int
    total: int | None


@dataclass(frozen=True)
class DownloadRetried:
    audio_id: str
    reason: str
    seconds: float


@dataclass(frozen=True)
class Saved:
    audio_id: str
    task_id: str
    path: Path
    bytes: int
    format: WavFormat


@dataclass(frozen=True)
class Skipped:
    """The file is there already, and nothing was paid for."""

    audio_id: str
    path: Path


@dataclass(frozen=True)
class LeftRunning:
    """Submitted, and not waited for. The service keeps the file `kept_days`."""

    audio_id: str
    task_id: str
    kept_days: int
    continue_with: str


@dataclass(frozen=True)
class SongFailed:
    audio_id: str
    task_id: str | None
    exit_code: int
    message: str
    remedy: str


@dataclass(frozen=True)
class TaskStatus:
    """The service's record beside what the journal adds. `audio_id` is the task's where the song is not known."""

    audio_id: str
    record: WavRecord
    journal_state: str | None
    target: Path | None


@dataclass(frozen=True)
class Summary:
    """What was asked for against what was got; the last four add up to the first. `unfinished` go on at the service."""

    requested: int
    saved: int
    skipped: int
    failed: int
    unfinished: int


@dataclass(frozen=True)
class Interrupted:
    """`continue_with` is the command line that finishes what was begun, None where there is nothing to finish."""

    signal: str
    continue_with: str | None


@dataclass(frozen=True)
class Failed:
    """The command as a whole could not be done."""

    exit_code: int
    message: str
    remedy: str


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


@dataclass(frozen=True)
class CallbackKind:
    """One of the callbacks that `trigger` can post."""

    name: str
    about: str


@dataclass(frozen=True)
class Delivering:
    """A callback is about to be posted. `to` is the receiver's address without its path."""

    name: str
    method: str
    to: str
    task_id: str | None
    signed: bool


@dataclass(frozen=True)
class AnswerOverdue:
    """The service would have given up by now; the answer is waited for all the same."""

    seconds: float


@dataclass(frozen=True)
class Delivered:
    """What came back: `answer` is the first line of its body, `received` is how the service would count it.

    `status` is None where there was no HTTP answer; `refused_rightly` where a careful receiver takes no such callback.
    """

    status: int | None
    seconds: float
    answer: str
    received: bool
    refused_rightly: bool
    verdict: str


@dataclass(frozen=True)
class DeliveryDelayed:
    """The callback failed, and is posted again in so many seconds."""

    seconds: float


Event: TypeAlias = (
    SandboxStarted
    | TunnelOpening
    | AgentDownloading
    | TunnelLost
    | TunnelRestored
    | Ready
    | Submitting
    | SubmissionDelayed
    | Submitted
    | Adopted
    | CallbackReceived
    | Listening
    | DeliveryReceived
    | DeliveryRecorded
    | DeliveryForwarded
    | DeliveryChecked
    | DeliveryNeglected
    | LookedUp
    | LookupFailed
    | DownloadStarted
    | DownloadProgress
    | DownloadRetried
    | Saved
    | Skipped
    | LeftRunning
    | SongFailed
    | TaskStatus
    | Summary
    | Interrupted
    | Failed
    | SandboxServing
    | SandboxId
    | RequestServed
    | CallbackKind
    | Delivering
    | AnswerOverdue
    | Delivered
    | DeliveryDelayed
)

Report: TypeAlias = "Callable[[Event], None]"
