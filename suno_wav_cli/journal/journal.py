"""The conversions of one account, and every step that one of them takes."""

from __future__ import annotations

import hashlib
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from suno_wav_cli.journal.database import open_database, stored
from suno_wav_cli.journal.entry import NEXT_STATES, UNSAVED, JournalEntry, State
from suno_wav_cli.journal.parts import Parts
from suno_wav_cli.journal.queries import History
from suno_wav_cli.system.look import is_file, look_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from decimal import Decimal
    from pathlib import Path

    from suno_wav_cli.journal.database import Database
    from suno_wav_cli.journal.entry import Account
    from suno_wav_cli.models import Song, Track

_DAY = 86400.0


@dataclass(frozen=True, kw_only=True)
class Claim:
    """The conversion that decides about a song: a `new` one, to be paid for now, or an earlier one."""

    entry: JournalEntry
    new: bool


class Journal:
    """The conversions of one account. Made by `open_journal`.

    `history` has those of all accounts, `parts` what is known of part files.
    """

    def __init__(self, database: Database, account: Account) -> None:
        self._database = database
        self._account = account
        self._followed: dict[int, None] = {}
        self.history = History(database)
        self.parts = Parts(database)

    def current_entry(self, audio_id: str) -> JournalEntry | None:
        """Find the song's newest conversion that was paid for, or may have been, and did not fail."""
        return self._database.entry(
            "service = ? AND audio_id = ? AND state NOT IN ('refused', 'failed') ORDER BY id DESC",
            self._account.base_url,
            audio_id,
        )

    def of_task(self, wav_task_id: str) -> JournalEntry | None:
        return self._database.entry("service = ? AND wav_task_id = ?", self._account.base_url, wav_task_id)

    def newest_task_of(self, audio_id: str) -> JournalEntry | None:
        """Find the song's newest conversion that the service has accepted."""
        return self._database.entry(
            "service = ? AND audio_id = ? AND wav_task_id IS NOT NULL ORDER BY id DESC",
            self._account.base_url,
            audio_id,
        )

    def has_target(self, target: Path) -> bool:
        """Tell whether a download to this file has ever been started."""
        return self._database.entry("target = ? AND wav_url IS NOT NULL", stored(target)) is not None

    def refresh(self, entry: JournalEntry) -> JournalEntry:
        """Return a conversion as it is now."""
        return self._by_id(entry.id)

    def follow(self, entry: JournalEntry) -> JournalEntry:
        """Count a conversion among those that this run works on. Return it as it is now."""
        self._followed[entry.id] = None
        return self.refresh(entry)

    def unfinished(self) -> list[JournalEntry]:
        """List what this run has worked on, the service has accepted and is not saved."""
        # A row whose transaction has failed is not there.
        entries = [self._database.entry("id = ?", row_id) for row_id in self._followed]
        return [entry for entry in entries if entry is not None and entry.state in UNSAVED]

    def claim(
        self,
        song: Song,
        target: Path,
        *,
        anyway: bool,
        credits_before: Decimal | None = None,
        authorize: Callable[[], None] | None = None,
    ) -> Claim:
        """Record that a paid request is about to leave, unless an earlier conversion decides.

        This is one transaction: of two programs that want a song at the same moment, one may pay.
        With `anyway`, no earlier conversion decides. `authorize` is called before a payment is
        recorded; if it raises, nothing is.
        """
        with self._database.transaction():
            known = None if anyway else self.current_entry(song.audio_id)
            if known is not None:
                return Claim(entry=known, new=False)
            if authorize is not None:
                authorize()
            entry = self._insert(
                State.SUBMITTING,
                song.audio_id,
                target,
                music_task_id=song.music_task_id,
                credits_before=None if credits_before is None else str(credits_before),
            )
            return Claim(entry=entry, new=True)

    def accept(self, entry: JournalEntry, wav_task_id: str) -> JournalEntry:
        """Record the task that the service made of a conversion.

        Return the earlier conversion if the journal knows the task already.
        """
        with self._database.transaction():
            known = self.of_task(wav_task_id)
            if known is None:
                return self.move(entry, State.SUBMITTED, wav_task_id=wav_task_id)
            self.move(entry, State.REFUSED, message=f"the service named task {wav_task_id}, which is known")
            return self.follow(known)

    def adopt(self, wav_task_id: str, audio_id: str | None, target: Path | None) -> JournalEntry:
        """Return the conversion of a task. Record it if this machine did not submit it."""
        with self._database.transaction():
            known = self.of_task(wav_task_id)
            if known is not None:
                return self.follow(known)
            return self._insert(
                State.SUBMITTED, audio_id, target, wav_task_id=wav_task_id, expires=self._kept_until()
            )

    def move(
        self,
        entry: JournalEntry,
        state: State,
        *,
        wav_task_id: str | None = None,
        target: Path | None = None,
        wav_url: str | None = None,
        message: str | None = None,
    ) -> JournalEntry:
        """Change the state, and whatever else is given.

        A step that NEXT_STATES does not have is a bug.
        """
        if state not in NEXT_STATES[entry.state]:
            raise AssertionError(f"a conversion cannot go from {entry.state} to {state}")
        self._database.execute(
            "UPDATE conversion SET state = ?, updated = ?, message = ?, "
            "wav_task_id = coalesce(?, wav_task_id), expires = coalesce(expires, ?), "
            "target = coalesce(?, target), wav_url = coalesce(?, wav_url) WHERE id = ?",
            state,
            time.time(),
            message,
            wav_task_id,
            self._kept_until() if wav_task_id else None,
            stored(target),
            wav_url,
            entry.id,
        )
        return self._by_id(entry.id)

    def begin_rename(self, entry: JournalEntry, target: Path, size: int, sha256: str) -> JournalEntry:
        """Record that the whole file, of `size` bytes, is about to get its name.

        This is written before the rename, so `recognises` knows the file after a crash in between.
        """
        with self._database.transaction():
            self._database.execute("UPDATE conversion SET bytes = ? WHERE id = ?", size, entry.id)
            self._database.execute(
                "INSERT OR REPLACE INTO place VALUES (?, ?, ?, ?)", entry.id, stored(target), size, sha256
            )
            return self.move(entry, State.READY, target=target)

    def undo_rename(self, entry: JournalEntry, target: Path) -> None:
        """Record that the file did not get its name after all."""
        with self._database.transaction():
            self._database.execute(
                "DELETE FROM place WHERE conversion = ? AND path = ?", entry.id, stored(target)
            )

    def recognises(self, entry: JournalEntry, target: Path) -> bool:
        """Tell whether the file at `target` is this conversion's, and whole."""
        status = look_at(target) if is_file(target) else None
        size = None if status is None else status.st_size
        saved = [file for file in self.history.saved_files(entry) if file.path == target.absolute()]
        if size is None or size not in [file.bytes for file in saved]:
            return False
        if entry.state is State.READY and entry.target == target.absolute():
            # A crash came between the file's rename and the journal's next line, or just before the rename.
            if _digest(target) not in {file.sha256 for file in saved} - {None}:
                return False
            self.move(entry, State.SAVED)
        return True

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

    def _kept_until(self) -> float:
        return time.time() + self._account.kept_days * _DAY

    def _insert(
        self,
        state: State,
        audio_id: str | None,
        target: Path | None,
        *,
        music_task_id: str | None = None,
        wav_task_id: str | None = None,
        expires: float | None = None,
        credits_before: str | None = None,
    ) -> JournalEntry:
        now = time.time()
        cursor = self._database.execute(
            "INSERT INTO conversion (service, provider, audio_id, music_task_id, wav_task_id, state, target, "
            "created, updated, expires, credits_before) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            self._account.base_url,
            self._account.provider,
            audio_id,
            music_task_id,
            wav_task_id,
            state,
            stored(target),
            now,
            now,
            expires,
            credits_before,
        )
        entry = self._by_id(cursor.lastrowid)
        self._followed[entry.id] = None
        return entry

    def _by_id(self, row_id: int | None) -> JournalEntry:
        entry = self._database.entry("id = ?", row_id)
        if entry is None:
            raise AssertionError(f"row {row_id} was written and is not there")
        return entry


def _digest(path: Path) -> str | None:
    """Return the SHA-256 of a file, or None if it cannot be read."""
    with suppress(OSError), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
    return None


@contextmanager
def open_journal(path: Path | None, account: Account) -> Iterator[Journal]:
    """Open the journal at `path`, or make it. None keeps it in memory.

    Raise UsageError if the file or its folder cannot be used, as every method of the Journal does.
    """
    with open_database(path) as database:
        yield Journal(database, account)
