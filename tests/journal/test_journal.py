"""The journal: what was paid for is never lost, and never paid for twice."""

from __future__ import annotations

import asyncio
import hashlib
import multiprocessing
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suno_wav_cli.errors import JournalLocked, JournalLost, JournalUnusable, NoCredits, UsageError
from suno_wav_cli.journal import SCHEMA_VERSION, Listing, open_journal
from suno_wav_cli.journal.entry import GIVEN_UP, NEXT_STATES, Account, Claim, State
from suno_wav_cli.models import Song
from tests.support.quick import examples

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.synchronize import Barrier

    from suno_wav_cli.journal import Journal
    from suno_wav_cli.journal.entry import JournalEntry
    from tests.support.program import Sandbox

SERVICE = Account(base_url="https://api.example", provider="sunoapi", kept_days=15)
TARGET = Path("song.wav")
SONG = Song(audio_id="audio-1", music_task_id="music-1")

# How a new entry gets to each state.
WAYS: dict[State, tuple[State, ...]] = {
    State.SUBMITTING: (),
    State.UNKNOWN: (State.UNKNOWN,),
    State.REFUSED: (State.REFUSED,),
    State.EXISTS: (State.EXISTS,),
    State.SUBMITTED: (State.SUBMITTED,),
    State.READY: (State.SUBMITTED, State.READY),
    State.SAVED: (State.SUBMITTED, State.READY, State.SAVED),
    State.FAILED: (State.SUBMITTED, State.FAILED),
    State.FORGOTTEN: (State.SUBMITTED, State.FORGOTTEN),
}
NOTHING_PAID = {State.REFUSED, State.EXISTS}
LEGAL = [(state, following) for state in State for following in sorted(NEXT_STATES[state])]
ILLEGAL = [
    (state, following) for state in State for following in State if following not in NEXT_STATES[state]
]


@contextmanager
def journal_at(path: Path = Path("journal.sqlite3"), service: Account = SERVICE) -> Iterator[Journal]:
    with open_journal(path, service) as journal:
        yield journal


@pytest.fixture
def journal() -> Iterator[Journal]:
    with open_journal(None, SERVICE) as opened:
        yield opened


def intended(journal: Journal, song: Song = SONG, target: Path = TARGET) -> JournalEntry:
    claim = journal.claim(song, target)
    assert claim.new
    return claim.entry


def brought_to(state: State, journal: Journal, song: Song = SONG) -> JournalEntry:
    entry = intended(journal, song)
    for step in WAYS[state]:
        entry = journal.move(entry, step, wav_task_id="wav-1" if step is State.SUBMITTED else None)
    return entry


def test_every_state_says_what_may_follow() -> None:
    assert set(NEXT_STATES) == set(State) == set(WAYS)


def row(entry: JournalEntry) -> dict[str, object]:
    """Read what is on the disk, past the journal."""
    with closing(sqlite3.connect("journal.sqlite3")) as raw:
        raw.row_factory = sqlite3.Row
        return dict(raw.execute("SELECT * FROM conversion WHERE id = ?", (entry.id,)).fetchone())


@pytest.mark.first_cases(3)
@pytest.mark.parametrize(("state", "following"), LEGAL, ids=str)
def test_a_legal_step_is_taken_and_on_the_disk_at_once(state: State, following: State) -> None:
    with journal_at() as journal:
        entry = journal.move(brought_to(state, journal), following)
        assert (entry.state, row(entry)["state"]) == (following, following)


@pytest.mark.first_cases(7)
@pytest.mark.parametrize(("state", "following"), ILLEGAL, ids=str)
def test_an_illegal_step_is_a_bug_and_changes_nothing(state: State, following: State) -> None:
    with journal_at() as journal:
        entry = brought_to(state, journal)
        before = row(entry)
        with pytest.raises(AssertionError, match=f"cannot go from {state} to {following}"):
            journal.move(entry, following)
        assert row(entry) == before


def test_an_intention_is_there_before_the_request_leaves(journal: Journal) -> None:
    entry = intended(journal)
    assert (entry.state, entry.service, entry.audio_id, entry.music_task_id, entry.target) == (
        State.SUBMITTING,
        SERVICE.base_url,
        "audio-1",
        "music-1",
        TARGET.absolute(),
    )
    assert (entry.wav_task_id, entry.wav_url, entry.bytes, entry.message) == (None, None, None, None)
    assert entry.name == "audio-1"
    assert journal.current_entry("audio-1") == entry


