"""`convert`: decide what is to be done with each song, do it, and count."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from suno_wav_cli.api.pricing import price_of
from suno_wav_cli.api.providers import SANDBOX
from suno_wav_cli.callbacks.secret_path import has_lasting_address
from suno_wav_cli.conversion.budget import check_budget, show_plan
from suno_wav_cli.conversion.callback_url import open_callback_url
from suno_wav_cli.conversion.context import open_context
from suno_wav_cli.conversion.early_end import early_end
from suno_wav_cli.conversion.gate import SubmissionGate
from suno_wav_cli.conversion.ids import audio_id_of, check_music_task, is_audio_id, is_sandbox_id, is_uuid
from suno_wav_cli.conversion.info_file import check_info_files
from suno_wav_cli.conversion.music_task import fetch_finished_music_task
from suno_wav_cli.conversion.outcome import exit_code_of, outcomes_before, report_summary
from suno_wav_cli.conversion.pipeline import convert_all
from suno_wav_cli.conversion.plan import Action, check_music_tasks, make_plan, submissions
from suno_wav_cli.conversion.rest import conclude, list_failures
from suno_wav_cli.conversion.room import check_room
from suno_wav_cli.conversion.song_list import check_writable, read_songs, unique_songs
from suno_wav_cli.conversion.submit import Submitter
from suno_wav_cli.conversion.targets import check_targets, make_folders, names_title
from suno_wav_cli.conversion.upload import find_uploaded, report_left_open
from suno_wav_cli.errors import ExitCode, UsageError
from suno_wav_cli.events.payments import ListEmpty, RunBegun, UnusualIds
from suno_wav_cli.models import Song
from suno_wav_cli.remote.address import is_remote_out
from suno_wav_cli.system.event_loop import run_async

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal
    from pathlib import Path

    from suno_wav_cli.config.run import Run
    from suno_wav_cli.config.settings import Settings
    from suno_wav_cli.conversion.context import ConversionContext
    from suno_wav_cli.conversion.outcome import Outcome
    from suno_wav_cli.conversion.plan import Job
    from suno_wav_cli.models import MusicTask


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to convert.

    `music_task_id` belongs to every id without one. Alone, it stands for all its tracks.
    `from_file` names a list of more songs. The songs that fail are written to `errors`.
    """

    audio_ids: tuple[str, ...]
    music_task_id: str | None
    wait: bool
    resubmit: bool
    dry_run: bool = False
    from_file: str | None = None
    errors: Path | None = None


def convert_songs(request: Request, run: Run) -> ExitCode:
    """Convert songs, and return the exit code. Raise SunoWavError if nothing could be begun."""
    # The list itself is not kept: the plan has all that is known of a song.
    return run_async(_convert(_named_songs(request, run), request, run))


async def _convert(songs: Sequence[Song], request: Request, run: Run) -> ExitCode:
    settings = run.settings
    async with open_context(run, dry_run=request.dry_run) as context:
        report_left_open(context)
        songs = await _resolve_songs(context, songs, request)
        plan = make_plan(
            context,
            songs,
            wait=request.wait,
            resubmit=request.resubmit,
            named={audio_id_of(argument) for argument in request.audio_ids},
        )
        check_music_tasks(plan, settings.provider)
        if request.wait:
            plan = await find_uploaded(context, plan)
        targets = [
            context.local_file(job.song.audio_id, job.target)
            for job in plan
            if job.action is not Action.THERE
        ]
        if request.wait:
            check_targets(targets, ours=context.owns, force=settings.force)
            if submissions(plan):
                keeps_all = not is_remote_out(settings.out)
                check_room(targets, at_once=settings.jobs, keeps_all=keeps_all, report=context.report)
            if settings.info_json:
                check_info_files((job.song.audio_id, job.target) for job in plan)
        _report_unusual_ids(context, plan)
        if request.dry_run:
            await show_plan(context, plan)
            return ExitCode.OK
        outcomes = outcomes_before(plan)
        end_early = partial(
            conclude, context, plan, outcomes, errors=request.errors, from_file=request.from_file
        )
        # What the budget refuses has its own remedy.
        with early_end(end_early, only_by_signal=True):
            balance = await check_budget(context, plan)
        if request.wait:
            make_folders(targets)
        with early_end(end_early):
            await _do_plan(context, plan, request, balance, outcomes)
    report_summary(context, outcomes)
    list_failures(context, plan, outcomes, errors=request.errors, from_file=request.from_file)
    return exit_code_of(outcomes, incomplete=context.follow_up.has_failed)


