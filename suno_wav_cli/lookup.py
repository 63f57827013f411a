"""`status` from its arguments to its exit code: what the service says of tasks, and their files where asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from suno_wav_cli import events
from suno_wav_cli.conversion import all_of, failure, finish, wait_for
from suno_wav_cli.errors import ExitCode, StillRunning, SunoWavError
from suno_wav_cli.event_loop import run
from suno_wav_cli.models import Order, Song, WavState
from suno_wav_cli.output import check_possible, id_of, planned
from suno_wav_cli.session import open_session, open_workshop

if TYPE_CHECKING:
    from collections.abc import Mapping

    from suno_wav_cli.conversion import Workshop
    from suno_wav_cli.credentials import Secrets
    from suno_wav_cli.entries import Entry
    from suno_wav_cli.events import Report
    from suno_wav_cli.models import WavRecord
    from suno_wav_cli.session import Session
    from suno_wav_cli.settings import Settings


@dataclass(frozen=True)
class Request:
    task_ids: tuple[str, ...]
    wait: bool
    download: bool


def show_tasks(
    request: Request, settings: Settings, secrets: Secrets, environ: Mapping[str, str], report: Report
) -> ExitCode:
    """Show, wait for, or download tasks, and return the exit code. Raises SunoWavError where nothing could be begun."""
    task_ids = [id_of(argument, "a task id") for argument in dict.fromkeys(request.task_ids)]
    with open_session(settings, secrets, environ, report) as session:
        errors = [error for error in run(_show_all(task_ids, request, session)) if error is not None]
    if not errors:
        return ExitCode.OK
    return errors[0].exit_code if len(errors) == len(task_ids) else ExitCode.SOME_FAILED


async def _show_all(task_ids: list[str], request: Request, session: Session) -> list[SunoWavError | None]:
    alone = len(task_ids) == 1
    async with open_workshop(session, None) as shop:
        return await all_of([_show(task_id, request, session, shop, alone=alone) for task_id in task_ids])


async def _show(
    task_id: str, request: Request, session: Session, shop: Workshop, *, alone: bool
) -> SunoWavError | None:
    entry = session.journal.of_task(task_id) or session.journal.newest_task_of(task_id)
    # A song's id will do, where the journal knows its task.
    task_id = (entry and entry.wav_task_id) or task_id
    name = entry.name if entry else task_id
    try:
        record = await shop.client.wav_record(task_id)
        if request.wait:
            # Shown as at work from the first moment, which may be long before the next question.
            session.report(events.LookedUp(name, record))
        if request.download:
            return await _download(entry, record, request, session, shop, alone=alone)
        if request.wait:
            entry = entry or session.journal.adopt(task_id, record.audio_id, None)
            record = await wait_for(entry, shop, record)
        state, target = (entry.state, entry.target) if entry else (None, None)
        session.report(events.TaskStatus(name, record, state, target))
    except SunoWavError as error:
        return failure(name, task_id, error, shop).error
    return None


async def _download(
    entry: Entry | None, record: WavRecord, request: Request, session: Session, shop: Workshop, *, alone: bool
) -> SunoWavError | None:
    force, journal = session.settings.force, session.journal
    order = _order(entry, record, session.settings, alone=alone)
    if entry is not None and not force and journal.recognises(entry, order.target):
        session.report(events.Skipped(entry.name, order.target))
        return None
    check_possible([order], ours=journal.has_target, force=force)
    if record.state is WavState.PENDING and not request.wait:
        raise StillRunning("the conversion is not finished yet", "Try again later, or add --wait.")
    entry = entry or journal.adopt(record.task_id, record.audio_id, order.target)
    return (await finish(entry, order.target, shop, record)).error


def _order(entry: Entry | None, record: WavRecord, settings: Settings, *, alone: bool) -> Order:
    """Find the file: where --out says, else where it was meant to go, else a name of its own."""
    song = Song(record.audio_id or (entry and entry.audio_id) or record.task_id)
    if settings.out is None and entry is not None and entry.target is not None:
        return Order(song, entry.target)
    return planned([song], settings.out, datetime.now().astimezone().date(), alone=alone)[0]
