"""`convert` from its arguments to its exit code: decide, open what is needed, convert, count."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from suno_wav_cli import events
from suno_wav_cli.api.providers import SANDBOX, get_provider
from suno_wav_cli.conversion.ids import audio_id_of, check_music_task, is_sandbox_id
from suno_wav_cli.conversion.music_task import tracks_to_convert
from suno_wav_cli.conversion.pipeline import Outcome, convert_all
from suno_wav_cli.conversion.plan import Planned, Step, check_budget, show_plan, step_of, submissions
from suno_wav_cli.conversion.session import open_session, open_way_back, open_workshop
from suno_wav_cli.conversion.song_list import check_writable, counted_once, read_songs, write_failures
from suno_wav_cli.conversion.targets import check_possible, names_title, planned
from suno_wav_cli.download.part_file import part_of
from suno_wav_cli.errors import ExitCode, StillRunning, UsageError
from suno_wav_cli.models import Song
from suno_wav_cli.system.event_loop import run_async

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from decimal import Decimal
    from pathlib import Path

    from suno_wav_cli.callbacks.endpoint import CallbackEndpoint
    from suno_wav_cli.config.run import Run
    from suno_wav_cli.conversion.session import Session
    from suno_wav_cli.events import Report
    from suno_wav_cli.models import Order


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to convert. `music_task_id` belongs to every id without one, and alone stands for all tracks of the task.

    `from_file` names a list of more songs; the songs that fail are written to `errors`. `watched` says that somebody sees
    what is said.
    """

    audio_ids: tuple[str, ...]
    music_task_id: str | None
    wait: bool
    resubmit: bool
    dry_run: bool = False
    from_file: str | None = None
    errors: Path | None = None


def convert_songs(request: Request, run: Run) -> ExitCode:
    """Convert, and return the exit code. Raises SunoWavError where nothing could be begun."""
    settings, report = run.settings, run.report
    songs = _requested(request)
    if request.errors is not None:
        check_writable(request.errors)
    with open_session(run, only_looking=request.dry_run) as session:
        if (
            settings.provider != SANDBOX
            and settings.base_url is None
            and any(is_sandbox_id(song.audio_id) for song in songs)
        ):
            raise UsageError(
                "demo ids are for the sandbox, and would be charged here", "Add --provider sandbox."
            )
        songs = _with_music_tasks(songs, request, session)
        orders = planned(songs, settings.out, datetime.now().astimezone().date(), spool=session.spool)
        plan = [Planned(order=order, step=_step(order, request, session)) for order in orders]
        todo = [step for step in plan if step.step is not Step.THERE]
        _check_music_tasks([step.order for step in todo if step.step is Step.SUBMIT], settings.provider)
        if request.wait:
            check_possible([step.order for step in todo], ours=session.owns, force=settings.force)
        if request.dry_run:
            show_plan(plan, session)
            return ExitCode.OK
        balance = check_budget(todo, session)
        for step in plan:
            if step.step is Step.THERE:
                report(
                    events.Skipped(
                        audio_id=step.order.song.audio_id, path=step.order.target, tags_wanted=settings.tag
                    )
                )
        try:
            outcomes = _converted(todo, request, session, balance) if todo else []
        finally:
            if session.service_ends_with_us:
                # Nothing can continue them.
                for step in todo:
                    part_of(step.order.target).unlink(missing_ok=True)
        code = _counted(outcomes, len(plan) - len(todo), report)
        if request.errors is not None:
            _list_failures(request.errors, todo, outcomes, report)
        return code


def _requested(request: Request) -> list[Song]:
    """Take the songs from the arguments and the file; none where all tracks of a task are wanted."""
    if request.music_task_id is not None:
        check_music_task(request.music_task_id)
    songs = [Song(audio_id=audio_id_of(argument)) for argument in request.audio_ids]
    if request.from_file is not None:
        songs += read_songs(request.from_file)
    elif not songs and request.music_task_id is None:
        raise UsageError(
            "no audio id was given",
            "suno-wav convert AUDIO_ID... or, for all tracks: --task-id ID; or --from-file FILE",
        )
    return counted_once(songs)


def _step(order: Order, request: Request, session: Session) -> Step:
    if request.wait and not request.resubmit and _is_there(order, session):
        return Step.THERE
    return step_of(order, session, resubmit=request.resubmit)


def _is_there(order: Order, session: Session) -> bool:
    settings = session.settings
    if settings.force:
        return False
    if settings.skip_existing and order.target.is_file():
        return True
    entry = session.journal.current_entry(order.song.audio_id)
    return entry is not None and session.journal.recognises(entry, order.target)


def _with_music_tasks(songs: Sequence[Song], request: Request, session: Session) -> list[Song]:
    """Add what is known of each song's music task; where no song was named, give the tracks of the one that was."""
    music_task_id = request.music_task_id
    if songs or music_task_id is None or request.from_file is not None:
        history, titled = session.journal.history, names_title(session.settings.out)
        return [
            replace(
                song,
                music_task_id=song.music_task_id or music_task_id or history.music_task_of(song.audio_id),
                title=history.title_of(song.audio_id) if titled else None,
            )
            for song in songs
        ]
    tracks = tracks_to_convert(music_task_id, session).tracks
    return [Song(audio_id=track.audio_id, music_task_id=music_task_id, title=track.title) for track in tracks]


def _converted(
    todo: Sequence[Planned], request: Request, session: Session, balance: Decimal | None
) -> list[Outcome]:
    orders = [step.order for step in todo]
    # No song but one that is submitted now is called back.
    if not request.wait or not submissions(todo):
        return run_async(_convert(orders, None, request, session, balance))
    with open_way_back(session) as reception:
        return run_async(_convert(orders, reception, request, session, balance))


def _check_music_tasks(orders: Iterable[Order], provider: str) -> None:
    """Raise UsageError for a request that the contract does not have (api/README.md, section 7)."""
    lacking = [order.song.audio_id for order in orders if order.song.music_task_id is None]
    if lacking and get_provider(provider).needs_music_task:
        others = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
        raise UsageError(
            f"{provider} converts a song only with its music task, which is not known of {lacking[0]}{others}",
            "Add --task-id ID, the task that generated the song. Nothing was submitted.",
        )


async def _convert(
    orders: Sequence[Order],
    reception: CallbackEndpoint | None,
    request: Request,
    session: Session,
    balance: Decimal | None,
) -> list[Outcome]:
    async with open_workshop(
        session, reception, wait=request.wait, resubmit=request.resubmit, balance=balance
    ) as context:
        return await convert_all(orders, context)


def _counted(outcomes: Sequence[Outcome], skipped: int, report: Report) -> ExitCode:
    errors = [outcome.error for outcome in outcomes if outcome.error is not None]
    saved = sum(outcome.path is not None for outcome in outcomes)
    left = len(outcomes) - saved - len(errors) + sum(isinstance(error, StillRunning) for error in errors)
    report(
        events.Summary(
            requested=len(outcomes) + skipped,
            saved=saved,
            skipped=skipped,
            failed=len(outcomes) - saved - left,
            unfinished=left,
        )
    )
    if not errors:
        return ExitCode.OK
    return errors[0].exit_code if len(errors) == len(outcomes) + skipped else ExitCode.SOME_FAILED


def _list_failures(path: Path, todo: Sequence[Planned], outcomes: Sequence[Outcome], report: Report) -> None:
    failures = [
        (step.order.song, outcome.error.message)
        for step, outcome in zip(todo, outcomes, strict=True)
        if outcome.error is not None
    ]
    if write_failures(path, failures):
        report(events.FailuresListed(path=path, songs=len(failures)))
