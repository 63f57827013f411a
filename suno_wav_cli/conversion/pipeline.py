"""One song and many: submit, wait, download.

A failed song is a value: it never cancels another.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from suno_wav_cli.conversion.identity import check_identity
from suno_wav_cli.conversion.outcome import Outcome, report_failure
from suno_wav_cli.conversion.plan import Action
from suno_wav_cli.conversion.resume_hint import describe_command
from suno_wav_cli.conversion.save import save
from suno_wav_cli.conversion.wait import wait_for
from suno_wav_cli.download.part_file import remove_empty_part
from suno_wav_cli.errors import GenerationFailed, JournalUnusable, SunoWavError, TaskForgotten
from suno_wav_cli.events import Detached, Skipped
from suno_wav_cli.journal.entry import State

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence
    from pathlib import Path

    from suno_wav_cli.conversion.context import ConversionContext
    from suno_wav_cli.conversion.plan import Job
    from suno_wav_cli.conversion.prior import Accepted
    from suno_wav_cli.conversion.submit import Submitter
    from suno_wav_cli.conversion.wait import TimeLimit
    from suno_wav_cli.journal.entry import JournalEntry
    from suno_wav_cli.models import WavRecord

T = TypeVar("T")

_BEGINNING = 64
"""Songs between their start and the answer to their submission, or with their turn to come."""


async def convert_all(
    context: ConversionContext,
    plan: Sequence[Job],
    submitter: Submitter,
    outcomes: list[Outcome],
    *,
    wait: bool,
) -> None:
    """Do every job, and keep in `outcomes` what has become of it so far.

    Trouble is reported, and is its song's alone. Raise JournalUnusable: no song can go on then.
    """
    for job in plan:
        if job.action is Action.THERE:
            remove_empty_part(job.target)
            context.report(
                Skipped(audio_id=job.song.audio_id, path=job.target, tags_wanted=context.settings.tag)
            )

    async def convert_one(index: int, begun: Callable[[], None]) -> None:
        job, task_id = plan[index], None
        try:
            accepted = await submitter.accept(job)
            begun()
            task_id = accepted.entry.wav_task_id
            # Known from here on, however the run ends.
            outcomes[index] = Outcome(task_id=task_id)
            if wait:
                song = finish_accepted(context, accepted, job.target)
                # Thousands may wait: none of them holds more than it needs.
                del accepted
                outcomes[index] = await song
            else:
                _report_detached(context, job.song.audio_id, task_id or "")
        except JournalUnusable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the other songs go on
            outcomes[index] = report_failure(context, job.song.audio_id, task_id, error)

    to_do = [index for index, job in enumerate(plan) if job.action is not Action.THERE]
    # What the service has already need not wait for what is still to be submitted, one after the other.
    to_do.sort(key=lambda index: plan[index].action is Action.SUBMIT)
    await run_all(convert_one, to_do)


async def run_all(
    work: Callable[[T, Callable[[], None]], Coroutine[Any, Any, None]], items: Sequence[T]
) -> None:
    """Run `work` on all items side by side. They begin in this order, a few at a time.

    `work` gets a function to call when the next one may begin: when its song has been submitted, and
    waits. However many wait, they cost memory alone. One song's trouble is its outcome. What is
    raised all the same ends the others.
    """
    room, tasks = asyncio.Semaphore(_BEGINNING), set[asyncio.Task[None]]()
    end = asyncio.get_running_loop().create_future()

    async def run(item: T) -> None:
        begun = _Begun(room)
        try:
            await work(item, begun)
        finally:
            begun()

    async def begin_all() -> None:
        for item in items:
            await room.acquire()
            begin(run(item))

    def begin(story: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(story)
        tasks.add(task)
        task.add_done_callback(note_end)

    def note_end(task: asyncio.Task[None]) -> None:
        tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if not end.done() and error is not None:
            end.set_exception(error)
        elif not end.done() and not tasks:
            end.set_result(None)

    begin(begin_all())
    try:
        await end
    finally:
        # What fails while a signal ends the run must not hide the signal.
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Begun:
    """Gives the room of one song to the next, at the first call."""

    __slots__ = ("_room",)

    def __init__(self, room: asyncio.Semaphore) -> None:
        self._room: asyncio.Semaphore | None = room

    def __call__(self) -> None:
        if self._room is not None:
            self._room.release()
            self._room = None


def finish_accepted(context: ConversionContext, accepted: Accepted, target: Path) -> Awaitable[Outcome]:
    """Return the coroutine that waits for a conversion and saves its file."""
    return finish(
        context,
        accepted.entry,
        target,
        accepted.record,
        new=accepted.new,
        callback_url=accepted.callback_url,
    )


async def finish(
    context: ConversionContext,
    entry: JournalEntry,
    target: Path,
    known: WavRecord | None = None,
    *,
    new: bool = False,
    callback_url: str | None = None,
    limit: TimeLimit | None = None,
) -> Outcome:
    """Wait for a task that was accepted, and save its file. The arguments are those of `wait_for`.

    Raise SunoWavError.
    """
    journal = context.journal
    entry = journal.follow(entry)
    try:
        record = await wait_for(
            context, entry.wav_task_id or "", entry, known, new=new, callback_url=callback_url, limit=limit
        )
    except SunoWavError as error:
        await record_end(context, entry, error)
        raise
    check_identity(context, entry, record)
    entry = await journal.when_unlocked(
        lambda: journal.move(entry, State.READY, wav_url=record.url, target=target, credits=record.credits)
    )
    await save(entry, record.url or "", target, context)
    return Outcome(task_id=entry.wav_task_id, path=target, credits=entry.credits)


async def record_end(context: ConversionContext, entry: JournalEntry, error: SunoWavError) -> None:
    """Record that a conversion was given up, if that is what the error says."""
    if isinstance(error, GenerationFailed | TaskForgotten):
        journal, message = context.journal, error.message
        state = State.FORGOTTEN if isinstance(error, TaskForgotten) else State.FAILED
        cost = error.cost if isinstance(error, GenerationFailed) else None
        await journal.when_unlocked(lambda: journal.move(entry, state, message=message, credits=cost))


def _report_detached(context: ConversionContext, audio_id: str, task_id: str) -> None:
    argv = context.continue_argv([task_id])
    context.report(
        Detached(
            audio_id=audio_id,
            task_id=task_id,
            kept_days=context.client.provider.retention_days,
            resume_hint=describe_command(argv, typed=context.run.argv),
            continue_argv=argv,
        )
    )
