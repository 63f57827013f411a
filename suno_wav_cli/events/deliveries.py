"""Callbacks for themselves: those that `listen` takes, and those that `trigger` and the sandbox post."""

from __future__ import annotations

from typing import TYPE_CHECKING

from suno_wav_cli.events.event import event

if TYPE_CHECKING:
    from pathlib import Path


@event
class Listening:
    """`listen` accepts deliveries. `callback_url` is what to give to the service, secret path included.

    `public_url` is the address without the path, or None where only this machine reaches it, with the `reason` unless
    that was asked for. `unverified` says that the provider can sign its callbacks, and that there is no key to tell by.
    """

    local_url: str
    public_url: str | None
    reason: str | None
    callback_url: str
    unverified: bool


@event
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


@event
class DeliveryRecorded:
    number: int
    path: Path


@event
class DeliveryForwarded:
    """What the person's own receiver answered; `status` is None where it did not, for the reason in `problem`."""

    number: int
    status: int | None
    seconds: float
    problem: str | None
    answer: str


@event
class DeliveryChecked:
    """What the service says of it: *confirmed*, *pending*, *contradicted*; or *unconfirmed*, with the reason."""

    number: int
    task_id: str | None
    verdict: str
    flag: str | None
    url: str | None
    reason: str | None


@event
class DeliveryDropped:
    """Too much was going on for this delivery to be worked on, or it could not be kept."""

    number: int
    reason: str


@event
class CallbackKind:
    """One of the callbacks that `trigger` can post."""

    name: str
    about: str


@event
class Delivering:
    """A callback is about to be posted. `to` is the receiver's address without its path."""

    name: str
    method: str
    to: str
    task_id: str | None
    signed: bool


@event
class AnswerOverdue:
    """The service would have given up by now; the answer is waited for all the same."""

    seconds: float


@event
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


@event
class DeliveryDelayed:
    """The callback failed, and is posted again in so many seconds."""

    seconds: float