@pytest.mark.parametrize("state", list(State))
def test_a_song_is_paid_for_anew_only_where_nothing_paid_can_be_lost(journal: Journal, state: State) -> None:
    """Else the conversion that decides about it is named, and stays as it is."""
    before = brought_to(state, journal)
    claim = journal.claim(SONG, Path("other.wav"))
    assert claim.new == (state in NOTHING_PAID)
    if claim.new:
        assert (claim.entry.state, claim.entry.id > before.id) == (State.SUBMITTING, True)
    else:
        assert claim.entry == before


@pytest.mark.parametrize("state", list(State))
def test_a_song_is_paid_for_again_in_place_of_the_conversion_that_was_decided_about(
    journal: Journal, state: State
) -> None:
    before = brought_to(state, journal)
    claim = journal.claim(SONG, TARGET, replacing=before)
    assert (claim.new, claim.entry.id > before.id) == (True, True)
    assert journal.current_entry("audio-1") == claim.entry


def test_of_two_who_replace_a_conversion_the_second_continues_what_the_first_has_begun(
    journal: Journal,
) -> None:
    lost = brought_to(State.UNKNOWN, journal)
    first = journal.claim(SONG, TARGET, replacing=lost)
    assert journal.claim(SONG, TARGET, replacing=lost) == Claim(entry=first.entry, new=False)


@pytest.mark.first_cases(2)
@pytest.mark.parametrize("state", [State.UNKNOWN, State.FAILED, State.FORGOTTEN])
def test_a_conversion_whose_file_came_after_all_is_not_replaced(journal: Journal, state: State) -> None:
    lost = brought_to(state, journal)
    found = journal.move(lost, State.SUBMITTED, wav_task_id="wav-2")
    assert journal.claim(SONG, TARGET, replacing=lost) == Claim(entry=found, new=False)


@pytest.mark.parametrize("state", [State.SUBMITTED, State.READY, State.SAVED, State.UNKNOWN])
def test_where_paying_again_was_refused_the_earlier_conversion_decides_again(
    journal: Journal, state: State
) -> None:
    """It was paid for, and is not forgotten."""
    before = brought_to(state, journal)
    journal.move(journal.claim(SONG, TARGET, replacing=before).entry, State.REFUSED)
    assert journal.current_entry("audio-1") == before
    assert journal.claim(SONG, TARGET).new is False


@pytest.mark.parametrize("state", [State.FAILED, State.FORGOTTEN])
def test_what_was_given_up_decides_only_if_there_is_no_other(journal: Journal, state: State) -> None:
    given_up = brought_to(state, journal)
    again = journal.claim(SONG, TARGET, replacing=given_up).entry
    assert journal.current_entry("audio-1") == again
    journal.move(again, State.UNKNOWN)
    worse = journal.claim(SONG, TARGET, replacing=journal.current_entry("audio-1")).entry
    journal.move(journal.accept(worse, "wav-2"), state)
    assert (journal.current_entry("audio-1") or worse).id == again.id


@pytest.mark.parametrize("later", [State.REFUSED, State.EXISTS, State.FAILED, State.FORGOTTEN])
@pytest.mark.parametrize("earlier", [State.UNKNOWN, State.SAVED, State.FAILED, State.FORGOTTEN])
def test_the_row_of_a_song_is_that_of_the_conversion_that_decides(
    journal: Journal, earlier: State, later: State
) -> None:
    again = journal.claim(SONG, TARGET, replacing=brought_to(earlier, journal)).entry
    if later in (State.FAILED, State.FORGOTTEN):
        again = journal.accept(again, "wav-2")
    journal.move(again, later)
    listed = journal.history.listed(Listing.ALL, every_attempt=False)
    assert listed.entries == [journal.current_entry("audio-1")]


def test_songs_and_services_are_apart() -> None:
    with journal_at() as journal:
        intended(journal)
        intended(journal, Song(audio_id="audio-2"))
    with journal_at(service=Account(base_url="https://other.example", provider="kie", kept_days=14)) as other:
        assert other.current_entry("audio-1") is None
        intended(other)
        assert other.history.music_task_of("audio-1") == "music-1"


def test_the_music_task_of_the_second_try_is_remembered(journal: Journal) -> None:
    """Refused for want of the music task, then given it: that is what later runs shall find."""
    journal.move(intended(journal, Song(audio_id="audio-1")), State.REFUSED, message="taskId is required")
    assert intended(journal, Song(audio_id="audio-1", music_task_id="music-1")).music_task_id == "music-1"
    assert journal.history.music_task_of("audio-1") == "music-1"


