"""`jobs`: what this machine knows, without a key and without a network."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from suno_wav_cli.journal import Journal, open_journal
from suno_wav_cli.journal.entry import Account, State
from suno_wav_cli.models import Song, Track
from tests.support.program import run_program
from tests.terminal.test_screen import screen_after

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.program import Sandbox

DAY = 86400.0
SUNOAPI = Account(base_url="https://api.sunoapi.org", provider="sunoapi", kept_days=15)
KIE = Account(base_url="https://api.kie.ai", provider="kie", kept_days=14)


def journal_path() -> Path:
    return Path(os.environ["SUNO_WAV_HOME"]) / "journal.sqlite3"


@contextmanager
def journal_of(service: Account = SUNOAPI) -> Iterator[Journal]:
    with open_journal(journal_path(), service) as journal:
        yield journal


def submitted(journal: Journal, audio_id: str, task_id: str) -> None:
    claim = journal.claim(Song(audio_id=audio_id), Path(f"{audio_id}.wav"))
    journal.accept(claim.entry, task_id)


def saved(journal: Journal, audio_id: str, task_id: str) -> None:
    submitted(journal, audio_id, task_id)
    entry = journal.of_task(task_id)
    assert entry is not None
    target = Path(f"{audio_id}.wav")
    target.write_bytes(b"12345")
    journal.move(journal.begin_rename(journal.move(entry, State.READY), target, 5, "ab" * 32), State.SAVED)


def days_later(days: float, audio_id: str) -> None:
    """Let a conversion have been made that long ago."""
    with closing(sqlite3.connect(journal_path())) as raw, raw:
        raw.execute("UPDATE conversion SET expires = expires - ? WHERE audio_id = ?", (days * DAY, audio_id))


def test_where_there_is_nothing_a_sentence_says_so_and_nothing_is_made() -> None:
    done = run_program("jobs")
    assert (done.code, done.out, done.err) == (0, "", "suno-wav: no conversions recorded on this machine\n")
    assert not journal_path().exists()


def test_the_newest_comes_first_with_its_title_and_file() -> None:
    with journal_of() as journal:
        saved(journal, "song-1", "a" * 32)
        submitted(journal, "song-2", "b" * 32)
        journal.history.remember(
            [
                Track(
                    audio_id="song-1",
                    music_task_id="m" * 32,
                    title="A title",
                    tags=None,
                    duration=None,
                    complete=True,
                )
            ]
        )
    done = run_program("jobs")
    head, second, first = done.out.splitlines()
    assert head.split() == ["SONG", "TASK", "STATE", "STARTED", "EXPIRES", "FILE"]
    day = time.strftime("%Y-%m-%d", time.localtime(time.time() + 15 * DAY))
    assert second.split()[:3] == ["song-2", "b" * 32, "submitted"]
    assert first.startswith("A title")
    assert first.split()[2:4] == ["a" * 32, "saved"]
    assert first.endswith(f"{day}  song-1.wav")
    assert len({line.find("submitted") for line in done.out.splitlines() if "submitted" in line}) == 1
    Path("song-1.wav").unlink()
    assert "gone: song-1.wav" in run_program("jobs").out


def test_each_json_line_is_a_job() -> None:
    with journal_of() as journal:
        submitted(journal, "song-1", "a" * 32)
    (job,) = run_program("jobs", "--json").events
    assert (job["event"], job["state"], job["task_id"]) == ("job", "submitted", "a" * 32)
    assert (job["provider"], job["service"], job["path"]) == ("sunoapi", SUNOAPI.base_url, None)
    assert job["expires"] == pytest.approx(time.time() + 15 * DAY, abs=60)


@pytest.mark.long
def test_the_service_is_named_where_there_are_several() -> None:
    with journal_of() as journal:
        submitted(journal, "song-1", "a" * 32)
    assert "SERVICE" not in run_program("jobs").out
    with journal_of(KIE) as journal:
        submitted(journal, "song-2", "b" * 32)
    out = run_program("jobs").out
    assert "kie api.kie.ai" in out
    assert "sunoapi api.sunoapi.org" in out


@pytest.mark.long
def test_what_expires_comes_soonest_first() -> None:
    with journal_of() as journal:
        for number, audio_id in enumerate(["late", "soon", "sooner", "kept"]):
            submitted(journal, audio_id, f"{number}" * 32)
        saved(journal, "done", "d" * 32)
    for audio_id, days in (("late", 8), ("soon", 13), ("sooner", 14), ("done", 14)):
        days_later(days, audio_id)
    listed = [job["audio_id"] for job in run_program("jobs", "--expiring", "--json").events]
    assert listed == ["sooner", "soon"]
    listed = [job["audio_id"] for job in run_program("jobs", "--expiring", "--days", "10", "--json").events]
    assert listed == ["sooner", "soon", "late"]


def test_unfinished_is_what_no_later_conversion_has_replaced() -> None:
    with journal_of() as journal:
        journal.claim(Song(audio_id="lost"), Path("lost.wav"))
        lost = journal.claim(Song(audio_id="mended"), Path("mended.wav")).entry
        journal.move(lost, State.UNKNOWN)
        journal.accept(
            journal.claim(Song(audio_id="mended"), Path("mended.wav"), replacing=lost).entry, "a" * 32
        )
        refused = journal.claim(Song(audio_id="refused"), Path("refused.wav")).entry
        journal.move(refused, State.REFUSED)
        saved(journal, "done", "d" * 32)
    done = run_program("jobs", "--unfinished", "--json")
    assert [(job["audio_id"], job["state"]) for job in done.events] == [
        ("mended", "submitted"),
        ("lost", "submitting"),
    ]
    assert [job["audio_id"] for job in run_program("jobs", "--failed", "--json").events] == ["refused"]


def test_an_unknown_outcome_is_explained() -> None:
    with journal_of() as journal:
        journal.claim(Song(audio_id="lost"), Path("lost.wav"))
    done = run_program("jobs")
    assert "1 with an unknown outcome" in done.err
    assert "only with --resubmit" in done.err


@pytest.mark.long
def test_there_are_fifty_by_default_and_the_rest_is_said() -> None:
    with journal_of() as journal:
        for number in range(52):
            submitted(journal, f"song-{number}", f"{number:032x}")
    done = run_program("jobs")
    assert len(done.out.splitlines()) == 1 + 50
    assert "50 of 52; --limit 0 shows all" in done.err
    assert len(run_program("jobs", "--limit", "0").out.splitlines()) == 1 + 52


def test_a_song_has_one_row_and_the_reason_why_it_has_no_file() -> None:
    with journal_of() as journal:
        for number in range(3):
            refused = journal.claim(Song(audio_id="refused"), Path("refused.wav")).entry
            journal.move(refused, State.REFUSED, message=f"the service says no {number}")
        lost = journal.claim(Song(audio_id="mended"), Path("mended.wav")).entry
        journal.move(lost, State.UNKNOWN, message="the answer was lost")
        again = journal.claim(Song(audio_id="mended"), Path("mended.wav"), replacing=lost).entry
        found = journal.accept(again, "a" * 32)
        failed = journal.claim(Song(audio_id="mended"), Path("mended.wav"), replacing=found).entry
        journal.move(failed, State.REFUSED, message="not again")
    done = run_program("jobs")
    assert len(done.out.splitlines()) == 3
    assert "the service says no 2" in done.out
    assert "unknown" not in done.out
    assert len(run_program("jobs", "--all").out.splitlines()) == 1 + 6
    assert [job["message"] for job in run_program("jobs", "--failed", "--json").events] == [
        "the service says no 2"
    ]


def test_two_lists_at_once_are_wrong_usage() -> None:
    assert run_program("jobs", "--failed", "--unfinished").code == 2


@pytest.mark.parametrize("columns", [60, 120])
def test_a_table_fits_the_terminal(sandbox: Sandbox, columns: int) -> None:
    title = "Ein sehr langer Titel, der über alle Zeilen hinausgeht 很长的标题"
    with journal_of() as journal:
        saved(journal, "8551ab12-34cd-4e5f-8a9b-0c1d2e3f662c", "a" * 32)
        journal.history.remember(
            [
                Track(
                    audio_id="8551ab12-34cd-4e5f-8a9b-0c1d2e3f662c",
                    music_task_id="m" * 32,
                    title=title,
                    tags=None,
                    duration=None,
                    complete=True,
                )
            ]
        )
        submitted(journal, "song-2", "b" * 32)
    seen = screen_after(sandbox, "jobs", columns=columns)
    assert len(seen) == 3, seen
    assert seen[2].startswith("Ein")
    assert ("saved" in seen[2], "aaaaaaaa" in seen[2], "8551ab" in seen[2]) == (True, True, True)


def test_songs_of_one_title_are_told_apart_in_a_narrow_terminal(sandbox: Sandbox) -> None:
    """By so much of their ids; and a title that is cut does not look like another one."""
    titles = {
        "8551ab12-34cd-4e5f-8a9b-0c1d2e3f662c": "Night Drive",
        "9661ab12-34cd-4e5f-8a9b-0c1d2e3f662c": "Night Drive",
        "7441ab12-34cd-4e5f-8a9b-0c1d2e3f662c": "Harbor Lights at Night, Part One",
        "6331ab12-34cd-4e5f-8a9b-0c1d2e3f662c": "Harbor Lights at Night, Part Two",
    }
    with journal_of() as journal:
        for number, audio_id in enumerate(titles):
            submitted(journal, audio_id, f"{number}" * 32)
        journal.history.remember(
            Track(
                audio_id=audio_id,
                music_task_id="m" * 32,
                title=title,
                tags=None,
                duration=None,
                complete=True,
            )
            for audio_id, title in titles.items()
        )
    names = [line.partition("  ")[0] for line in screen_after(sandbox, "jobs", columns=60)[1:]]
    assert len(set(names)) == 4, names
    assert {"Night Drive (8551ab12)", "Night Drive (9661ab12)"} < set(names)
    piped = [line.partition("  ")[0] for line in run_program("jobs").out.splitlines()[1:]]
    assert piped == [
        "Harbor Lights at Night, Part Two",
        "Harbor Lights at Night, Part One",
        "Night Drive (9661ab12)",
        "Night Drive (8551ab12)",
    ]


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to root")
def test_a_folder_that_cannot_be_written_to_is_read() -> None:
    with journal_of() as journal:
        submitted(journal, "song-1", "a" * 32)
    journal_path().parent.chmod(0o555)
    done = run_program("jobs")
    journal_path().parent.chmod(0o755)
    assert (done.code, "song-1" in done.out) == (0, True)


def test_a_damaged_journal_is_said_in_a_line() -> None:
    journal_path().parent.mkdir()
    journal_path().write_bytes(b"SQLite format 3\0" + b"\xff" * 4096)
    done = run_program("jobs")
    assert (done.code, done.out) == (2, "")
    assert "cannot be used" in done.err
