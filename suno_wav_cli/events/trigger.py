"""Callbacks that `trigger` posts, and what it thinks of the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from suno_wav_cli.events.event import event, not_logged

if TYPE_CHECKING:
    from pathlib import Path


@event
class CallbackSample:
    """`trigger --list`: a callback that `trigger` can post."""

    name: str
    description: str


@event
class AddressNoted:
    """The service could not post to the address that `trigger` posts to, or advises against it.

    receiver: address without its path.
    """

    receiver: str
    reason: str


@event
class CallbackSending:
    """`trigger` is about to post a callback.

    name: of the sample, or of the recording.
    method: of the HTTP request.
    receiver: address without its path.
    of: how many callbacks this run posts.
    """

    name: str
    method: str
    receiver: str
    task_id: str | None
    signed: bool
    of: int


@event
class AnswerOverdue:
    """The service would have given up on the receiver; `trigger` still waits.

    seconds: since the callback was posted.
    """

    seconds: float


@event
class CallbackSent:
    """`trigger` posted a callback.

    name: of the sample, or of the recording.
    of: how many callbacks this run posts.
    status: HTTP status of the response; null if there was none.
    seconds: until the response.
    answer: what its body says, up to 200 characters: the title and `<pre>` of a page, the message of JSON.
    received: whether the service would count the callback as received.
    correctly_refused: whether a careful receiver should refuse this callback, and this one did.
    verdict: the result in words.
    """

    name: str
    of: int
    status: int | None
    seconds: float
    answer: str
    received: bool
    correctly_refused: bool
    verdict: str


@event
class AnswerBody:
    """The body of the response, if it is more than `callback_sent` says of it.

    text: its first 4 KiB.
    """

    text: str


@event
class FilesOffered:
    """`trigger --serve` offers a WAV for each callback.

    base_url: where it does, on this machine.
    """

    base_url: str


@event
class FileFetched:
    """`trigger --serve`: what the receiver made of the file that a callback named.

    name: of the sample.
    of: how many callbacks this run posts.
    whole: whether all of it was fetched.
    before_answer: whether the receiver gave no answer until it had the file.
    bytes: how many different ones were fetched.
    size: of the file.
    requests: how many there were for it.
    seconds: from the answer to the last byte, negative if that was earlier; null if it was not fetched whole.
    verdict: the result in words.
    """

    name: str
    of: int
    whole: bool
    before_answer: bool
    bytes: int
    size: int
    requests: int
    seconds: float | None
    verdict: str


@event
class MistakeFound:
    """`trigger --event all` or `--serve`: the receiver makes one of the classic mistakes.

    mistake: `downloads-first`, `fails-without-data`, `fails-on-failure`, `one-spelling`, `not-idempotent` or
        `no-sender-check`.
    text: what it does, in words.
    """

    mistake: str
    text: str
    remedy: str


@event
class RecordingSkipped:
    """`trigger --from FOLDER`: a file cannot be posted."""

    path: Path
    reason: str


@event
class CallbacksPosted:
    """`trigger` has posted every sample, or what is in a folder.

    good: how many were answered as they must be.
    failed: how many the service would count as failed.
    skipped: how many files could not be read.
    left: how many were not posted, because the receiver did not answer.
    """

    good: int
    failed: int
    skipped: int
    left: int


@event
class SignatureVerified:
    """`trigger --verify`: a kept delivery's signature was held against the webhook key.

    name: of the file.
    signature: `valid`, `old`, `future`, `invalid` or `missing`, at the time at which it came.
    signed_text: what the service signs; null if the delivery lacks a part of it.
    expected: the service's signature of that; hidden in the log file.
    received: the signature that came.
    mistakes: what was done otherwise than the service does it, as far as that can be told.
    """

    name: str
    task_id: str | None
    signature: str
    signed_text: str | None
    expected: str | None = not_logged()
    received: str | None
    mistakes: tuple[str, ...]


@event
class CallbackRetried:
    """`trigger --retries`: the callback failed and will be posted again.

    seconds: until then.
    """

    seconds: float


TriggerEvent: TypeAlias = (
    CallbackSample
    | AddressNoted
    | CallbackSending
    | AnswerOverdue
    | CallbackSent
    | AnswerBody
    | FilesOffered
    | FileFetched
    | MistakeFound
    | RecordingSkipped
    | CallbacksPosted
    | SignatureVerified
    | CallbackRetried
)