def test_a_step_records_what_came_with_it_and_keeps_the_rest(journal: Journal) -> None:
    entry = intended(journal)
    entry = journal.move(entry, State.SUBMITTED, wav_task_id="wav-1")
    entry = journal.move(entry, State.READY, wav_url="https://cdn.example/a.wav", target=Path("b.wav"))
    entry = journal.begin_rename(entry, Path("b.wav"), 1234, "ab" * 32)
    entry = journal.move(entry, State.SAVED)
    assert (entry.wav_task_id, entry.wav_url, entry.bytes, entry.target, entry.music_task_id) == (
        "wav-1",
        "https://cdn.example/a.wav",
        1234,
        Path("b.wav").absolute(),
        "music-1",
    )
    assert journal.of_task("wav-1") == entry
    assert entry.created <= entry.updated


def test_a_message_lasts_until_the_next_step(journal: Journal) -> None:
    entry = journal.move(brought_to(State.SUBMITTED, journal), State.FAILED, message="no audio")
    assert entry.message == "no audio"
    assert journal.move(entry, State.READY).message is None


@pytest.mark.parametrize(
    "text",
    ["", "a'; DROP TABLE conversion; --", "Ünïcödé 🎵", "two\nlines", "x" * 100_000],
    ids=["empty", "SQL", "letters", "lines", "long"],
)
def test_any_text_comes_back_as_it_was(text: str) -> None:
    with journal_at() as journal:
        journal.move(intended(journal), State.UNKNOWN, message=text)
    with journal_at() as journal:
        entry = journal.current_entry("audio-1")
        assert entry is not None
        assert entry.message == text


def test_the_newest_conversion_decides_about_a_song(journal: Journal) -> None:
    brought_to(State.FAILED, journal)
    second = journal.claim(SONG, TARGET, replacing=journal.current_entry("audio-1")).entry
    assert journal.current_entry("audio-1") == second
    assert journal.current_entry("audio-2") is None


def test_the_last_task_of_a_song_is_found_behind_a_try_that_got_none(journal: Journal) -> None:
    entry = journal.move(intended(journal), State.SUBMITTED, wav_task_id="wav-1")
    journal.move(journal.claim(SONG, TARGET, replacing=entry).entry, State.REFUSED)
    assert journal.newest_task_of("audio-1") == entry
    assert journal.newest_task_of("audio-2") is None


def test_a_task_of_elsewhere_is_adopted(journal: Journal) -> None:
    entry = journal.adopt("wav-1", "audio-1", TARGET)
    assert (entry.state, entry.wav_task_id, entry.audio_id, entry.target) == (
        State.SUBMITTED,
        "wav-1",
        "audio-1",
        TARGET.absolute(),
    )
    assert (journal.of_task("wav-1"), journal.current_entry("audio-1")) == (entry, entry)


def test_a_task_may_be_adopted_without_a_song_and_without_a_file(journal: Journal) -> None:
    entry = journal.adopt("wav-1", None, None)
    assert (entry.audio_id, entry.target, entry.name) == (None, None, "wav-1")


def test_an_accepted_submission_gets_its_tasks_id(journal: Journal) -> None:
    entry = journal.accept(intended(journal), "wav-1")
    assert (entry.state, entry.wav_task_id) == (State.SUBMITTED, "wav-1")
    assert journal.of_task("wav-1") == entry


def test_a_submission_that_is_answered_with_a_known_task_becomes_that_one(journal: Journal) -> None:
    """One row a task, and nothing new was paid for."""
    known = brought_to(State.SAVED, journal)
    entry = journal.claim(SONG, TARGET, replacing=known).entry
    assert journal.accept(entry, "wav-1") == known
    assert journal.current_entry("audio-1") == known


def test_a_task_of_another_song_is_not_taken(journal: Journal) -> None:
    """One task belongs to one song: what became of the second payment is not known."""
    brought_to(State.SAVED, journal)
    second = journal.accept(intended(journal, Song(audio_id="audio-2")), "wav-1")
    assert (second.state, second.wav_task_id) == (State.UNKNOWN, None)
    assert "task wav-1, which is of another song, audio-1" in str(second.message)
    assert [entry.audio_id for entry in journal.awaiting_task()] == ["audio-2"]


def test_a_task_that_was_recorded_before_its_song_was_known_gets_it(journal: Journal) -> None:
    """`listen` may have heard of it before the submission was answered."""
    heard = journal.adopt("wav-1", None, None)
    accepted = journal.accept(intended(journal), "wav-1")
    assert (accepted.id, accepted.audio_id, accepted.target) == (heard.id, "audio-1", TARGET.absolute())
    assert journal.current_entry("audio-1") == accepted


