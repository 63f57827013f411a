"""What this machine knows of all services: lists, and what an id or its beginning stands for."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from suno_wav_cli.journal.database import is_there, open_database, open_for_reading
from suno_wav_cli.journal.entry import SavedFile
from suno_wav_cli.journal.rows import loaded
from suno_wav_cli.system.look import is_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from suno_wav_cli.journal.database import Database
    from suno_wav_cli.journal.entry import JournalEntry
    from suno_wav_cli.models import Track


def _rank(row: str) -> str:
    """Return the SQL for how little a conversion decides about its song.

    0: it was or may have been paid for; 1: it failed or was forgotten; 2: it was not accepted.
    """
    return (
        f"CASE WHEN {row}.state IN ('refused', 'exists') THEN 2 "
        f"WHEN {row}.state IN ('failed', 'forgotten') THEN 1 ELSE 0 END"
    )


RANK = _rank("conversion")
"""The newest of a song's conversions with the lowest rank decides about the song."""
_REPLACED = (
    "EXISTS (SELECT 1 FROM conversion AS later WHERE later.service = conversion.service "
    "AND later.audio_id = conversion.audio_id AND later.id > conversion.id "
    f"AND {_rank('later')} = 0)"
)
_DECIDES = (
    "NOT EXISTS (SELECT 1 FROM conversion AS other WHERE other.service = conversion.service "
    "AND other.audio_id = conversion.audio_id AND other.id <> conversion.id "
    f"AND (-({_rank('other')}), other.id) > (-({RANK}), conversion.id))"
)
_UNFINISHED = f"state IN ('submitting', 'unknown', 'submitted', 'ready') AND NOT {_REPLACED}"


class Listing(StrEnum):
    ALL = "all"
    FAILED = "failed"
    """Not accepted, or the service could not make the file, or has forgotten it."""
    UNFINISHED = "unfinished"
    """Paid for, or perhaps, and not saved; and not replaced by a later conversion of the song."""
    EXPIRING = "expiring"
    """Of these, what the service has accepted and deletes first."""


_PATHS = "SELECT audio_id, target FROM conversion WHERE audio_id IS NOT NULL AND target IS NOT NULL"
_PLACES = "SELECT audio_id, path FROM conversion JOIN place ON place.conversion = conversion.id WHERE audio_id IS NOT NULL"
_LONGEST_BATCH = 86400.0
_NEWEST_FIRST = "id DESC"
_LISTINGS: dict[Listing, tuple[str, str]] = {
    Listing.ALL: ("1", _NEWEST_FIRST),
    Listing.FAILED: ("state IN ('refused', 'exists', 'failed', 'forgotten')", _NEWEST_FIRST),
    Listing.UNFINISHED: (_UNFINISHED, _NEWEST_FIRST),
    Listing.EXPIRING: (f"{_UNFINISHED} AND expires < ?", "expires, id"),
}


@dataclass(frozen=True, kw_only=True)
class Listed:
    """The first conversions of a list, and how many there are in all."""

    entries: list[JournalEntry]
    total: int


