"""A journal of an earlier version becomes one of this, whole, whatever happens meanwhile."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from suno_wav_cli.journal import SCHEMA_VERSION, open_history, open_history_as_it_is, open_journal
from suno_wav_cli.journal.entry import Account, SavedFile, State
from tests.support.program import REPOSITORY, run_program

if TYPE_CHECKING:
    from multiprocessing.synchronize import Barrier

JOURNALS = REPOSITORY / "tests" / "journals"
EARLIER = pytest.mark.parametrize("earlier", range(1, SCHEMA_VERSION))
FILE = Path("journal.sqlite3")
SUNOAPI = Account(base_url="https://api.sunoapi.org", provider="sunoapi", kept_days=15)
DAY = 86400.0


@pytest.fixture(autouse=True)
def old_journal() -> None:
    shutil.copy(JOURNALS / "version-1.sqlite3", FILE)


def rows(file: Path) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(file)) as raw:
        raw.row_factory = sqlite3.Row
        return [dict(row) for row in raw.execute("SELECT * FROM conversion ORDER BY id")]


def version(file: Path) -> int:
    with closing(sqlite3.connect(file)) as raw:
        return int(raw.execute("PRAGMA user_version").fetchone()[0])


@EARLIER
def test_nothing_is_lost(earlier: int) -> None:
    """Every row and column is as it was, in each of the states that there were."""
    shutil.copy(JOURNALS / f"version-{earlier}.sqlite3", FILE)
    before = rows(FILE)
    assert {State(row["state"]) for row in before} == set(State) - {State.EXISTS, State.FORGOTTEN}
    with open_journal(FILE, SUNOAPI):
        pass
    after = rows(FILE)
    assert version(FILE) == SCHEMA_VERSION
    assert [{name: row[name] for name in before[0]} for row in after] == before


def test_what_is_new_is_worked_out_from_what_there_was() -> None:
    with open_journal(FILE, SUNOAPI) as journal:
        (expiring, *_) = journal.history.to_resume()
        saved = journal.newest_task_of("8551ab12-34cd-4e5f-8a9b-000000000005")
        assert saved is not None
        assert journal.history.saved_files(saved) == [
            SavedFile(path=Path("/home/ada/wavs/5.wav"), bytes=1152044, sha256=None)
        ]
        sandbox = journal.history.newest("http://127.0.0.1:4010")
    assert (expiring.wav_task_id or "").endswith("d3")
    assert expiring.expires == expiring.created + 15 * DAY
    assert (saved.provider, saved.bytes) == ("sunoapi", 1152044)
    assert sandbox is not None
    assert (sandbox.provider, sandbox.target) == (
        "sandbox",
        Path(os.fsdecode(b"/home/ada/wavs/demo \xe9.wav")),
    )


@EARLIER
def test_an_upgraded_journal_has_the_tables_of_a_new_one(earlier: int) -> None:
    shutil.copy(JOURNALS / f"version-{earlier}.sqlite3", FILE)
    for file in (FILE, Path("new.sqlite3")):
        with open_journal(file, SUNOAPI):
            pass
    tables = []
    for file in (FILE, Path("new.sqlite3")):
        with closing(sqlite3.connect(file)) as raw:
            tables.append(raw.execute("SELECT type, name, sql FROM sqlite_master ORDER BY name").fetchall())
    assert tables[0] == tables[1]


def test_jobs_upgrades_what_it_finds_and_completion_does_not() -> None:
    with open_history_as_it_is(FILE) as history:
        assert history is None
    assert version(FILE) == 1
    with open_history(FILE) as history:
        assert history is not None
        assert len(history.to_resume()) == 5
    assert version(FILE) == SCHEMA_VERSION


@pytest.mark.long
def test_the_program_lists_what_the_first_version_wrote() -> None:
    done = run_program("jobs", "--json", env={"SUNO_WAV_HOME": str(Path.cwd())})
    assert (done.code, len(done.named("job"))) == (0, 9)


def upgrades(file: Path, together: Barrier) -> None:
    together.wait(20)
    with open_journal(file, SUNOAPI) as journal:
        journal.adopt(f"wav-{os.getpid()}", None, None)


@pytest.mark.long
def test_programs_may_upgrade_at_once() -> None:
    spawn = multiprocessing.get_context("spawn")
    together = spawn.Barrier(4)
    programs = [spawn.Process(target=upgrades, args=(FILE.absolute(), together)) for _ in range(4)]
    for program in programs:
        program.start()
    for program in programs:
        program.join(20)
    assert [program.exitcode for program in programs] == [0, 0, 0, 0]
    assert len(rows(FILE)) == 9 + 4


STATEMENTS = 27
"""How many the upgrade has, from BEGIN to COMMIT, at least."""


@pytest.mark.first_cases(5)
@pytest.mark.parametrize("nth", range(1, STATEMENTS))
def test_a_kill_in_the_middle_leaves_one_version_or_the_other(nth: int) -> None:
    """SIGKILL right before the nth statement, where SQLite itself says that it begins one."""
    program = f"""
import os, signal, sqlite3
from pathlib import Path
from suno_wav_cli.journal.migrations import bring_up_to_date
count = 0
def begins(statement):
    global count
    count += 1
    if count == {nth}:
        os.kill(os.getpid(), signal.SIGKILL)
connection = sqlite3.connect("journal.sqlite3", isolation_level=None)
connection.set_trace_callback(begins)
bring_up_to_date(connection)
"""
    done = subprocess.run([sys.executable, "-c", program], timeout=60, check=False)
    assert done.returncode in (0, -signal.SIGKILL)
    # Whoever looks first, without upgrading, sees version 1 whole or version 2 whole.
    found = version(FILE)
    assert found == (1 if done.returncode else SCHEMA_VERSION)
    assert ("provider" in rows(FILE)[0]) == (found == SCHEMA_VERSION)
    with open_journal(FILE, SUNOAPI) as journal:
        assert len(journal.history.to_resume()) == 5