@pytest.mark.parametrize("state", [State.SUBMITTING, State.UNKNOWN, State.EXISTS], ids=str)
@pytest.mark.parametrize("heard", [None, ("wav-1", None), ("wav-1", "audio-1")])
def test_a_task_that_its_song_waits_for_is_not_adopted_beside_it(
    journal: Journal, state: State, heard: tuple[str, str | None] | None
) -> None:
    """One conversion has the task, whoever has heard of it first, and decides about the song."""
    waiting = intended(journal)
    if state is not State.SUBMITTING:
        waiting = journal.move(waiting, state, message="it is not known")
    if heard is not None:
        journal.move(journal.adopt(*heard, None), State.FAILED)
    adopted = journal.adopt("wav-1", "audio-1", None)
    assert (adopted.wav_task_id, adopted.audio_id) == ("wav-1", "audio-1")
    assert journal.accept(waiting, "wav-1").id == adopted.id
    assert journal.current_entry("audio-1") == journal.refresh(adopted)
    assert journal.awaiting_task() == []


def test_a_task_without_a_song_gets_the_one_that_its_record_names(journal: Journal) -> None:
    """Otherwise the song would be paid for once more."""
    heard = journal.adopt("wav-1", None, None)
    assert journal.adopt("wav-1", "audio-1", TARGET).id == heard.id
    assert journal.claim(SONG, TARGET).new is False


def test_songs_that_may_have_a_task_are_listed_once(journal: Journal) -> None:
    for number in range(2):
        journal.move(intended(journal, Song(audio_id="audio-0")), State.EXISTS, message=f"{number}")
    lost = brought_to(State.UNKNOWN, journal)
    journal.move(journal.claim(SONG, TARGET, replacing=lost).entry, State.REFUSED)
    brought_to(State.SUBMITTED, journal, Song(audio_id="audio-2"))
    assert [(entry.audio_id, entry.state, entry.message) for entry in journal.awaiting_task()] == [
        ("audio-0", State.EXISTS, "1"),
        ("audio-1", State.UNKNOWN, None),
    ]


def test_a_target_is_known_once_its_download_was_begun(journal: Journal) -> None:
    """Until then a `.part` beside it is somebody else's."""
    entry = brought_to(State.SUBMITTED, journal)
    assert journal.has_target(TARGET) is False
    journal.move(entry, State.READY, wav_url="https://cdn.example/song.wav", target=TARGET)
    assert journal.has_target(TARGET) is True
    assert journal.has_target(TARGET.absolute()) is True
    assert journal.has_target(Path("other.wav")) is False


def test_a_task_that_is_known_is_adopted_once(journal: Journal) -> None:
    """Two runs of `status` for one task, at the same moment: neither finds the journal broken."""
    first = journal.adopt("wav-1", "audio-1", TARGET)
    second = journal.adopt("wav-1", "audio-1", TARGET)
    assert second.id == first.id


@pytest.mark.long
def test_an_older_task_can_be_fetched_while_the_song_is_converted_anew(sandbox: Sandbox) -> None:
    """Given up by --resubmit, and finished all the same: it was paid for."""
    (old,) = sandbox.run("convert", "demo+old", "--no-wait").out.split()
    (new,) = sandbox.run("convert", "demo+old", "--no-wait", "--resubmit", "--force").out.split()
    assert old != new
    done = sandbox.run("status", old, "--wait", "--download", "--out", "old.wav")
    assert (done.code, done.out, done.err.count("cannot be used")) == (0, "old.wav\n", 0)


def test_a_file_is_confirmed_by_its_place_and_size(journal: Journal) -> None:
    TARGET.write_bytes(b"12345")
    entry = brought_to(State.SUBMITTED, journal)
    assert journal.recognises(entry, TARGET) is False
    entry = journal.begin_rename(entry, TARGET, 5, "ab" * 32)
    entry = journal.move(entry, State.SAVED)
    assert journal.recognises(entry, TARGET) is True
    assert journal.recognises(entry, Path("other.wav")) is False
    TARGET.write_bytes(b"1234")
    assert journal.recognises(entry, TARGET) is False
    TARGET.unlink()
    assert journal.recognises(entry, TARGET) is False


def test_a_crash_between_the_rename_and_the_journal_is_mended(journal: Journal) -> None:
    TARGET.write_bytes(b"12345")
    sha256 = hashlib.sha256(b"12345").hexdigest()
    entry = journal.begin_rename(brought_to(State.SUBMITTED, journal), TARGET, 5, sha256)
    assert journal.recognises(entry, TARGET) is True
    mended = journal.of_task("wav-1")
    assert mended is not None
    assert mended.state is State.SAVED


