"""`status` from its arguments to its exit code: what the service says of tasks, and their files where asked."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from suno_wav_cli import events
from suno_wav_cli.api.providers import PROVIDERS, provider_named
from suno_wav_cli.conversion.finish import retrieve
from suno_wav_cli.conversion.ids import find
from suno_wav_cli.conversion.pipeline import all_of, failure, wait_for
from suno_wav_cli.conversion.resume_hint import command_for
from suno_wav_cli.conversion.session import open_session, open_workshop
from suno_wav_cli.conversion.submit import other_contract
from suno_wav_cli.errors import ExitCode, SunoWavError, UsageError
from suno_wav_cli.system.event_loop import run_async

if TYPE_CHECKING:
    from suno_wav_cli.config.run import Run
    from suno_wav_cli.conversion.context import ConversionContext
    from suno_wav_cli.conversion.session import Session
    from suno_wav_cli.events import Event, Report


@dataclass(frozen=True, kw_only=True)
class Request:
    """`watch` is to wait, and to show each change of state meanwhile."""

    task_ids: tuple[str, ...]
    wait: bool
    watch: bool
    download: bool


def show_tasks(request: Request, run: Run) -> ExitCode:
    """Show, wait for, or download tasks, and return the exit code. Raises SunoWavError where nothing could be begun."""
    with open_session(run) as session:
        task_ids = list(dict.fromkeys(_task_id(argument, session) for argument in request.task_ids))
        errors = [error for error in run_async(_show_all(task_ids, request, session)) if error is not None]
    if not errors:
        return ExitCode.OK
    return errors[0].exit_code if len(errors) == len(task_ids) else ExitCode.SOME_FAILED


def _task_id(argument: str, session: Session) -> str:
    """Find the task that is meant. A song's id will do, where the journal knows its task. Raises UsageError."""
    found = find(argument, session.journal.history, session.base_url)
    if isinstance(found, str):
        return found
    if found.service != session.base_url:
        if found.wav_task_id == argument:
            # Another address may be another way to the same account.
            return argument
        line = command_for(found.provider, found.service, "status", [found.wav_task_id or found.name])
        raise UsageError(f"{found.name} was converted at {found.service}", f"To ask there: {line}")
    if PROVIDERS.get(found.provider) is not provider_named(session.settings.provider):
        raise other_contract(found)
    task = found if found.wav_task_id else session.journal.newest_task_of(found.name)
    if task is None or task.wav_task_id is None:
        raise UsageError(
            f"{found.name} has no task to ask for: its last conversion is {found.state}",
            "`suno-wav jobs` shows what this machine knows of it.",
        )
    return task.wav_task_id


async def _show_all(task_ids: list[str], request: Request, session: Session) -> list[SunoWavError | None]:
    alone = len(task_ids) == 1
    async with open_workshop(session, None) as opened:
        context = replace(opened, report=_showing_changes(opened.report)) if request.watch else opened
        return await all_of([_show(task_id, request, session, context, alone=alone) for task_id in task_ids])


async def _show(
    task_id: str, request: Request, session: Session, context: ConversionContext, *, alone: bool
) -> SunoWavError | None:
    wait = request.wait or request.watch
    entry = session.journal.of_task(task_id)
    name = entry.name if entry else task_id
    try:
        record = await context.client.wav_record(task_id)
        if wait:
            # Shown as at work from the first moment, which may be long before the next question.
            context.report(events.LookedUp(audio_id=name, record=record))
        if request.download:
            return (await retrieve(entry, record, session, context, wait=wait, alone=alone)).error
        if wait:
            entry = entry or session.journal.adopt(task_id, record.audio_id, None)
            record = await wait_for(entry, context, record)
        state, target = (entry.state, entry.target) if entry else (None, None)
        session.report(events.TaskStatus(audio_id=name, record=record, journal_state=state, target=target))
    except SunoWavError as error:
        return failure(name, task_id, error, context).error
    return None


def _showing_changes(report: Report) -> Report:
    """Report, after a lookup, that the service's word of the task is another one than at the lookup before."""
    said: dict[str, tuple[str, str | None]] = {}

    def show(event: Event) -> None:
        report(event)
        if not isinstance(event, events.LookedUp):
            return
        record = event.record
        before, said[record.task_id] = said.get(record.task_id), (record.state, record.flag)
        if before != said[record.task_id]:
            report(events.StateChanged(audio_id=event.audio_id, record=record, seen_at=time.time()))

    return show
