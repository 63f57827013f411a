"""The conversions of one account, and every step that one of them takes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar, Unpack

from suno_wav_cli.errors import JournalLocked
from suno_wav_cli.journal.entry import (
    NEXT_STATES,
    RESUBMITTABLE,
    UNSAVED,
    Changes,
    Claim,
    JournalEntry,
    State,
)
from suno_wav_cli.journal.parts import Parts
from suno_wav_cli.journal.queries import RANK, History
from suno_wav_cli.journal.rows import stored
from suno_wav_cli.journal.slots import Slots
from suno_wav_cli.journal.uploads import Uploads
from suno_wav_cli.system.look import is_file, look_at

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal
    from pathlib import Path

    from suno_wav_cli.journal.database import Database
    from suno_wav_cli.journal.entry import Account
    from suno_wav_cli.journal.runs import Runs
    from suno_wav_cli.models import Song

T = TypeVar("T")

_DAY = 86400.0
_ONCE_PAID = 120.0
"""Seconds that a change which must not be lost waits for another program."""


class Journal:
    """The conversions of one account. Made by `open_journal`.

    `history` has those of all accounts, `parts` what is known of part files, `uploads` of objects, and
    `slots` the window.
    """

    def __init__(self, database: Database, account: Account, runs: Runs) -> None:
        self._database = database
        self._account = account
        self._runs = runs
        self._followed: dict[int, None] = {}
        self.history = History(database)
        self.parts = Parts(database)
        self.uploads = Uploads(database, runs)
        self.slots = Slots(database, account.base_url)

    async def when_unlocked(self, change: Callable[[], T], *, seconds: float = _ONCE_PAID) -> T:
        """Make a change as soon as no other program is writing. The event loop goes on meanwhile.

        Raise JournalLocked if that takes longer than `seconds`.
        """
        import asyncio

        deadline = time.monotonic() + seconds
        while True:
            try:
                with self._database.without_waiting():
                    return change()
            except JournalLocked:
                if time.monotonic() > deadline:
                    raise
            await asyncio.sleep(0.05)

    def current_entry(self, audio_id: str) -> JournalEntry | None:
        """Find the conversion that decides about a song: the newest that was paid for, or may have been.

        A failed or forgotten one decides only if the song has no other.
        """
        return self._database.entry(
            f"service = ? AND audio_id = ? AND state NOT IN ('refused', 'exists') ORDER BY {RANK}, id DESC",
            self._account.base_url,
            audio_id,
        )

    def songs_named(self, audio_id: str) -> list[JournalEntry]:
        """List the conversions of a song."""
        return self._database.entries(
            "service = ? AND audio_id = ? ORDER BY id", self._account.base_url, audio_id
        )

    def awaiting_task(self) -> list[JournalEntry]:
        """List the songs that may have a task which the journal does not know, each once."""
        entries = self._database.entries(
            "service = ? AND audio_id IS NOT NULL AND state IN ('submitting', 'unknown', 'exists') "
            "AND NOT EXISTS (SELECT 1 FROM conversion AS later WHERE later.service = conversion.service "
            "AND later.audio_id = conversion.audio_id AND later.id > conversion.id AND later.state <> 'refused') "
            "ORDER BY id",
            self._account.base_url,
        )
        return [entry for entry in entries if not self.is_being_submitted(entry)]

    def is_being_submitted(self, entry: JournalEntry) -> bool:
        """Tell whether a living program waits for the answer to the paid request."""
        return entry.state is State.SUBMITTING and self._runs.is_alive(entry.run)

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

    def by_id(self, row_id: int | None) -> JournalEntry:
        """Return the conversion in a row that was written."""
        entry = self._database.entry("id = ?", row_id)
        if entry is None:
            raise AssertionError(f"row {row_id} was written and is not there")
        return entry

    def refresh(self, entry: JournalEntry) -> JournalEntry:
        """Return a conversion as it is now."""
        return self.by_id(entry.id)

    def follow(self, entry: JournalEntry) -> JournalEntry:
        """Count a conversion among those that this run works on. Return it as it is now."""
        self._followed[entry.id] = None
        return self.refresh(entry)

    def unfinished(self) -> list[JournalEntry]:
        """List the conversions of this run that the service has accepted and that are not saved."""
        # A row whose transaction has failed is not there.
        found = [self._database.entry("id = ?", row_id) for row_id in self._followed]
        return [entry for entry in found if entry is not None and entry.state in UNSAVED]

    def claim(
        self,
        song: Song,
        target: Path,
        *,
        replacing: JournalEntry | None = None,
        credits_before: Decimal | None = None,
        authorize: Callable[[int], None] | None = None,
    ) -> Claim:
        """Record that a paid request is about to leave, unless an earlier conversion decides.

        This is one transaction: of two programs that want a song at the same moment, one may pay.
        `replacing` is the earlier conversion that is to be paid for again. It decides all the same
        if its task was found in the meantime. `authorize` is called with the number of the row; if it
        raises, nothing is recorded.
        """
        run = self._runs.begin()
        with self._database.transaction():
            known = self.current_entry(song.audio_id)
            if known is not None and not self._gives_way(known, replacing):
                return Claim(entry=known, new=False)
            entry = self._insert(
                State.SUBMITTING,
                audio_id=song.audio_id,
                music_task_id=song.music_task_id,
                target=target,
                credits_before=credits_before,
                run=run,
            )
            if authorize is not None:
                authorize(entry.id)
        return Claim(entry=self.follow(entry), new=True)

    def _gives_way(self, known: JournalEntry, replacing: JournalEntry | None) -> bool:
        if replacing is None or known.id != replacing.id or self.is_being_submitted(known):
            return False
        return known.state in RESUBMITTABLE or replacing.state not in RESUBMITTABLE

    def accept(self, entry: JournalEntry, wav_task_id: str) -> JournalEntry:
        """Record the task that the service made of a conversion.

        One task belongs to one song. Return the song's earlier conversion if that has the task
        already. If another song has it, return this one, whose outcome is UNKNOWN then.
        """
        with self._database.transaction():
            return self._accept(entry, wav_task_id)

    def adopt(
        self, wav_task_id: str, audio_id: str | None, target: Path | None, accepted: float | None = None
    ) -> JournalEntry:
        """Return the conversion of a task. Record it if this machine did not submit it.

        If its song waits for a task, that conversion gets it. It was `accepted` then, or now.
        """
        with self._database.transaction():
            known = self.of_task(wav_task_id)
            if audio_id is not None and (known is None or known.audio_id is None):
                waiting = next((entry for entry in self.awaiting_task() if entry.audio_id == audio_id), None)
                if waiting is not None:
                    return self._accept(waiting, wav_task_id)
            if known is None:
                known = self._insert(
                    State.SUBMITTED,
                    audio_id=audio_id,
                    target=target,
                    wav_task_id=wav_task_id,
                    expires=self._kept_until(accepted),
                )
            elif known.audio_id is None:
                self._database.update(known.id, {"audio_id": audio_id})
            return self.follow(known)

    def move(self, entry: JournalEntry, state: State, **changes: Unpack[Changes]) -> JournalEntry:
        """Change the state, and whatever else is given. A message lasts until the next step.

        A step that NEXT_STATES does not have is a bug. A power cut may undo READY and SAVED: then the
        service is asked again, or `recognises` finds the whole file. It may undo an UNKNOWN without an
        answer: then the row is SUBMITTING, which means the same.
        """
        if state not in NEXT_STATES[entry.state]:
            raise AssertionError(f"a conversion cannot go from {entry.state} to {state}")
        columns = {"state": state, "updated": time.time(), "message": None}
        if changes.get("wav_task_id") and entry.expires is None:
            columns["expires"] = self._kept_until()
        columns |= {key: new for key, new in changes.items() if new is not None}
        found_again = state in (State.READY, State.SAVED) or (
            state is State.UNKNOWN and entry.state is State.SUBMITTING and not changes.get("answer")
        )
        self._database.update(entry.id, columns, synced=not found_again)
        return self.by_id(entry.id)

    def retarget(self, entry: JournalEntry, target: Path) -> JournalEntry:
        """Record where an unfinished conversion is to be saved now."""
        if entry.state not in UNSAVED or entry.target == target.absolute():
            return entry
        return self.move(entry, entry.state, target=target)

    def begin_rename(self, entry: JournalEntry, target: Path, size: int, sha256: str) -> JournalEntry:
        """Record that the whole file, of `size` bytes, is about to get its name.

        This is written before the rename, so `recognises` knows the file after a crash in between.
        """
        with self._database.transaction():
            self._database.update(entry.id, {"bytes": size})
            self._database.execute(
                "INSERT OR REPLACE INTO place VALUES (?, ?, ?, ?)", entry.id, stored(target), size, sha256
            )
            return self.move(entry, State.READY, target=target)

    def undo_rename(self, entry: JournalEntry, target: Path) -> None:
        """Record that the file did not get its name after all."""
        self._database.change("DELETE FROM place WHERE conversion = ? AND path = ?", entry.id, stored(target))

    def recognises(self, entry: JournalEntry, target: Path) -> bool:
        """Tell whether the file at `target` is this conversion's, and whole."""
        size = status.st_size if is_file(target) and (status := look_at(target)) else None
        saved = [file for file in self.history.saved_files(entry) if file.path == target.absolute()]
        if size is None or size not in [file.bytes for file in saved]:
            return False
        if entry.state is State.READY and entry.target == target.absolute():
            # A crash came between the file's rename and the journal's next line, or just before the rename.
            if not any(file.is_unchanged() for file in saved):
                return False
            self.move(entry, State.SAVED)
        return True

    def _accept(self, entry: JournalEntry, wav_task_id: str) -> JournalEntry:
        known = self.of_task(wav_task_id)
        if known is None:
            return self.move(entry, State.SUBMITTED, wav_task_id=wav_task_id)
        if known.id == entry.id:
            return self.follow(known)
        if known.audio_id not in (None, entry.audio_id):
            said = f"the service named task {wav_task_id}, which is of another song, {known.audio_id}"
            return self.move(entry, State.UNKNOWN, message=said)
        self.move(entry, State.REFUSED, message=f"the service named task {wav_task_id}, which is known")
        # `status` or `listen` may have recorded the task before its song was known.
        music_task_id = known.music_task_id or entry.music_task_id
        target = known.target or entry.target
        self._database.update(
            known.id, {"audio_id": entry.audio_id, "music_task_id": music_task_id, "target": target}
        )
        return self.follow(known)

    def _kept_until(self, accepted: float | None = None) -> float:
        return (accepted or time.time()) + self._account.kept_days * _DAY

    def _insert(self, state: State, **columns: object) -> JournalEntry:
        now, account = time.time(), {"service": self._account.base_url, "provider": self._account.provider}
        return self.by_id(
            self._database.insert(account | {"state": state, "created": now, "updated": now} | columns)
        )