def claims(path: Path, songs: list[str], together: Barrier, found: multiprocessing.Queue[int]) -> None:
    """Run in a process of its own: claim every song, as soon as the others are there too."""
    with journal_at(path) as journal:
        for audio_id in songs:
            together.wait(20)
            found.put(journal.claim(Song(audio_id=audio_id), TARGET).new)


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("state", [None, State.REFUSED, State.EXISTS])
def test_of_two_programs_that_claim_a_song_at_once_exactly_one_may_pay(state: State | None) -> None:
    """New, or refused before: the other one learns that the song is being converted."""
    path, songs = Path("journal.sqlite3").absolute(), [f"audio-{n}" for n in range(20)]
    if state is not None:
        with journal_at(path) as journal:
            for audio_id in songs:
                journal.move(intended(journal, Song(audio_id=audio_id)), state)
    spawn = multiprocessing.get_context("spawn")
    together, found = spawn.Barrier(2), spawn.Queue()
    programs = [spawn.Process(target=claims, args=(path, songs, together, found)) for _ in range(2)]
    for program in programs:
        program.start()
    claimed = [found.get(timeout=20) for _ in range(2 * len(songs))]
    for program in programs:
        program.join(20)
    assert [program.exitcode for program in programs] == [0, 0]
    assert sum(claimed) == len(songs)


def opens(path: Path, together: Barrier) -> None:
    together.wait(20)
    with journal_at(path) as journal:
        journal.adopt(f"wav-{os.getpid()}", None, None)


@pytest.mark.long
def test_programs_that_start_at_once_on_no_journal_make_one() -> None:
    path = Path("home/journal.sqlite3").absolute()
    spawn = multiprocessing.get_context("spawn")
    together = spawn.Barrier(4)
    programs = [spawn.Process(target=opens, args=(path, together)) for _ in range(4)]
    for program in programs:
        program.start()
    for program in programs:
        program.join(20)
    assert [program.exitcode for program in programs] == [0, 0, 0, 0]
    with journal_at(path) as journal:
        assert all(journal.of_task(f"wav-{program.pid}") is not None for program in programs)


