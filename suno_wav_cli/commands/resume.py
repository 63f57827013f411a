"""`resume`: finish what was begun, and first what the service deletes first."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from suno_wav_cli.api.pricing import price_of
from suno_wav_cli.api.providers import PROVIDERS, get_provider
from suno_wav_cli.callbacks.tunnel.agent_folder import end_orphans
from suno_wav_cli.config.settings import service_of
from suno_wav_cli.conversion.balance_evidence import explain_balance
from suno_wav_cli.conversion.context import open_context
from suno_wav_cli.conversion.early_end import early_end
from suno_wav_cli.conversion.finish import UnknownSong, prepare_file, skip_saved, song_of, target_of
from suno_wav_cli.conversion.gate import SubmissionGate
from suno_wav_cli.conversion.ids import find, typed_id
from suno_wav_cli.conversion.outcome import Outcome, find_saved, report_failure, report_summary, summarize
from suno_wav_cli.conversion.pipeline import begin_waiting
from suno_wav_cli.conversion.plan import Action, Job, choose_action
from suno_wav_cli.conversion.prior import Accepted
from suno_wav_cli.conversion.resume_hint import command_for, describe_command
from suno_wav_cli.conversion.side_by_side import Rest, run_all
from suno_wav_cli.conversion.submit import Submitter
from suno_wav_cli.conversion.upload import report_left_open
from suno_wav_cli.conversion.wait import Wait
from suno_wav_cli.errors import (
    ExitCode,
    JournalUnusable,
    OutputExists,
    SubmissionUnknown,
    UsageError,
)
from suno_wav_cli.events.commands import OtherServiceJobs, SongsGivenUp
from suno_wav_cli.events.ends import SongsLeft, Summary
from suno_wav_cli.events.payments import RunBegun
from suno_wav_cli.journal import History, Listing, open_history
from suno_wav_cli.journal.entry import RESUBMITTABLE, JournalEntry
from suno_wav_cli.system.event_loop import run_async
from suno_wav_cli.system.shell_words import quote_command

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence

    from suno_wav_cli.config.run import Run
    from suno_wav_cli.conversion.context import ConversionContext


@dataclass(frozen=True, kw_only=True)
class Request:
    """`names` are what `ids.find` takes. Without any, everything unfinished is meant."""

    names: tuple[str, ...]
    resubmit: bool


def resume(request: Request, run: Run) -> ExitCode:
    """Finish conversions, and return the exit code. Raise SunoWavError if nothing could be begun."""
    address = service_of(run.settings)
    # Looked at first, because without anything to resume here no key is needed.
    end_orphans(run.paths.agents)
    with open_history(run.journal_path) as history:
        chosen = _choose(request.names, history, address, run.service_options)
        given_up = 0 if request.names else _count_given_up(history, address, chosen)
    here = [one for one in chosen if isinstance(one, str) or _is_at(one, run.settings.provider, address)]
    for event in _elsewhere(run, [one for one in chosen if one not in here]):
        run.report(event)
    if given_up:
        run.report(SongsGivenUp(count=given_up))
    if not here:
        run.report(
            Summary(
                requested=0,
                saved=0,
                skipped=0,
                failed=0,
                unknown=0,
                unfinished=0,
                not_begun=0,
                ended_early=False,
                credits=None,
                price=price_of(0),
            )
        )
        return ExitCode.OK
    return run_async(_resume_all(here, request, run))


async def _resume_all(chosen: Sequence[JournalEntry | str], request: Request, run: Run) -> ExitCode:
    """Resume all of them, and begin in the order given."""
    async with open_context(run) as context:
        context.songs.update(one if isinstance(one, str) else one.name for one in chosen)
        submitter = Submitter(
            context=context,
            gate=SubmissionGate(context, planned=_count_submissions(chosen) if request.resubmit else 0),
            callback_url=_no_callbacks,
        )
        report_left_open(context)
        outcomes = {one: Outcome(task_id=_task_of(one)) for one in chosen}

        async def keep(one: JournalEntry | str, finish: Callable[[], Coroutine[Any, Any, Outcome]]) -> None:
            result = await _without_failure(context, one, finish())
            if isinstance(result, Outcome):
                outcomes[one] = result

        async def begin(one: JournalEntry | str) -> Rest | None:
            story = _begin(context, one, submitter, resubmit=request.resubmit, alone=len(chosen) == 1)
            result = await _without_failure(
                context, one, story, pays=request.resubmit and _may_be_resubmitted(one)
            )
            if isinstance(result, Outcome):
                outcomes[one] = result
                return None
            return result

        with early_end(lambda: _conclude(context, list(outcomes.values()))):
            run.report(_run_begun(chosen, resubmit=request.resubmit))
            await run_all(begin, keep, chosen, context.downloads)
    code = summarize(context, list(outcomes.values()))
    _report_left(context, outcomes)
    return code


def _report_left(context: ConversionContext, outcomes: Mapping[JournalEntry | str, Outcome]) -> None:
    """Say how to go on with the songs that the service did not take. Only these are paid for then."""
    left = [
        one.name
        for one, outcome in outcomes.items()
        if _may_be_resubmitted(one) and isinstance(one, JournalEntry) and outcome.is_for_later
    ]
    if left:
        argv = context.continue_argv(left, "--resubmit")
        hint = describe_command(argv, typed=context.run.argv)
        context.report(SongsLeft(songs=len(left), resume_hint=hint, continue_argv=argv))


def _run_begun(chosen: Sequence[JournalEntry | str], *, resubmit: bool) -> RunBegun:
    again = sum(
        resubmit and isinstance(one, JournalEntry) and bool(one.audio_id) and one.state in RESUBMITTABLE
        for one in chosen
    )
    return RunBegun(songs=len(chosen), there=0, submissions=again, price=price_of(again), balance=None)


def _conclude(context: ConversionContext, outcomes: Sequence[Outcome]) -> tuple[str, ...] | None:
    """Report how far a run came that ends early. Return the command that continues it."""
    outcomes = [find_saved(context, outcome) for outcome in outcomes]
    report_summary(context, outcomes, ended_early=True)
    unsaved = [outcome.task_id for outcome in outcomes if not outcome.is_saved]
    return context.continue_argv([task_id for task_id in unsaved if task_id]) if unsaved else None


def _count_submissions(chosen: Sequence[JournalEntry | str]) -> int:
    return sum(map(_may_be_resubmitted, chosen))


def _may_be_resubmitted(chosen: JournalEntry | str) -> bool:
    return isinstance(chosen, JournalEntry) and chosen.state in RESUBMITTABLE


def _task_of(chosen: JournalEntry | str) -> str | None:
    return chosen if isinstance(chosen, str) else chosen.wav_task_id


async def _without_failure(
    context: ConversionContext,
    chosen: JournalEntry | str,
    story: Coroutine[Any, Any, Outcome | Rest],
    *,
    pays: bool = False,
) -> Outcome | Rest:
    """Return what a song has come to. Whatever fails, the other songs go on.

    If the story `pays` for another task, the one before is not what has failed.
    """
    entry = chosen if isinstance(chosen, JournalEntry) else None
    name, task_id = (entry.name, entry.wav_task_id) if entry else (str(chosen), str(chosen))
    task_id = None if pays else task_id
    try:
        return await story
    except JournalUnusable:
        raise
    except Exception as error:  # noqa: BLE001 - see above
        if isinstance(error, UsageError | OutputExists) and error.continue_argv is None and task_id:
            error.continue_argv = context.continue_argv([task_id])
        return report_failure(context, name, task_id, error)


async def _begin(
    context: ConversionContext,
    chosen: JournalEntry | str,
    submitter: Submitter,
    *,
    resubmit: bool,
    alone: bool,
) -> Outcome | Rest:
    """Do what comes before a song's wait."""
    entry = chosen if isinstance(chosen, JournalEntry) else None
    if entry is None or entry.audio_id is None:
        known = context.journal.of_task(_task_of(chosen) or "")
        wait = Wait(context, _task_of(chosen) or "", known, any_state=True)
        return UnknownSong(context=context, wait=wait, alone=alone)
    if entry.state in RESUBMITTABLE:
        return await _settle(context, entry, submitter, resubmit=resubmit, alone=alone)
    if entry.wav_task_id is None:
        raise _not_submitted(context.run, entry)
    entry = context.journal.refresh(entry)
    audio_id = typed_id(entry.audio_id, entry.wav_task_id) or "song"
    target = target_of(context, song_of(context, audio_id), entry, alone=alone)
    if await skip_saved(context, entry, target):
        return Outcome(task_id=entry.wav_task_id, skipped=True)
    prepare_file(context, audio_id, target)
    return await begin_waiting(context, Accepted(entry=entry), target)


