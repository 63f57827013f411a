"""What a run on a terminal has to show: events in, counts and songs out. It draws nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING

from suno_wav_cli.terminal.pace import Pace

if TYPE_CHECKING:
    from suno_wav_cli.events.payments import RunBegun
    from suno_wav_cli.events.songs import DownloadProgress

_SPEED_SECONDS = 30.0
"""The speed of a download is that of this last time."""
_SETTLED = 1.0


class Stage(StrEnum):
    SUBMITTING = "submitting"
    CONVERTING = "converting"
    DOWNLOADING = "downloading"
    WAITING = "waiting"
    """For the next try of the download."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SongRow:
    """A song on its way.

    since: when its stage began.
    total: size of the file; None if it is not known.
    samples: times and bytes of the download in progress, for its speed.
    note: what hinders it.
    """

    audio_id: str
    title: str | None
    stage: Stage
    since: float
    accepted_at: float | None = None
    received: int = 0
    total: int | None = None
    samples: tuple[tuple[float, int], ...] = ()
    note: str | None = None

    @property
    def speed(self) -> float | None:
        """Bytes a second."""
        if len(self.samples) <= 1:
            return None
        (began, first), (now, last) = self.samples[0], self.samples[-1]
        return (last - first) / (now - began) if now > began else None

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the download ends."""
        if self.total is None or not self.speed:
            return None
        return max(self.total - self.received, 0) / self.speed

    def advanced(self, event: DownloadProgress, now: float) -> SongRow:
        """Return the row with more bytes. Bytes of an earlier run, or discarded ones, have no speed."""
        samples = self.samples
        if event.received < self.received or self.stage is not Stage.DOWNLOADING:
            samples = ()
        recent = tuple(sample for sample in samples if now - sample[0] <= _SPEED_SECONDS)
        return replace(
            self,
            stage=Stage.DOWNLOADING,
            received=event.received,
            total=event.total,
            samples=(*recent, (now, event.received)),
            note=None,
        )


class RunState:
    """The songs of a run, as its events tell of them. Times come from the caller's clock.

    `window_rate` is how many submissions a second the settings allow.
    """

    def __init__(self, *, window_rate: float) -> None:
        self.begun: RunBegun | None = None
        self.saved = self.skipped = self.failed = self.detached = 0
        self.submitted = self.not_begun = 0
        self.tunnel_since: float | None = None
        self.next_submission: float | None = None
        self.pause: str | None = None
        self.pause_until: float | None = None
        self.ended = False
        self.not_submitted = 0
        self.pace = Pace(window_rate=window_rate)
        # Thousands may be converting: they are apart, so that the few that move are found quickly.
        self._moving: dict[str, SongRow] = {}
        self._converting: dict[str, SongRow] = {}

    @property
    def is_of_many(self) -> bool:
        """Whether this is a run of several songs, of which each has a single line."""
        return self.begun is not None and self.begun.songs > 1

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        nothing = not (self._moving or self._converting or self.tunnel_since is not None or self.is_of_many)
        return self.ended or nothing

    @property
    def at_service(self) -> int:
        return len(self._converting)

    @property
    def to_submit(self) -> int:
        """How many songs are still to be paid for."""
        over = self.submitted + self.not_begun + self.not_submitted
        return max(self.begun.submissions - over, 0) if self.begun else 0

    @property
    def spent(self) -> Decimal:
        """What the songs cost that were submitted, in credits."""
        if self.begun is None or not self.begun.submissions:
            return Decimal(0)
        return self.begun.price * self.submitted / self.begun.submissions

    def rows(self, most: int, now: float) -> list[SongRow]:
        """Return the songs to show: downloads first, then what is submitted, then who waits longest."""
        moving = sorted(self._moving.values(), key=lambda row: row.stage is Stage.SUBMITTING)
        if self.is_of_many:
            # A row that comes and goes twice a second would make the others jump.
            moving = [
                row for row in moving if row.stage is not Stage.SUBMITTING or now - row.since >= _SETTLED
            ]
        return [*moving, *islice(self._converting.values(), most)][:most]

    def title_of(self, audio_id: str) -> str | None:
        row = self.row(audio_id)
        return row.title if row else None

    def seconds_left(self, now: float) -> float | None:
        """Estimate how long the run goes on. Return None if nothing sensible can be said yet."""
        if not self.is_of_many or self.begun is None or self.pause is not None:
            return None
        done = self.saved + self.skipped + self.failed + self.detached + self.not_begun
        return self.pace.seconds_left(now, to_submit=self.to_submit, unfinished=self.begun.songs - done)

    def row(self, audio_id: str) -> SongRow | None:
        return self._moving.get(audio_id) or self._converting.get(audio_id)

    def enter(
        self,
        audio_id: str,
        stage: Stage,
        now: float,
        *,
        title: str | None = None,
        accepted_at: float | None = None,
        received: int = 0,
        note: str | None = None,
    ) -> None:
        """Show the song at the beginning of a stage."""
        before = self.remove(audio_id)
        self.put(
            SongRow(
                audio_id=audio_id,
                title=title or (before.title if before else None),
                stage=stage,
                since=now,
                accepted_at=accepted_at or (before.accepted_at if before else None),
                received=received,
                note=note,
            )
        )

    def change(self, audio_id: str, *, note: str | None, stage: Stage | None = None) -> None:
        row = self.row(audio_id)
        if row is not None and (row.note, row.stage) != (note, stage or row.stage):
            self.put(replace(row, stage=stage or row.stage, note=note))

    def put(self, row: SongRow) -> None:
        place, other = self._moving, self._converting
        if row.stage is Stage.CONVERTING:
            place, other = other, place
        other.pop(row.audio_id, None)
        place[row.audio_id] = row

    def remove(self, audio_id: str) -> SongRow | None:
        # Two tasks may belong to one song: they share a row, which is removed with the first.
        return self._moving.pop(audio_id, None) or self._converting.pop(audio_id, None)