@pytest.mark.long
def test_a_change_survives_a_kill_right_after_it() -> None:
    """As a power cut would, SIGKILL leaves no time to close anything."""
    program = """
import os, signal, sys
from pathlib import Path
from suno_wav_cli.journal.entry import Account
from suno_wav_cli.journal import open_journal
from suno_wav_cli.models import Song
with open_journal(Path("journal.sqlite3"), Account(base_url="https://api.example", provider="sunoapi", kept_days=15)) as journal:
    entry = journal.claim(Song(audio_id="audio-1", music_task_id="music-1"), Path("song.wav")).entry
    if sys.argv[1] == "submitted":
        journal.accept(entry, "wav-1")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    for moment, state, task in (
        ("intended", State.SUBMITTING, None),
        ("submitted", State.SUBMITTED, "wav-1"),
    ):
        for file in Path().glob("journal.sqlite3*"):
            file.unlink()
        done = subprocess.run([sys.executable, "-c", program, moment], timeout=60, check=False)
        assert done.returncode == -signal.SIGKILL
        with journal_at() as journal:
            entry = journal.current_entry("audio-1")
            assert entry is not None
            assert (entry.state, entry.wav_task_id) == (state, task)


def test_a_newer_journal_is_refused_and_not_touched() -> None:
    with journal_at() as journal:
        intended(journal)
    with closing(sqlite3.connect("journal.sqlite3")) as raw:
        raw.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    with pytest.raises(UsageError, match="newer suno-wav") as caught, journal_at():
        pass
    assert "Upgrade" in caught.value.remedy
    with closing(sqlite3.connect("journal.sqlite3")) as raw:
        assert raw.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION + 1,)
        assert raw.execute("SELECT count(*) FROM conversion").fetchone() == (1,)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"this is not a database, and long enough to be looked at" * 20, id="a text"),
        pytest.param(b"SQLite format 3\0" + bytes(4096), id="a header and zeros"),
        pytest.param(b"SQLite format 3\0" + b"\xff" * 4096, id="a header and rubbish"),
    ],
)
def test_a_file_that_is_no_journal_is_refused_and_not_touched(content: bytes) -> None:
    Path("journal.sqlite3").write_bytes(content)
    with pytest.raises(UsageError, match=r"journal\.sqlite3 cannot be used"), journal_at() as journal:
        intended(journal)
    assert Path("journal.sqlite3").read_bytes() == content


HOSTILE_ROWS = [
    ("state", "archived"),
    ("message", b"\xff\xfe"),
    ("wav_url", b"https://x"),
    ("created", 1e300),
    ("created", -1e300),
    ("updated", "yesterday"),
    ("updated", b""),
    ("expires", 1e12),
    ("credits", "1e99999999"),
    ("credits", "NaN"),
    ("credits_before", "-Infinity"),
    ("credits_before", "1E-9999999"),
    ("credits", "\x1b[2J"),
    ("bytes", "many"),
]


@pytest.mark.parametrize(("column", "value"), HOSTILE_ROWS)
def test_a_row_that_no_version_of_ours_writes_is_damage(column: str, value: object) -> None:
    """SQLite takes any value in any column, and a folder may be shared with whoever wrote this one."""
    with journal_at() as journal:
        brought_to(State.FAILED, journal)
        with closing(sqlite3.connect("journal.sqlite3")) as raw, raw:
            raw.execute(f"UPDATE conversion SET {column} = ?", [value])  # noqa: S608
        with pytest.raises(JournalUnusable, match="cannot be used"):
            journal.history.listed(Listing.ALL)


def test_an_empty_file_is_damaged_because_a_new_journal_never_is(tmp_path: Path) -> None:
    """A full disk or a copy that broke off has emptied it, and what was paid for stood there."""
    file = tmp_path / "journal.sqlite3"
    file.touch()
    with pytest.raises(UsageError, match="cannot be used: it is empty"), journal_at(file):
        pass
    assert file.stat().st_size == 0
    file.unlink()
    with journal_at(file) as journal:
        intended(journal)
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".tmp"] == []


def test_a_journal_that_is_replaced_during_a_run_is_said_before_anything_is_paid_for() -> None:
    """SQLite would go on writing to a file that has no name any more."""
    with journal_at() as journal:
        entry = intended(journal)
        Path("journal.sqlite3").rename("elsewhere.sqlite3")
        shutil.copy("elsewhere.sqlite3", "journal.sqlite3")
        with pytest.raises(JournalLost, match="was replaced"):
            journal.accept(entry, "wav-1")
        with pytest.raises(JournalLost):
            intended(journal, Song(audio_id="audio-2"))


@pytest.mark.parametrize("how", ["removed", "moved", "folder removed"])
def test_a_journal_that_vanishes_during_a_run_is_written_again(how: str) -> None:
    """The next run would pay once more for songs that it does not know."""
    folder = Path("state")
    restored: list[Path] = []
    path = folder / "journal.sqlite3"
    with open_journal(path, SERVICE, restored.append) as journal:
        entry = intended(journal)
        if how == "removed":
            for file in folder.glob("journal.sqlite3*"):
                file.unlink()
        elif how == "moved":
            path.rename("elsewhere.sqlite3")
        else:
            shutil.rmtree(folder)
        journal.accept(entry, "wav-1")
        intended(journal, Song(audio_id="audio-2"))
    assert restored == [path]
    with open_journal(path, SERVICE) as journal:
        task, other = journal.of_task("wav-1"), journal.current_entry("audio-2")
    assert task is not None
    assert other is not None
    assert (task.audio_id, task.state) == (entry.audio_id, State.SUBMITTED)
    assert sorted(file.name for file in folder.iterdir() if file.is_file()) == ["journal.sqlite3"]


def test_a_journal_of_which_only_the_log_is_left_is_not_made_anew() -> None:
    """SQLite would put the log's changes into the new file."""
    with journal_at() as journal:
        intended(journal)
        Path("journal.sqlite3").unlink()
        with pytest.raises(UsageError, match=r"only its log \(-wal\) is left"), journal_at():
            pass
    assert not Path("journal.sqlite3").exists()


@contextmanager
def locked(path: Path = Path("journal.sqlite3")) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield other


def test_what_is_paid_for_is_recorded_as_soon_as_another_program_lets_it() -> None:
    """The event loop goes on meanwhile: it is what ends the other program's transaction here."""

    async def accepts(journal: Journal, entry: JournalEntry, other: sqlite3.Connection) -> JournalEntry:
        asyncio.get_running_loop().call_later(0.1, other.execute, "ROLLBACK")
        return await journal.when_unlocked(lambda: journal.accept(entry, "wav-1"))

    with journal_at() as journal:
        entry = intended(journal)
        with locked() as other:
            assert asyncio.run(accepts(journal, entry, other)).state is State.SUBMITTED