async def _settle(
    context: ConversionContext,
    entry: JournalEntry,
    submitter: Submitter,
    *,
    resubmit: bool,
    alone: bool,
) -> Rest:
    """Look once more for a file that does not come by itself. Pay for another one if that is wanted."""
    song = song_of(context, entry.name)
    target = target_of(context, song, entry, alone=alone)
    if resubmit:
        prepare_file(context, entry.name, target)
    action = choose_action(entry.state, resubmit=resubmit, insists=False)
    try:
        accepted = await submitter.accept(Job(song=song, target=target, action=action, entry=entry))
    except SubmissionUnknown as unknown:
        if action is Action.SUBMIT:
            raise
        raise await _explain_unknown(context, entry, unknown.message) from None
    return await begin_waiting(context, accepted, target)


async def _no_callbacks() -> None:
    """Submit without an address for callbacks: the receiver is `convert`'s alone."""


async def _explain_unknown(context: ConversionContext, entry: JournalEntry, said: str) -> SubmissionUnknown:
    """Say that the outcome is not known, and what the balance tells if it was looked up before."""
    if entry.credits_before is not None:
        said += await explain_balance(context, entry, entry.credits_before)
    argv = command_for(context.run.service_options, "status", ["TASK_ID"], "--wait", "--download")
    line = quote_command(argv) or "suno-wav status"
    return SubmissionUnknown(
        said, f"Look at your account's log. Where it names a task, `{line}` fetches its file."
    )


