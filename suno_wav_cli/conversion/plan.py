"""What is to be done with each song and what it costs, decided once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from suno_wav_cli.api.pricing import WAV_PRICE
from suno_wav_cli.api.providers import get_provider
from suno_wav_cli.conversion.known_task import adopt_known
from suno_wav_cli.conversion.targets import choose_targets
from suno_wav_cli.errors import UsageError
from suno_wav_cli.journal.entry import GIVEN_UP, RESUBMITTABLE, UNDECIDED
from suno_wav_cli.system.look import is_file

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from suno_wav_cli.conversion.context import ConversionContext
    from suno_wav_cli.journal.entry import JournalEntry, State
    from suno_wav_cli.models import Song


class Action(StrEnum):
    """What becomes of a song. Only SUBMIT is paid for."""

    THERE = "there"
    """Its file is there already."""
    CONTINUE = "continue"
    """It was paid for before, or another program is just paying for it."""
    UNKNOWN = "unknown"
    """It is not known whether an earlier request was accepted, so another one is not sent."""
    FAILED = "failed"
    """The service could not make the file. It is only looked up once more."""
    FORGOTTEN = "forgotten"
    """The service no longer knew the task. It is only looked up once more."""
    SUBMIT = "submit"


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """A song, the file that it becomes, and how. `entry` is the conversion that decided this.

    An `entry` that is to be submitted is replaced by the new conversion.
    """

    song: Song
    target: Path
    action: Action
    entry: JournalEntry | None = None

    @property
    def price(self) -> Decimal:
        return WAV_PRICE if self.action is Action.SUBMIT else Decimal(0)

    @property
    def is_forced(self) -> bool:
        """Whether a song is paid for again that is saved, or still at the service."""
        return (
            self.action is Action.SUBMIT and self.entry is not None and self.entry.state not in RESUBMITTABLE
        )


def make_plan(
    context: ConversionContext,
    songs: Sequence[Song],
    *,
    wait: bool,
    resubmit: bool,
    named: Collection[str] = (),
) -> list[Job]:
    """Decide what is to be done with each song. Raise UsageError if two would become one file.

    `resubmit` pays again for what failed, is unknown or was forgotten. With `--force` it also does
    for the songs whose ids are `named` on the command line, whatever became of them. Without `wait`
    no file is looked for: only the task is wanted.
    """
    today = datetime.now().astimezone().date()
    journal, settings = context.journal, context.settings
    targets = choose_targets(songs, settings.out, today, spool=context.spool, in_use=context.names)
    context.songs.update(song.audio_id for song in songs)
    plan = []
    for song, target in zip(songs, targets, strict=True):
        entry = journal.current_entry(song.audio_id) or adopt_known(context, song, target)
        insists = resubmit and settings.force and song.audio_id in named
        if wait and not insists and _is_there(context, target, entry):
            action = Action.THERE
        elif entry is not None and journal.is_being_submitted(entry):
            action = Action.CONTINUE
        else:
            action = choose_action(entry.state if entry else None, resubmit=resubmit, insists=insists)
        plan.append(Job(song=song, target=target, action=action, entry=entry))
    return plan


def choose_action(state: State | None, *, resubmit: bool, insists: bool) -> Action:
    """Decide about a song by its earlier conversion, which no other program is submitting."""
    if state is None or insists or (resubmit and state in RESUBMITTABLE):
        return Action.SUBMIT
    if state in UNDECIDED:
        return Action.UNKNOWN
    return Action(state) if state in GIVEN_UP else Action.CONTINUE


def submissions(plan: Sequence[Job]) -> int:
    """Count the songs that are to be paid for."""
    return sum(job.action is Action.SUBMIT for job in plan)


def check_music_tasks(plan: Sequence[Job], provider: str) -> None:
    """Raise UsageError for a request that the contract does not have (api/README.md, section 7)."""
    if not get_provider(provider).needs_music_task:
        return
    lacking = [
        job.song.audio_id for job in plan if job.action is Action.SUBMIT and job.song.music_task_id is None
    ]
    if lacking:
        others = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
        raise UsageError(
            f"{provider} converts a song only with its music task, which is not known of {lacking[0]}{others}",
            "Add --task-id ID, the task that generated the song. Nothing was submitted.",
        )


def _is_there(context: ConversionContext, target: Path, entry: JournalEntry | None) -> bool:
    settings = context.settings
    if settings.force:
        return False
    if settings.skip_existing and is_file(target):
        return True
    return entry is not None and context.journal.recognises(entry, target)