def test_a_journal_that_stays_locked_is_said() -> None:
    with journal_at() as journal:
        entry = intended(journal)
        with locked(), pytest.raises(JournalLocked, match="database is locked"):
            asyncio.run(journal.when_unlocked(lambda: journal.accept(entry, "wav-1"), seconds=0))


CLAIMS = """
import sys
from pathlib import Path
from suno_wav_cli.journal.entry import Account
from suno_wav_cli.journal import open_journal
from suno_wav_cli.models import Song
with open_journal(Path("journal.sqlite3"), Account(base_url="https://api.example", provider="sunoapi", kept_days=15)) as journal:
    journal.claim(Song(audio_id="audio-1"), Path("song.wav"))
    print("claimed", flush=True)
    sys.stdin.read()
"""


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("end", ["kill", "terminate"])
def test_a_claim_of_a_living_program_is_told_from_that_of_a_dead_one(end: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CLAIMS], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == b"claimed\n"
        with journal_at() as journal:
            entry = journal.current_entry("audio-1")
            assert entry is not None
            assert journal.is_being_submitted(entry)
            assert journal.claim(SONG, TARGET, replacing=entry).new is False
            assert journal.awaiting_task() == []
            getattr(program, end)()
            program.wait()
            assert not journal.is_being_submitted(entry)
            assert journal.claim(SONG, TARGET, replacing=entry).new is True
    assert list(Path("runs").iterdir()) == []


STATEMENTS = {
    "no table": "DROP TABLE conversion",
    "a state that is none": "UPDATE conversion SET state = 'dreaming'",
    "a text that is none": "UPDATE conversion SET message = CAST(x'fffe' AS TEXT)",
}


