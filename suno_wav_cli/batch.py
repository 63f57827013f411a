"""`convert` from its arguments to its exit code: decide, open what is needed, convert, count."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from suno_wav_cli import events
from suno_wav_cli.conversion import Outcome, convert_all
from suno_wav_cli.errors import ConversionFailed, ExitCode, StillRunning, UsageError
from suno_wav_cli.event_loop import run
from suno_wav_cli.models import Song
from suno_wav_cli.output import audio_id_of, check_possible, id_of, is_sandbox_id, planned
from suno_wav_cli.part import part_of
from suno_wav_cli.providers import SANDBOX, provider_named
from suno_wav_cli.session import open_session, open_way_back, open_workshop

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from suno_wav_cli.credentials import Secrets
    from suno_wav_cli.events import Report
    from suno_wav_cli.models import Order
    from suno_wav_cli.reception import Reception
    from suno_wav_cli.session import Session
    from suno_wav_cli.settings import Settings


@dataclass(frozen=True)
class Request:
    """What to convert. `music_task_id` belongs to every id, and alone stands for all tracks of the task."""

    audio_ids: tuple[str, ...]
    music_task_id: str | None
    wait: bool
    resubmit: bool


def convert_songs(
    request: Request, settings: Settings, secrets: Secrets, environ: Mapping[str, str], report: Report
) -> ExitCode:
    """Convert, and return the exit code. Raises SunoWavError where nothing could be begun."""
    audio_ids = [audio_id_of(argument) for argument in request.audio_ids]
    if request.music_task_id is not None:
        id_of(request.music_task_id, "a task id")
    if not audio_ids and request.music_task_id is None:
        raise UsageError(
            "no audio id was given", "suno-wav convert AUDIO_ID... or, for all tracks: --task-id ID"
        )
    with open_session(settings, secrets, environ, report) as session:
        if settings.provider != SANDBOX and settings.base_url is None and any(map(is_sandbox_id, audio_ids)):
            raise UsageError(
                "demo ids are for the sandbox, and would be charged here", "Add --provider sandbox."
            )
        songs = _songs(audio_ids, request.music_task_id, session)
        orders = planned(songs, settings.out, datetime.now().astimezone().date())
        there = {
            order for order in orders if request.wait and not request.resubmit and _is_there(order, session)
        }
        wanted = [order for order in orders if order not in there]
        _check_music_tasks(_to_pay(wanted, request, session), settings.provider)
        if request.wait:
            check_possible(wanted, ours=session.journal.has_target, force=settings.force)
        for order in orders:
            if order in there:
                report(events.Skipped(order.song.audio_id, order.target))
        try:
            outcomes = _converted(wanted, request, session) if wanted else []
        finally:
            if session.service_ends_with_us:
                # Nothing can continue them.
                for order in wanted:
                    part_of(order.target).unlink(missing_ok=True)
        return _counted(outcomes, len(there), report)


def _is_there(order: Order, session: Session) -> bool:
    settings = session.settings
    if settings.force:
        return False
    if settings.skip_existing and order.target.is_file():
        return True
    entry = session.journal.deciding(order.song.audio_id)
    return entry is not None and session.journal.recognises(entry, order.target)


def _songs(audio_ids: Iterable[str], music_task_id: str | None, session: Session) -> list[Song]:
    songs = [
        Song(audio_id, music_task_id or session.journal.music_task_of(audio_id)) for audio_id in audio_ids
    ]
    if songs or music_task_id is None:
        return songs
    tracks = run(_tracks(music_task_id, session))
    if not tracks:
        raise ConversionFailed(
            f"the music task {music_task_id} has no tracks (yet)",
            "Wait until the song is generated, and check that the id is that of a music task.",
        )
    return list(tracks)


async def _tracks(music_task_id: str, session: Session) -> Sequence[Song]:
    async with open_workshop(session, None) as shop:
        return await shop.client.tracks(music_task_id)


def _converted(orders: Sequence[Order], request: Request, session: Session) -> list[Outcome]:
    if not request.wait:
        return run(_convert(orders, None, request, session))
    with open_way_back(session) if _to_pay(orders, request, session) else nullcontext() as reception:
        return run(_convert(orders, reception, request, session))


def _to_pay(orders: Iterable[Order], request: Request, session: Session) -> list[Order]:
    """Find what is submitted now: no other song is called back."""
    return [
        order for order in orders if request.resubmit or session.journal.deciding(order.song.audio_id) is None
    ]


def _check_music_tasks(orders: Iterable[Order], provider: str) -> None:
    """Raise UsageError for a request that the contract does not have (contract/wav-api.md, section 7)."""
    lacking = [order.song.audio_id for order in orders if order.song.music_task_id is None]
    if lacking and provider_named(provider).needs_music_task:
        others = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
        raise UsageError(
            f"{provider} converts a song only with its music task, which is not known of {lacking[0]}{others}",
            "Add --task-id ID, the task that generated the song. Nothing was submitted.",
        )


async def _convert(
    orders: Sequence[Order], reception: Reception | None, request: Request, session: Session
) -> list[Outcome]:
    async with open_workshop(session, reception, wait=request.wait, resubmit=request.resubmit) as shop:
        return await convert_all(orders, shop)


def _counted(outcomes: Sequence[Outcome], skipped: int, report: Report) -> ExitCode:
    errors = [outcome.error for outcome in outcomes if outcome.error is not None]
    saved = sum(outcome.path is not None for outcome in outcomes)
    left = len(outcomes) - saved - len(errors) + sum(isinstance(error, StillRunning) for error in errors)
    report(events.Summary(len(outcomes) + skipped, saved, skipped, len(outcomes) - saved - left, left))
    if not errors:
        return ExitCode.OK
    return errors[0].exit_code if len(errors) == len(outcomes) + skipped else ExitCode.SOME_FAILED