async def _do_plan(
    context: ConversionContext,
    plan: Sequence[Job],
    request: Request,
    balance: Decimal | None,
    outcomes: list[Outcome],
) -> None:
    count = submissions(plan)
    context.report(
        RunBegun(
            songs=len(plan),
            there=sum(job.action is Action.THERE for job in plan),
            submissions=count,
            price=price_of(count),
            balance=balance,
        )
    )
    # A callback comes only for a song that is submitted now, or was with an address that lasts.
    awaits_earlier = has_lasting_address(context.settings) and any(
        job.action is Action.CONTINUE for job in plan
    )
    receive = request.wait and (count > 0 or awaits_earlier)
    async with open_callback_url(context, receive=receive, submits=count > 0) as callback_url:
        submitter = Submitter(
            context=context,
            gate=SubmissionGate(context, planned=submissions(plan)),
            callback_url=callback_url,
            balance=balance,
        )
        await convert_all(context, plan, submitter, outcomes, wait=request.wait)
    there = [(job.entry, job.target) for job in plan if job.action is Action.THERE and job.entry is not None]
    await context.follow_up.complete(there)


def _named_songs(request: Request, run: Run) -> list[Song]:
    """Return the songs that are named. There is none if all tracks of a task are wanted."""
    service = run.service_options
    if request.music_task_id is not None:
        check_music_task(request.music_task_id, service, "--task-id")
    songs = [Song(audio_id=audio_id_of(argument, service)) for argument in request.audio_ids]
    is_plain = True
    if request.from_file is not None:
        listed = read_songs(request.from_file, run.report, service)
        is_plain = listed.is_plain
        songs += listed.songs
        if not listed.songs:
            run.report(ListEmpty(source=listed.name))
    elif not songs and request.music_task_id is None:
        raise UsageError(
            "no audio id was given",
            "suno-wav convert AUDIO_ID... or, for all tracks: --task-id ID; or --from-file FILE",
        )
    if request.errors is not None:
        check_writable(request.errors, request.from_file, is_plain=is_plain)
    songs = unique_songs(songs)
    _check_sandbox_ids(songs, run.settings)
    return songs


def _check_sandbox_ids(songs: Sequence[Song], settings: Settings) -> None:
    elsewhere = settings.provider != SANDBOX and settings.base_url is None
    if elsewhere and any(is_sandbox_id(song.audio_id) for song in songs):
        raise UsageError("demo ids are for the sandbox, and would be charged here", "Add --provider sandbox.")


def _check_track_ids(task: MusicTask, music_task_id: str) -> None:
    """Raise UsageError for an id from the service that could not be typed to continue its song."""
    good = [track.audio_id for track in task.tracks if is_audio_id(track.audio_id)]
    bad = [track.audio_id for track in task.tracks if not is_audio_id(track.audio_id)]
    if bad:
        raise UsageError(
            f"music task {music_task_id} names a song '{bad[0]}', which is not an id",
            f"Nothing was submitted. Convert its other songs by their ids: {' '.join(good) or 'there are none'}",
        )


def _report_unusual_ids(context: ConversionContext, plan: Sequence[Job]) -> None:
    """Say before it is paid for that an id is not what the services give to songs."""
    ids = tuple(
        job.song.audio_id
        for job in plan
        if job.action is Action.SUBMIT
        and not is_uuid(job.song.audio_id)
        and not is_sandbox_id(job.song.audio_id)
    )
    if ids:
        context.report(UnusualIds(audio_ids=ids))


async def _resolve_songs(context: ConversionContext, songs: Sequence[Song], request: Request) -> list[Song]:
    """Return the songs with what is known of them, or all tracks of the music task."""
    music_task_id = request.music_task_id
    if not songs and music_task_id is not None and request.from_file is None:
        task = await fetch_finished_music_task(context, music_task_id)
        _check_track_ids(task, music_task_id)
        return unique_songs(
            Song(audio_id=track.audio_id, music_task_id=music_task_id, title=track.title)
            for track in task.tracks
        )
    history, titled = context.journal.history, names_title(context.settings.out)
    return [
        replace(
            song,
            music_task_id=song.music_task_id or music_task_id or history.music_task_of(song.audio_id),
            title=(song.title or history.title_of(song.audio_id)) if titled else None,
        )
        for song in songs
    ]