def damage(file: Path, how: str) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as raw:
        raw.execute("PRAGMA journal_mode = DELETE")
        if how in STATEMENTS:
            raw.execute(STATEMENTS[how])
    content = file.read_bytes()
    if how == "cut":
        file.write_bytes(content[: len(content) // 2])
    elif how == "overwritten":
        file.write_bytes(content[:4096] + b"\xa5" * (len(content) - 4096))


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("how", [*STATEMENTS, "cut", "overwritten"])
def test_a_damaged_journal_is_said_in_a_line_and_nothing_is_paid_for(sandbox: Sandbox, how: str) -> None:
    """Exit 2, not a bug: nothing is submitted without the journal."""
    home = Path("home").absolute()
    audio_id = f"demo+damaged-{how.replace(' ', '-')}"
    with open_journal(home / "journal.sqlite3", sandbox.service) as journal:
        brought_to(State.UNKNOWN, journal, Song(audio_id=audio_id))
    damage(home / "journal.sqlite3", how)
    done = sandbox.run("convert", audio_id, env={"SUNO_WAV_HOME": str(home)})
    assert (done.code, sandbox.counted("submissions", audio_id)) == (2, 0)
    assert "journal.sqlite3 cannot be used" in done.err


@pytest.mark.long
def test_a_journal_that_cannot_be_written_any_more_is_said_in_a_line(sandbox: Sandbox) -> None:
    """The disk fills up in the middle of a run: exit 2 and what to do, not a bug."""
    program = (
        "import resource\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))\n"
        "from suno_wav_cli.cli.main import main\n"
        "main()\n"
    )
    songs = [f"demo+full{n}" for n in range(8)]
    done = subprocess.run(
        [sys.executable, "-c", program, "convert", *songs, "--no-wait", "--jobs", "1"],
        env={**os.environ, **sandbox.settings},
        capture_output=True,
        timeout=60,
        check=False,
        text=True,
    )
    assert done.stderr.count("a bug in suno-wav") == 0
    assert "journal.sqlite3 cannot be used: " in done.stderr
    assert done.returncode == 2


def test_a_folder_that_is_a_file_is_refused() -> None:
    Path("home").touch()
    with (
        pytest.raises(UsageError, match=r"home/journal\.sqlite3 cannot be used"),
        journal_at(Path("home/journal.sqlite3")),
    ):
        pass


def test_a_journal_that_is_a_folder_is_refused() -> None:
    Path("journal.sqlite3").mkdir()
    with pytest.raises(UsageError, match="cannot be used"), journal_at():
        pass


@pytest.mark.parametrize(
    "place", ["/proc/suno-wav/journal.sqlite3", "/dev/full/journal.sqlite3", "/dev/full"]
)
def test_a_place_that_takes_no_file_is_refused(place: str) -> None:
    with pytest.raises(UsageError, match="cannot be used"), journal_at(Path(place)):
        pass


def test_the_folder_of_the_journal_is_the_persons_own() -> None:
    with journal_at(Path("home/journal.sqlite3")):
        assert Path("home").stat().st_mode & 0o077 == 0


@pytest.mark.long
def test_a_folder_whose_name_is_no_text_is_as_good_as_any(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file system takes any bytes, and old ones hold names in Latin-1."""
    folder = Path(os.fsdecode(b"caf\xe9"))
    folder.mkdir()
    monkeypatch.chdir(folder)
    done = sandbox.run("convert", "demo+latin-folder", "--out", "song.wav")
    assert (done.code, done.out) == (0, "song.wav\n")
    again = sandbox.run("convert", "demo+latin-folder", "--out", "song.wav")
    assert (again.code, sandbox.counted("accepted", "demo+latin-folder")) == (0, 1)


def test_a_journal_in_memory_leaves_no_file() -> None:
    with open_journal(None, SERVICE) as journal:
        intended(journal)
    assert list(Path().iterdir()) == []


@settings(deadline=None, max_examples=examples(60))
@given(data=st.data())
def test_any_sequence_of_legal_steps_keeps_the_rules(data: st.DataObject) -> None:
    """Whatever happened, the newest conversion that may have been paid for and was not given up decides about a song."""
    with open_journal(None, SERVICE) as journal:
        entries: dict[int, JournalEntry] = {}
        for _ in range(data.draw(st.integers(1, 15))):
            steps = [(entry, step) for entry in entries.values() for step in sorted(NEXT_STATES[entry.state])]
            a_step, audio_id, again = data.draw(st.tuples(st.booleans(), SONGS, st.booleans()))
            if steps and a_step:
                chosen, step = data.draw(st.sampled_from(steps))
                entry = journal.move(chosen, step)
                assert (entry.id, entry.state) == (chosen.id, step)
            else:
                before = current_entry(audio_id, entries)
                claim = journal.claim(Song(audio_id=audio_id), TARGET, replacing=before if again else None)
                assert claim.new == (again or before is None)
                entry = claim.entry
                assert claim.new or entry == before
            entries[entry.id] = entry
            for name in ("audio-1", "audio-2"):
                assert journal.current_entry(name) == current_entry(name, entries)


SONGS = st.sampled_from(["audio-1", "audio-2"])


def current_entry(audio_id: str, entries: dict[int, JournalEntry]) -> JournalEntry | None:
    of_song = [entry for entry in entries.values() if entry.audio_id == audio_id]
    return max(
        (entry for entry in of_song if entry.state not in NOTHING_PAID),
        key=lambda entry: (entry.state not in GIVEN_UP, entry.id),
        default=None,
    )


def test_a_payment_that_is_not_authorized_leaves_no_row(journal: Journal) -> None:
    def refuse(_row: int) -> None:
        raise NoCredits("no more", "")

    with pytest.raises(NoCredits):
        journal.claim(SONG, TARGET, authorize=refuse)
    assert journal.current_entry("audio-1") is None
    known = journal.accept(journal.claim(SONG, TARGET).entry, "task-1")
    assert journal.claim(SONG, TARGET, authorize=refuse).entry == known
    # A row that was taken back may have had the number of another program's.
    assert journal.unfinished() == [known]


def test_the_journal_tells_what_this_run_has_left_unfinished() -> None:
    """Only what this run has worked on, and the service has accepted."""
    with journal_at() as earlier:
        other = earlier.adopt("task-other", "other", TARGET)
        resumed = earlier.adopt("task-resumed", "resumed", TARGET)
        assert [entry.id for entry in earlier.unfinished()] == [other.id, resumed.id]
    with journal_at() as journal:
        assert journal.unfinished() == []
        journal.follow(resumed)
        saved = journal.adopt("task-saved", "saved", TARGET)
        journal.move(journal.claim(Song(audio_id="lost"), TARGET).entry, State.UNKNOWN)
        accepted = journal.accept(journal.claim(SONG, TARGET).entry, "task-1")
        assert journal.unfinished() == [resumed, saved, accepted]
        journal.move(journal.move(saved, State.READY), State.SAVED)
        assert journal.unfinished() == [resumed, accepted]


def test_what_could_not_be_recorded_is_not_unfinished(journal: Journal) -> None:
    """A full disk may show itself at the commit. The line that continues the other songs must not fail for it."""
    accepted = journal.accept(journal.claim(SONG, TARGET).entry, "task-1")
    with suppress(OSError), journal._database.transaction():  # noqa: SLF001
        journal._insert(State.SUBMITTING, audio_id="audio-2")  # noqa: SLF001
        raise OSError("the disk is full")
    assert journal.unfinished() == [accepted]
