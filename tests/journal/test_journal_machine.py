"""Any sequence of what can happen to conversions leaves a legal journal, which a model that is simpler than it predicts."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
)

from suno_wav_cli.journal import Listing, open_journal
from suno_wav_cli.journal.entry import (
    GIVEN_UP,
    NEXT_STATES,
    UNDECIDED,
    Account,
    JournalEntry,
    State,
)
from suno_wav_cli.models import Song
from tests.support.quick import examples

SONGS = st.sampled_from(["song-1", "song-2"])
TASKS = st.sampled_from([f"task-{number}" for number in range(4)])
PLACES = st.sampled_from(["one.wav", "two.wav"])
SERVICES = (
    Account(base_url="https://one.example", provider="sunoapi", kept_days=15),
    Account(base_url="https://two.example", provider="kie", kept_days=14),
)
NOTHING_PAID = {State.REFUSED, State.EXISTS}


@dataclass(frozen=True)
class Row:
    """What the model knows of a conversion."""

    audio_id: str | None
    task_id: str | None
    state: State
    places: frozenset[str] = frozenset()


class Conversions(RuleBasedStateMachine):
    """Two programs, one at each service, on one file; either may end and come back at any moment."""

    claimed: Bundle[int] = Bundle("claimed")
    accepted: Bundle[int] = Bundle("accepted")

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.folder = Path(self.stack.enter_context(TemporaryDirectory()))
        self.rows: dict[int, Row] = {}

    @initialize()
    def begin(self) -> None:
        self.opened = ExitStack()
        self.journals = [
            self.opened.enter_context(open_journal(self.folder / "journal.sqlite3", service))
            for service in SERVICES
        ]
        self.journal = self.journals[0]

    def teardown(self) -> None:
        if hasattr(self, "opened"):
            self.opened.close()
        self.stack.close()

    @rule()
    def everything_ends_and_begins_again(self) -> None:
        self.opened.close()
        self.begin()

    @rule(target=claimed, song=SONGS, again=st.booleans())
    def claim(self, song: str, again: bool) -> int | MultipleResults[int]:
        expected = self.current_entry(song)
        # A claim that this very program still holds is not replaced.
        if again and expected is not None and self.rows[expected].state is not State.SUBMITTING:
            replacing, expected = self.entry(expected), None
        else:
            replacing = None
        claim = self.journal.claim(Song(audio_id=song), self.folder / "one.wav", replacing=replacing)
        assert claim.new == (expected is None)
        if not claim.new:
            assert claim.entry.id == expected
            return multiple()
        self.rows[claim.entry.id] = Row(audio_id=song, task_id=None, state=State.SUBMITTING)
        return claim.entry.id

    @rule(target=accepted, row=consumes(claimed), task=TASKS)
    def is_accepted(self, row: int, task: str) -> int | MultipleResults[int]:
        if self.rows[row].state is not State.SUBMITTING:
            # Its program has ended, and the task was found in another way.
            return multiple()
        known = self.of_task(task)
        song = self.rows[row].audio_id
        entry = self.journal.accept(self.entry(row), task)
        if known is None:
            self.rows[row] = replace(self.rows[row], state=State.SUBMITTED, task_id=task)
        elif self.rows[known].audio_id in (None, song):
            self.rows[row] = replace(self.rows[row], state=State.REFUSED)
            self.rows[known] = replace(self.rows[known], audio_id=song)
        else:
            # One task belongs to one song.
            self.rows[row] = replace(self.rows[row], state=State.UNKNOWN)
            assert entry.id == row
            return multiple()
        assert entry.id == (row if known is None else known)
        return entry.id

    @rule(row=consumes(claimed), state=st.sampled_from([State.REFUSED, State.EXISTS, State.UNKNOWN]))
    def is_refused_or_lost(self, row: int, state: State) -> None:
        if self.rows[row].state is State.SUBMITTING:
            self.journal.move(self.entry(row), state, message="because")
            self.rows[row] = replace(self.rows[row], state=state)

    @rule(target=accepted, task=TASKS, song=st.one_of(st.none(), SONGS))
    def is_adopted(self, task: str, song: str | None) -> int:
        known = self.of_task(task)
        is_named = song is not None and (known is None or self.rows[known].audio_id is None)
        waiting = self.waiting(song) if is_named else None
        entry = self.journal.adopt(task, song, None)
        if known is not None:
            if is_named:
                self.rows[known] = replace(self.rows[known], audio_id=song)
            if waiting is not None:
                self.rows[waiting] = replace(self.rows[waiting], state=State.REFUSED)
        elif waiting is not None:
            self.rows[waiting] = replace(self.rows[waiting], state=State.SUBMITTED, task_id=task)
        else:
            self.rows[entry.id] = Row(audio_id=song, task_id=task, state=State.SUBMITTED)
        assert entry.id == next(one for one in (known, waiting, entry.id) if one is not None)
        return entry.id

    @rule(row=accepted, state=st.sampled_from([State.READY, State.FAILED, State.FORGOTTEN]))
    def is_decided(self, row: int, state: State) -> None:
        self.journal.move(self.entry(row), state)
        self.rows[row] = replace(self.rows[row], state=state)

    @rule(row=accepted, place=PLACES, crash=st.booleans())
    def is_saved(self, row: int, place: str, crash: bool) -> None:
        """With `crash`, the program dies between the rename and the journal's next line."""
        target = self.folder / place
        sha256 = hashlib.sha256(b"12345").hexdigest()
        entry = self.journal.begin_rename(self.journal.move(self.entry(row), State.READY), target, 5, sha256)
        target.write_bytes(b"12345")
        if not crash:
            self.journal.move(entry, State.SAVED)
        assert self.journal.recognises(self.entry(row), target)
        before = self.rows[row]
        self.rows[row] = replace(before, state=State.SAVED, places=before.places | {place})

    @rule(row=accepted)
    def nobody_at_the_other_service_decides(self, row: int) -> None:
        entry = self.entry(row)
        assert self.journals[1].of_task(entry.wav_task_id or "") is None
        assert entry.audio_id is None or self.journals[1].current_entry(entry.audio_id) is None

    @invariant()
    def every_row_is_as_the_model_has_it(self) -> None:
        if not hasattr(self, "journal"):
            return
        for number, row in self.rows.items():
            entry = self.entry(number)
            assert (entry.audio_id, entry.wav_task_id, entry.state) == (row.audio_id, row.task_id, row.state)
            assert {place.path.name for place in self.journal.history.saved_files(entry)} == row.places
            assert (entry.wav_task_id is None) == (entry.state in UNDECIDED | NOTHING_PAID)
            assert (entry.expires is None) == (entry.wav_task_id is None)

    @invariant()
    def what_is_unfinished_decides_about_its_song(self) -> None:
        if not hasattr(self, "journal"):
            return
        expected = {
            number
            for number, row in self.rows.items()
            if row.state not in NOTHING_PAID | GIVEN_UP | {State.SAVED}
            and (row.audio_id is None or self.current_entry(row.audio_id) == number)
        }
        assert {entry.id for entry in self.journal.history.to_resume()} == expected

    def waiting(self, song: str | None) -> int | None:
        """Find the conversion of a song that may have a task which the journal does not know."""
        for number, row in self.rows.items():
            later = [
                other
                for one, other in self.rows.items()
                if one > number and other.audio_id == song and other.state is not State.REFUSED
            ]
            if row.audio_id == song and row.state in UNDECIDED | {State.EXISTS} and not later:
                return None if self.journal.is_being_submitted(self.entry(number)) else number
        return None

    def entry(self, row: int) -> JournalEntry:
        known = {entry.id: entry for entry in self.journal.history.listed(Listing.ALL).entries}
        assert set(known) == set(self.rows)
        assert set(NEXT_STATES) >= {entry.state for entry in known.values()}
        return known[row]

    def of_task(self, task: str) -> int | None:
        return next((number for number, row in self.rows.items() if row.task_id == task), None)

    def current_entry(self, song: str) -> int | None:
        of_song = [
            number
            for number, row in self.rows.items()
            if row.audio_id == song and row.state not in NOTHING_PAID
        ]
        return max(
            of_song, key=lambda number: (self.rows[number].state not in GIVEN_UP, number), default=None
        )


Conversions.TestCase.settings = settings(max_examples=examples(25), stateful_step_count=25, deadline=None)
TestConversions = Conversions.TestCase
