"""`resume` from its arguments to its exit code: finish what was begun, what the service deletes first, first."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from suno_wav_cli import events
from suno_wav_cli.api.pricing import WAV_PRICE
from suno_wav_cli.api.providers import PROVIDERS, provider_named
from suno_wav_cli.commands.evidence import balance_tells
from suno_wav_cli.config.settings import journal_file
from suno_wav_cli.conversion.finish import order_for, retrieve
from suno_wav_cli.conversion.ids import find
from suno_wav_cli.conversion.pipeline import Outcome, all_of, convert, failure
from suno_wav_cli.conversion.resume_hint import command_for
from suno_wav_cli.conversion.session import open_session, open_workshop
from suno_wav_cli.conversion.targets import check_possible
from suno_wav_cli.conversion.upstream import base_url_of, is_own_sandbox
from suno_wav_cli.errors import (
    ExitCode,
    OutputExists,
    ServiceUnavailable,
    StillRunning,
    SubmissionUnknown,
    SunoWavError,
    UsageError,
)
from suno_wav_cli.journal import open_history
from suno_wav_cli.journal.entry import UNDECIDED, JournalEntry
from suno_wav_cli.system.event_loop import run_async

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from suno_wav_cli.config.run import Run
    from suno_wav_cli.conversion.context import ConversionContext
    from suno_wav_cli.conversion.session import Session
    from suno_wav_cli.events import Report
    from suno_wav_cli.journal import History


@dataclass(frozen=True, kw_only=True)
class Request:
    """`names` are what `ids.find` takes; none of them stands for everything unfinished."""

    names: tuple[str, ...]
    resubmit: bool


def resume(request: Request, run: Run) -> ExitCode:
    """Finish conversions, and return the exit code. Raises SunoWavError where nothing could be begun."""
    address = None if is_own_sandbox(run.settings) else base_url_of(run.settings)
    with open_history(journal_file(run.environ)) as history:
        chosen = _chosen(request.names, history, address)
    here = [job for job in chosen if isinstance(job, str) or _is_of(job, run.settings.provider, address)]
    for event in _elsewhere([job for job in chosen if job not in here]):
        run.report(event)
    if not here:
        run.report(events.Summary(requested=0, saved=0, skipped=0, failed=0, unfinished=0))
        return ExitCode.OK
    with open_session(run) as session:
        outcomes = run_async(_resume_all(here, request, session))
    return _counted(outcomes, run.report)


def _chosen(names: Sequence[str], history: History | None, address: str | None) -> list[JournalEntry | str]:
    if history is None:
        # Tasks of other machines, all of them.
        return list(dict.fromkeys(names))
    if not names:
        return list(history.to_resume())
    return list(dict.fromkeys(find(name, history, address) for name in names))


def _is_of(entry: JournalEntry, provider: str, address: str | None) -> bool:
    return entry.service == address and PROVIDERS.get(entry.provider) is provider_named(provider)


def _elsewhere(entries: Sequence[JournalEntry | str]) -> list[events.OtherServiceJobs]:
    """Say, once for each other service, which line resumes what is unfinished there."""
    counted = Counter((entry.service, entry.provider) for entry in entries if isinstance(entry, JournalEntry))
    return [
        events.OtherServiceJobs(
            service=service,
            provider=provider,
            count=count,
            resume_hint=command_for(provider, service, "resume", ()),
        )
        for (service, provider), count in counted.items()
    ]


async def _resume_all(
    jobs: Sequence[JournalEntry | str], request: Request, session: Session
) -> list[Outcome]:
    """Resume `--jobs` of them at a time, and begin in the order given."""
    async with open_workshop(session, None, resubmit=request.resubmit) as context:
        flight = asyncio.Semaphore(context.terms.in_flight)

        async def one(job: JournalEntry | str) -> Outcome:
            async with flight:
                return await _resumed(job, request, session, context, alone=len(jobs) == 1)

        return await all_of([one(job) for job in jobs])


async def _resumed(
    job: JournalEntry | str, request: Request, session: Session, context: ConversionContext, *, alone: bool
) -> Outcome:
    entry = job if isinstance(job, JournalEntry) else None
    name, task_id = (job.name, job.wav_task_id) if isinstance(job, JournalEntry) else (job, job)
    try:
        if entry is not None and entry.state in UNDECIDED:
            return await _settled(entry, request, session, context, alone=alone)
        record = await context.client.wav_record(task_id or _no_task(entry))
        session.report(events.LookedUp(audio_id=name, record=record))
        return await retrieve(entry, record, session, context, wait=True, alone=alone)
    except (UsageError, OutputExists) as error:
        again = f"{error.remedy.rstrip('.')}. Then: {session.continue_with([task_id or name])}"
        return failure(name, task_id, type(error)(error.message, again), context)
    except SunoWavError as error:
        return failure(name, task_id, error, context)


async def _settled(
    entry: JournalEntry, request: Request, session: Session, context: ConversionContext, *, alone: bool
) -> Outcome:
    """Submit again what may have been lost, where the person says so. Raises SubmissionUnknown where not."""
    if not request.resubmit:
        raise await _unknown(entry, session, context)
    order = order_for(entry.name, entry, session, alone=alone)
    check_possible([order], ours=session.owns, force=session.settings.force)
    return await convert(order, context)


def _no_task(entry: JournalEntry | None) -> NoReturn:
    said = f": {entry.message}" if entry and entry.message else ""
    raise UsageError(
        f"the song was not submitted{said}",
        f"To convert it: suno-wav convert {entry.name if entry else 'ID'}",
    )


async def _unknown(entry: JournalEntry, session: Session, context: ConversionContext) -> SubmissionUnknown:
    """Say that nobody knows, and what the balance tells where it was asked for before the request left."""
    said = entry.message or (
        "it is not known whether the song was submitted and charged: a run ended, or another is still at work, between "
        "sending the request and its answer"
    )
    if entry.credits_before is not None:
        said += await _balance_tells(entry, entry.credits_before, session, context)
    return SubmissionUnknown(
        said,
        "Look at your account's log. Where it names a task: suno-wav status TASK_ID --wait --download. To pay for "
        f"another try: {session.continue_with([entry.name], '--resubmit')}",
    )


async def _balance_tells(
    entry: JournalEntry, before: Decimal, session: Session, context: ConversionContext
) -> str:
    try:
        now = await context.client.credits()
    except ServiceUnavailable:
        return ""
    paid, undecided = session.journal.history.paid_since_balance(entry)
    return f"; {balance_tells(before, now, WAV_PRICE, paid=paid, undecided=undecided)}"


def _counted(outcomes: Sequence[Outcome], report: Report) -> ExitCode:
    errors = [outcome.error for outcome in outcomes if outcome.error is not None]
    skipped = sum(outcome.error is None and outcome.path is None for outcome in outcomes)
    running = sum(isinstance(error, StillRunning) for error in errors)
    saved = len(outcomes) - len(errors) - skipped
    report(
        events.Summary(
            requested=len(outcomes),
            saved=saved,
            skipped=skipped,
            failed=len(errors) - running,
            unfinished=running,
        )
    )
    if not errors:
        return ExitCode.OK
    return errors[0].exit_code if len(errors) == len(outcomes) else ExitCode.SOME_FAILED
