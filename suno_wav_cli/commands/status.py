"""`status`: what the service says of tasks, and their files if they are asked for."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from suno_wav_cli.api.values import is_deeper, parse_json
from suno_wav_cli.conversion.context import open_context
from suno_wav_cli.conversion.early_end import early_end
from suno_wav_cli.conversion.ids import find, typed_id, typed_name, typed_task
from suno_wav_cli.conversion.outcome import Outcome, exit_code_of, find_saved, record_end, report_failure
from suno_wav_cli.conversion.prior import check_provider
from suno_wav_cli.conversion.resume_hint import MOST_NAMED, command_for
from suno_wav_cli.conversion.wait import Wait, look_once
from suno_wav_cli.errors import ExitCode, JournalUnusable, SunoWavError, UsageError
from suno_wav_cli.events.commands import RawRecord
from suno_wav_cli.events.songs import TaskStatus
from suno_wav_cli.journal.entry import UNSAVED, State
from suno_wav_cli.system.event_loop import run_async
from suno_wav_cli.system.task_pool import TaskPool

if TYPE_CHECKING:
    from suno_wav_cli.config.run import Run
    from suno_wav_cli.conversion.context import ConversionContext
    from suno_wav_cli.journal.entry import JournalEntry
    from suno_wav_cli.models import WavRecord

_MOST_LEVELS = 10
"""Of JSON in a text of a record."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """`watch` is to wait, and to show each change of state meanwhile; `raw` to show the whole record."""

    task_ids: tuple[str, ...]
    wait: bool
    watch: bool
    download: bool
    raw: bool = False


def show_tasks(request: Request, run: Run) -> ExitCode:
    """Show, wait for or download tasks, and return the exit code.

    Raise SunoWavError if nothing could be begun.
    """
    if request.raw and request.download:
        raise UsageError("--raw shows the record of a task, and --download its file", "Give one of them.")
    return run_async(_show_all(request, run))


async def _show_all(request: Request, run: Run) -> ExitCode:
    async with open_context(run, watch=request.watch) as context:
        task_ids = list(dict.fromkeys(_task_id(context, argument) for argument in request.task_ids))
        outcomes = {task_id: Outcome(task_id=task_id) for task_id in task_ids}

        async def show_one(task_id: str) -> None:
            outcomes[task_id] = await _show(context, task_id, request, alone=len(task_ids) == 1)

        with early_end(lambda: _how_to_go_on(context, outcomes, request), only_by_signal=True):
            pool = TaskPool()
            try:
                for task_id in task_ids:
                    pool.start(show_one(task_id))
                await pool.finish()
            finally:
                await pool.cancel()
    return exit_code_of(list(outcomes.values()), incomplete=context.follow_up.has_failed)


def _how_to_go_on(
    context: ConversionContext, outcomes: Mapping[str, Outcome], request: Request
) -> tuple[str, ...] | None:
    """Return the command that goes on with what was waited for, or None if it was not waited."""
    if not (request.wait or request.watch):
        return None
    settings = context.settings
    if not request.download:
        names = [typed_task(task_id, context.journal, context.service) or task_id for task_id in outcomes]
        option = "--watch" if request.watch else "--wait"
        return command_for(context.run.service_options, "status", names, option)
    left = [task_id for task_id, outcome in outcomes.items() if not find_saved(context, outcome).is_saved]
    if len(left) > MOST_NAMED:
        return context.run.argv
    out = () if settings.out is None or context.piped else ("--out", settings.out)
    return context.continue_argv(left, *out) if left else None


def _task_id(context: ConversionContext, argument: str) -> str:
    """Return the task that is meant, also by its song's id. Raise UsageError."""
    found = find(
        argument,
        context.journal.history,
        context.service,
        context.run.service_options,
    )
    if isinstance(found, str):
        return found
    if found.service != context.service:
        if found.wav_task_id == argument:
            # Another address may be another way to the same account.
            return argument
        ids = [name for name in (typed_name(found),) if name]
        raise UsageError(
            f"{found.name} was converted at {found.service}",
            "To ask there:",
            continue_argv=command_for(context.run.options_to(found.provider, found.service), "status", ids),
        )
    check_provider(context, found)
    task = found if found.wav_task_id else context.journal.newest_task_of(found.name)
    if task is None or task.wav_task_id is None:
        raise UsageError(
            f"{found.name} has no task to look up: {_why_no_task(found)}",
            "`suno-wav jobs` shows what this machine knows of it.",
        )
    return task.wav_task_id


