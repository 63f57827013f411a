"""Callbacks that `trigger` posts, and what it thinks of the answers."""

from __future__ import annotations

from typing import TypeAlias

from suno_wav_cli.events.event import event


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


TriggerEvent: TypeAlias = CallbackSample | CallbackSending | AnswerOverdue | CallbackSent | CallbackRetried
