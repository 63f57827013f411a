"""What is paid for: the plan, the paid requests, and what is known of earlier ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from suno_wav_cli.events.event import event

if TYPE_CHECKING:
    from decimal import Decimal
    from pathlib import Path


@event
class LineRefused:
    """`--from-file`: a line cannot be read. Reported for the first 20; then nothing is paid for.

    source: the list's name.
    message: what is wrong with the line.
    """

    source: str
    line: int
    message: str


@event
class ListEmpty:
    """`--from-file`: the list names no song, so there is nothing to do.

    source: the list's name.
    """

    source: str


@event
class RoomShort:
    """The disk may have no room for all songs. The downloads go on while there is room, and then wait.

    folder: where the songs are to be saved.
    free: bytes that are free there.
    needed: bytes that the songs may need, 50 MB each.
    """

    folder: Path
    free: int
    needed: int


@event
class Planned:
    """`--dry-run`: what `convert` would do with a song.

    path: where the file would be saved.
    action: `there` or `continue`, which are free; `submit`, which is paid for; or `unknown`, `failed`
        or `forgotten`, which need a decision: the song was, or may have been, paid for before, and is
        only looked up once more.
    price: in credits; 0 unless the song would be submitted.
    """

    audio_id: str
    path: Path
    action: str
    price: Decimal


@event
class WavNamedOtherwise:
    """`--out` is the name of another format. The file will be a WAV all the same.

    out: as it was given.
    """

    out: str


@event
class UnusualIds:
    """Some songs to be paid for have ids that are not UUIDs, which the ids of songs usually are.

    audio_ids: these ids.
    """

    audio_ids: tuple[str, ...]


@event
class Quoted:
    """The cost of what is about to be submitted is known.

    submissions: number of songs to pay for.
    price: of all of them, in credits.
    balance: credits left; null if unknown.
    reason: why the balance is unknown.
    refusal: with `--dry-run`, why the songs would not be submitted.
    """

    submissions: int
    price: Decimal
    balance: Decimal | None
    reason: str | None
    refusal: str | None


@event
class RunBegun:
    """The work on the songs begins.

    songs: all songs of the run.
    there: those whose files are there already.
    submissions: those that are to be paid for.
    price: of these, in credits.
    balance: credits left before; null if unknown.
    """

    songs: int
    there: int
    submissions: int
    price: Decimal
    balance: Decimal | None


@event
class SubmissionScheduled:
    """The next song has to wait until the service takes another submission.

    seconds: until then.
    """

    seconds: float


@event
class SubmissionsPaused:
    """No song is submitted for a while. What is paid for goes on.

    seconds: until the service is tried again.
    """

    reason: str
    seconds: float


@event
class SubmissionsResumed:
    """The service takes submissions again."""


@event
class SubmissionsStopped:
    """Nothing more is submitted in this run. What is paid for is finished.

    not_begun: songs that were to be paid for, and of which nothing was sent.
    price: of these, in credits.
    """

    reason: str
    not_begun: int
    price: Decimal


@event
class Submitting:
    """The paid request is about to be sent."""

    audio_id: str
    title: str | None


@event
class SubmissionDelayed:
    """The service certainly did not accept the request; it will be sent again.

    seconds: until then.
    """

    audio_id: str
    reason: str
    seconds: float


@event
class AnswerAwaited:
    """The answer to the paid request takes long, and the program goes on waiting for it."""

    audio_id: str


@event
class AnswerKept:
    """The answer to the paid request was not understood. The journal keeps it.

    answer: its beginning, without secrets.
    """

    audio_id: str
    answer: str


@event
class OtherRunAwaited:
    """Another program is submitting the song, or `downloading` its file. This one waits for that."""

    audio_id: str
    downloading: bool = False


@event
class OtherSongNamed:
    """The service's record names a song that is neither this one nor another known one.

    named: the id in the record.
    """

    audio_id: str
    task_id: str
    named: str


@event
class Submitted:
    """The service accepted the song."""

    audio_id: str
    task_id: str


@event
class Resumed:
    """The song was paid for before, and its task is continued."""

    audio_id: str
    title: str | None
    task_id: str
    reason: str


@event
class JournalRestored:
    """The journal's file vanished during the run. Its content was written again.

    task_ids: tasks of this run that are paid for and not saved.
    """

    path: Path
    task_ids: tuple[str, ...]


PaymentEvent: TypeAlias = (
    LineRefused
    | ListEmpty
    | RoomShort
    | Planned
    | UnusualIds
    | WavNamedOtherwise
    | Quoted
    | RunBegun
    | SubmissionScheduled
    | SubmissionsPaused
    | SubmissionsResumed
    | SubmissionsStopped
    | Submitting
    | SubmissionDelayed
    | AnswerAwaited
    | AnswerKept
    | OtherRunAwaited
    | OtherSongNamed
    | Submitted
    | Resumed
    | JournalRestored
)