def _why_no_task(entry: JournalEntry) -> str:
    """Say what became of a submission that has made no task, as far as it is known."""
    answered = f". The service answered: {entry.answer}" if entry.answer else ""
    if entry.state is State.REFUSED:
        return f"it was not accepted{f': {entry.message}' if entry.message else answered}"
    if entry.state is State.EXISTS:
        return f"the service says that it has made this WAV before, and does not name the task{answered}"
    if entry.state is State.SUBMITTING:
        return "its submission is on its way, or was cut off"
    return f"it is not known whether the service accepted it{answered}"


async def _show(context: ConversionContext, task_id: str, request: Request, *, alone: bool) -> Outcome:
    wait = request.wait or request.watch
    entry = context.journal.of_task(task_id)
    name = entry.name if entry else task_id
    try:
        if request.download:
            # What downloads and checks files takes a tenth of this command's time to load.
            from suno_wav_cli.conversion.finish import finish_task

            return await finish_task(context, task_id, wait=wait, attach=True, alone=alone)
        if wait:
            record = await _wait(context, task_id, entry)
        else:
            record = await look_once(context, task_id, entry)
    except JournalUnusable:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the other tasks go on
        return report_failure(context, name, task_id, error)
    if request.raw:
        context.report(RawRecord(task_id=task_id, record=hide_callback_paths(record.raw)))
    else:
        file, is_there = context.journal.history.newest_file(entry) if entry else (None, False)
        context.report(
            TaskStatus(
                audio_id=name,
                title=entry.title if entry else None,
                record=record,
                journal_state=entry.state if entry else None,
                target=entry.target if entry else None,
                path=file.path if file else None,
                path_exists=is_there,
            )
        )
    return Outcome(task_id=task_id)


async def _wait(context: ConversionContext, task_id: str, entry: JournalEntry | None) -> WavRecord:
    """Wait for a task. One that the journal does not know is recorded when the service knows it."""
    record, ends_at = None, math.inf
    if entry is None or entry.audio_id is None:
        first = Wait(context, task_id, entry, any_state=True)
        record = await first.decided
        ends_at = first.ends_at
        adopt = partial(context.journal.adopt, task_id, typed_id(record.audio_id), None)
        entry = await context.journal.when_unlocked(adopt)
    try:
        return await Wait(context, task_id, entry, record, ends_at=ends_at).decided
    except SunoWavError as error:
        if entry.state in UNSAVED:
            await record_end(context, entry, error)
        raise


def hide_callback_paths(record: Mapping[str, object]) -> dict[str, object]:
    """Return a record without the secret path of the receiver."""
    return {key: _hide_path(value, key) for key, value in record.items()}


def _hide_path(value: object, name: str = "") -> object:
    if isinstance(value, Mapping):
        return hide_callback_paths(value)
    if isinstance(value, list | tuple):
        return [_hide_path(item, name) for item in value]
    if not isinstance(value, str):
        return value
    if name.replace("_", "").casefold() == "callbackurl":
        return re.sub(r"^(\w+://[^/?#]*).*", r"\1/(hidden)", value, flags=re.DOTALL)
    return _hide_in_json(value)


def _hide_in_json(text: str) -> str:
    """Hide the path in a text that is JSON: kie-jobs quotes the request so."""
    quoted = parse_json(text)
    if not isinstance(quoted, dict | list):
        return text
    if is_deeper(quoted, _MOST_LEVELS):
        return "(hidden: it nests too deep)"
    hidden = _hide_path(quoted)
    # What has nothing to hide stays as it came.
    return text if hidden == quoted else json.dumps(hidden, default=float)