def _choose(
    names: Sequence[str], history: History | None, address: str, service: Sequence[str]
) -> list[JournalEntry | str]:
    if history is None:
        # All of them must be tasks of other machines.
        return list(dict.fromkeys(names))
    if not names:
        return list(history.to_resume())
    return list(dict.fromkeys(find(name, history, address, service) for name in names))


def _count_given_up(history: History | None, address: str, chosen: Sequence[JournalEntry | str]) -> int:
    """Count the songs of a service that have no file, and that are not among those to resume."""
    if history is None:
        return 0
    resumed = {one.name for one in chosen if isinstance(one, JournalEntry)}
    listed = history.listed(Listing.FAILED, every_attempt=False)
    return sum(entry.service == address and entry.name not in resumed for entry in listed.entries)


def _is_at(entry: JournalEntry, provider: str, address: str) -> bool:
    return entry.service == address and PROVIDERS.get(entry.provider) is get_provider(provider)


def _elsewhere(run: Run, entries: Sequence[JournalEntry | str]) -> list[OtherServiceJobs]:
    """Return, for each other service, how many jobs are unfinished there and which line resumes them."""
    counted = Counter((entry.service, entry.provider) for entry in entries if isinstance(entry, JournalEntry))
    return [
        OtherServiceJobs(
            service=service,
            provider=provider,
            count=count,
            resume_hint=describe_command(argv := command_for(run.options_to(provider, service), "resume")),
            continue_argv=argv,
        )
        for (service, provider), count in counted.items()
    ]


def _not_submitted(run: Run, entry: JournalEntry) -> UsageError:
    said = f": {entry.message}" if entry.message else ""
    return UsageError(
        f"the song was not submitted{said}",
        "To convert it:",
        continue_argv=command_for(run.options_to(entry.provider, entry.service), "convert", [entry.name]),
    )