class History:
    """The conversions of all services. Every method raises UsageError if the file cannot be used."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def listed(
        self, listing: Listing, *, limit: int = -1, before: float | None = None, every_attempt: bool = True
    ) -> Listed:
        """List the first `limit` conversions, or all if it is negative.

        EXPIRING lists those that the service deletes `before` a time. Without `every_attempt`, only
        the conversion that decides about a song stands for all its attempts.
        """
        where, order = _LISTINGS[listing]
        if not every_attempt:
            where = f"({where}) AND {_DECIDES}"
        values = () if before is None else (before,)
        entries = self._database.entries(f"{where} ORDER BY {order} LIMIT ?", *values, limit)
        ((total,),) = self._database.rows(f"SELECT count(*) FROM conversion WHERE {where}", *values)
        return Listed(entries=entries, total=total)

    def to_resume(self) -> list[JournalEntry]:
        """List what is unfinished, in the order in which the service deletes it; without a task last."""
        return self._database.entries(f"{_UNFINISHED} ORDER BY expires IS NULL, expires, id")

    def newest(self, base_url: str) -> JournalEntry | None:
        return self._database.entry("service = ? ORDER BY id DESC", base_url)

    def newest_with_address(self) -> JournalEntry | None:
        """Find the newest conversion, at any service, whose file has an address."""
        return self._database.entry("wav_url IS NOT NULL ORDER BY id DESC")

    def known_as(self, id_: str, base_url: str | None) -> JournalEntry | None:
        """Find a task by its id, or the conversion that decides about a song.

        None for `base_url` looks at all services.
        """
        return self._database.entry(
            f"(wav_task_id = ? OR audio_id = ?) AND (service = ? OR ? IS NULL) ORDER BY {RANK}, id DESC",
            id_,
            id_,
            base_url,
            base_url,
        )

    def ids_beginning(self, beginning: str, base_url: str | None, *, limit: int) -> list[str]:
        """List the ids of tasks and songs that begin so."""
        rows = self._database.rows(
            "SELECT wav_task_id FROM conversion "
            "WHERE wav_task_id >= ? AND wav_task_id < ? AND (service = ? OR ? IS NULL) "
            "UNION SELECT audio_id FROM conversion "
            "WHERE audio_id >= ? AND audio_id < ? AND (service = ? OR ? IS NULL) "
            "LIMIT ?",
            *(beginning, _after(beginning), base_url, base_url) * 2,
            limit,
        )
        return [id_ for (id_,) in rows]

    def tasks_beginning(self, beginning: str, *, unfinished: bool, limit: int) -> list[JournalEntry]:
        """List the newest conversions whose task id begins so."""
        only = _UNFINISHED if unfinished else "1"
        return self._database.entries(
            f"wav_task_id >= ? AND wav_task_id < ? AND {only} ORDER BY id DESC LIMIT ?",
            beginning,
            _after(beginning),
            limit,
        )

    def elsewhere(self, audio_id: str, base_url: str) -> JournalEntry | None:
        """Find the song's newest task at another service."""
        return self._database.entry(
            "audio_id = ? AND service <> ? AND wav_task_id IS NOT NULL ORDER BY id DESC", audio_id, base_url
        )

    def music_task_of(self, audio_id: str) -> str | None:
        """Return the song's music task, as the service or else an earlier conversion has named it."""
        rows = self._database.rows(
            "SELECT music_task_id FROM track WHERE audio_id = ?", audio_id
        ) or self._database.rows(
            "SELECT music_task_id FROM conversion WHERE audio_id = ? AND music_task_id IS NOT NULL "
            "ORDER BY id DESC LIMIT 1",
            audio_id,
        )
        return str(rows[0][0]) if rows else None

    def title_of(self, audio_id: str) -> str | None:
        rows = self._database.rows("SELECT title FROM track WHERE audio_id = ?", audio_id)
        return rows[0][0] if rows else None

    def paths(self) -> Iterator[tuple[str, Path]]:
        """Yield each song with every file that it was meant for, or saved to."""
        for audio_id, path in self._database.rows(f"{_PATHS} UNION ALL {_PLACES}"):
            yield audio_id, loaded(path)

    def paths_of(self, audio_id: str) -> set[Path]:
        """Return every file that a song was meant for, or saved to."""
        rows = self._database.rows(
            f"{_PATHS} AND audio_id = ? UNION ALL {_PLACES} AND audio_id = ?", audio_id, audio_id
        )
        return {loaded(path) for _, path in rows}

    def style_of(self, audio_id: str) -> str | None:
        rows = self._database.rows("SELECT tags FROM track WHERE audio_id = ?", audio_id)
        return rows[0][0] if rows else None

    def remember(self, tracks: Iterable[Track]) -> None:
        """Record what the service says of songs. Keep a title or length that it no longer tells."""
        with self._database.transaction():
            for track in tracks:
                self._database.execute(
                    "INSERT INTO track VALUES (?, ?, ?, ?, ?) ON CONFLICT (audio_id) DO UPDATE SET "
                    "music_task_id = excluded.music_task_id, title = coalesce(excluded.title, title), "
                    "tags = coalesce(excluded.tags, tags), duration = coalesce(excluded.duration, duration)",
                    track.audio_id,
                    track.music_task_id,
                    track.title,
                    track.tags,
                    track.duration,
                )

    def paid_since_balance(self, entry: JournalEntry) -> tuple[int, int]:
        """Count what was submitted since the balance before `entry` was looked up.

        Return how many were certainly paid for, and how many are undecided. A batch looks it up
        once, so what carries the same balance was submitted after it too.
        """
        ((paid, undecided),) = self._database.rows(
            "SELECT count(wav_task_id), count(CASE WHEN state IN ('submitting', 'unknown') THEN 1 END) FROM conversion "
            "WHERE service = ? AND (created >= ? OR credits_before = ? AND created >= ?)",
            entry.service,
            entry.created,
            None if entry.credits_before is None else str(entry.credits_before),
            entry.created - _LONGEST_BATCH,
        )
        return int(paid), int(undecided)

    def saved_files(self, entry: JournalEntry) -> list[SavedFile]:
        """List the files that were saved from a conversion, even if they are gone."""
        rows = self._database.rows("SELECT path, bytes, sha256 FROM place WHERE conversion = ?", entry.id)
        return [SavedFile(path=loaded(path), bytes=size, sha256=sha256) for path, size, sha256 in rows]

    def newest_file(self, entry: JournalEntry) -> tuple[SavedFile | None, bool]:
        """Return the newest of a conversion's files that is there, or else of all; and whether it is.

        An object counts as there once its store has taken it.
        """
        rows = self._database.rows(
            "SELECT target, bytes, sha256 FROM upload WHERE conversion = ? AND state = 'done'", entry.id
        )
        sent = [SavedFile(path=loaded(target), bytes=size, sha256=sha256) for target, size, sha256 in rows]
        files = sorted(self.saved_files(entry) + sent, key=lambda file: file.path != entry.target)
        there = next((file for file in files if file in sent or is_file(file.path)), None)
        return there or next(iter(files), None), there is not None


@contextmanager
def open_history(path: Path) -> Iterator[History | None]:
    """Open the journal for reading. Upgrade an earlier version. Yield None if there is no journal.

    Raise UsageError.
    """
    with open_for_reading(path) as database:
        if database is not None:
            yield History(database)
            return
    if not is_there(path):
        yield None
        return
    with open_database(path) as database:
        yield History(database)


@contextmanager
def open_history_as_it_is(path: Path) -> Iterator[History | None]:
    """Open the journal without changing it. Yield None if there is none of this version.

    Raise UsageError.
    """
    with open_for_reading(path) as database:
        yield None if database is None else History(database)


def _after(beginning: str) -> str:
    """Return a text that sorts after all that begin so."""
    return beginning + "\U0010ffff"
