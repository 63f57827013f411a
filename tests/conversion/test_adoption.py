"""Which task is a song's: proven by its record, by being the only one, or by a person."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from suno_wav_cli.api.providers import SUNOAPI
from suno_wav_cli.conversion.adoption import is_proven
from suno_wav_cli.journal import open_journal
from suno_wav_cli.journal.entry import Account, JournalEntry, State
from suno_wav_cli.models import Song, WavRecord, WavState
from tests.support.program import named, read_until, started
from tests.support.wild import TASK, envelope, good_answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.responses import Response

    from suno_wav_cli.journal import Journal
    from tests.support.program import Sandbox
    from tests.support.wild import Seen, Wild

ONE = "8551ab12-34cd-4e5f-8a9b-0c1d2e3f662c"
TWO = "1f0c2d3e-55aa-4b6c-9d8e-7f6a5b4c3d2e"
OTHER = "b" * 32


@contextmanager
def journal_of(wild: Wild) -> Iterator[Journal]:
    account = Account(base_url=wild.address, provider="sunoapi", kept_days=15)
    with open_journal(Path(os.environ["SUNO_WAV_HOME"]) / "journal.sqlite3", account) as journal:
        yield journal


def lost(journal: Journal, audio_id: str, *candidates: str) -> JournalEntry:
    entry = journal.claim(Song(audio_id=audio_id, music_task_id="music"), Path(f"{audio_id}.wav")).entry
    return journal.move(
        entry, State.UNKNOWN, message="it is not known", answer='{"odd": 1}', candidates=candidates or None
    )


def paid(wild: Wild) -> int:
    return wild.methods.count("POST")


@pytest.mark.parametrize(
    ("audio_id", "age", "candidates", "is_taken", "proven"),
    [
        pytest.param(ONE, None, (TASK,), False, True, id="it names the song"),
        pytest.param(ONE.upper(), None, (TASK, OTHER), True, True, id="whatever else there is"),
        pytest.param(TWO, None, (TASK,), False, False, id="it names another"),
        pytest.param(None, None, (TASK,), False, True, id="it names none"),
        pytest.param(None, -1.0, (TASK,), False, True, id="it is younger than the request"),
        pytest.param(None, 60.0, (TASK,), False, False, id="it is older than the request"),
        pytest.param(None, None, (TASK, OTHER), False, False, id="one of two"),
        pytest.param(None, None, (TASK,), True, False, id="the id is known as something else"),
    ],
)
def test_a_record_proves_whose_task_it_is(
    audio_id: str | None, age: float | None, candidates: tuple[str, ...], is_taken: bool, proven: bool
) -> None:
    account = Account(base_url="https://api.example", provider="sunoapi", kept_days=15)
    with open_journal(None, account) as journal:
        entry = lost(journal, ONE, *candidates)
    made = None if age is None else entry.created - age
    record = WavRecord(task_id=TASK, state=WavState.PENDING, audio_id=audio_id, created_at=made)
    assert is_proven(entry, record, is_taken=is_taken) is proven


@pytest.mark.first_cases(2)
@pytest.mark.parametrize("command", ["resume", "convert"])
@pytest.mark.parametrize(
    ("candidates", "record", "code"),
    [
        pytest.param([TASK], {"musicId": ONE}, 0, id="named"),
        pytest.param([OTHER, TASK], {}, 6, id="two without a name"),
        pytest.param([TASK], {}, 0, id="the only one"),
        pytest.param([TASK], {"musicId": TWO}, 6, id="another song's"),
        pytest.param(["music"], {}, 6, id="the music task"),
    ],
)
def test_a_later_run_tries_the_ids_of_an_answer_that_was_not_understood(
    wild: Wild, command: str, candidates: list[str], record: dict[str, Any], code: int
) -> None:
    """Free of charge: nothing is submitted, whatever comes of it."""
    wild.serves(**record)
    with journal_of(wild) as journal:
        lost(journal, ONE, *candidates)
    done = wild.run(command, ONE, "--out", "song.wav")
    assert (done.code, Path("song.wav").exists(), paid(wild)) == (code, code == 0, 0)


def test_status_shows_the_answer_that_was_not_understood(wild: Wild) -> None:
    with journal_of(wild) as journal:
        lost(journal, ONE)
    done = wild.run("status", ONE)
    assert done.code == 2
    assert 'it is not known whether the service accepted it. The service answered: {"odd": 1}' in done.err


@pytest.mark.long
def test_a_song_that_is_given_another_songs_task_is_unknown(wild: Wild) -> None:
    """Both would become the same file. Nothing is saved for the second, and the first is as it was."""
    assert wild.run("convert", ONE).code == 0
    done = wild.run("convert", TWO)
    assert (done.code, Path(f"{TWO}.wav").exists()) == (6, False)
    assert f"the service named task {TASK}, which is of another song, {ONE}" in done.err
    assert (wild.run("convert", ONE, TWO).code, paid(wild)) == (5, 2)


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    ("record", "code"), [({"musicId": TWO}, 6), ({"musicId": OTHER}, 0), ({"musicId": ONE.upper()}, 0)]
)
def test_a_record_of_another_song_of_the_run_is_not_saved(
    wild: Wild, record: dict[str, Any], code: int
) -> None:
    """An id that no known song has is only said: live services may mask it."""
    wild.serves(**record)
    with journal_of(wild) as journal:
        lost(journal, TWO)
    done = wild.run("convert", ONE, "--out", "song.wav")
    assert (done.code, Path("song.wav").exists()) == (code, code == 0)
    if code:
        assert f"names another song, {TWO}: nothing was saved" in done.err
        assert f"To continue: suno-wav resume {TASK}" in done.err
    else:
        assert ("warning: the record" in done.err) == (record["musicId"] == OTHER)


def exists(wild: Wild, record: dict[str, Any] | None, data: object = None) -> None:
    """Answer a submission with 409 and a task, which the service knows as `record`."""

    def answer(seen: Seen) -> Response:
        if seen.path == SUNOAPI.submit_path:
            return envelope(409, "exists", data or {"taskId": TASK})
        if seen.path == SUNOAPI.record_path and record is None:
            return envelope(404, "no such task")
        return good_answer(f"{wild.address}/song.wav", record or {}, seen)

    wild.answer = answer


@pytest.mark.long
@pytest.mark.parametrize(
    ("record", "doubt"),
    [
        (None, "the service does not know it"),
        ({"musicId": TWO}, f"its record names another song, {TWO}"),
    ],
)
def test_a_409_that_leads_nowhere_is_said_and_the_task_of_the_log_attached(
    wild: Wild, record: dict[str, Any] | None, doubt: str
) -> None:
    exists(wild, record)
    done = wild.run("convert", ONE, "--out", "song.wav")
    assert done.code == 7
    assert f"it names task {TASK}, but {doubt}" in done.err
    wild.serves()
    assert wild.run("resume", OTHER).code == 0
    with journal_of(wild) as journal:
        (entry,) = journal.songs_named(ONE)
        assert (entry.state, entry.wav_task_id) == (State.SAVED, OTHER)


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(("command", "code"), [("convert", 7), ("resume", 0)])
def test_a_task_of_a_known_song_is_given_to_no_other(wild: Wild, command: str, code: int) -> None:
    """Not even if the ids of the two songs are not alike, so that the record's could be a masked one."""
    with journal_of(wild) as journal:
        if command == "resume":
            lost(journal, ONE)
        journal.adopt("c" * 32, "song-2", None)
    exists(wild, {"musicId": "song-2"})
    done = wild.run(command, ONE if command == "convert" else TASK)
    with journal_of(wild) as journal:
        (entry,) = journal.songs_named(ONE)
        assert (done.code, entry.wav_task_id, entry in journal.awaiting_task()) == (code, None, True)


@pytest.mark.first_cases(2)
@pytest.mark.parametrize(
    ("data", "record", "saved"),
    [
        pytest.param([{"taskId": OTHER}], {}, True, id="in a list"),
        pytest.param({"recordId": OTHER}, {"musicId": ONE}, True, id="by another name"),
        pytest.param({"id": OTHER, "recordId": TASK}, {"musicId": ONE}, True, id="one of two, named"),
        pytest.param({"id": OTHER, "recordId": TASK}, {}, False, id="one of two, without a name"),
        pytest.param({"recordId": OTHER}, {"musicId": TWO}, False, id="another song's"),
        pytest.param({"recordId": OTHER}, None, False, id="not there"),
    ],
)
def test_a_409_may_name_the_task_in_an_odd_place(
    wild: Wild, data: object, record: dict[str, Any] | None, saved: bool
) -> None:
    exists(wild, record, data)
    done = wild.run("convert", ONE, "--out", "song.wav")
    assert (done.code, Path("song.wav").exists()) == ((0, True) if saved else (7, False))


@pytest.mark.long
def test_a_409_whose_task_cannot_be_looked_up_is_checked_later(wild: Wild) -> None:
    """The service was away when it named the task, which turns out to be another song's."""
    exists(wild, {"musicId": TWO})
    there = wild.answer
    wild.answer = lambda seen: envelope(500) if seen.path == SUNOAPI.record_path else there(seen)
    assert wild.run("convert", ONE, "--timeout", "1s").code == 6
    wild.answer = there
    done = wild.run("convert", ONE)
    assert (done.code, f"names another song, {TWO}: nothing was saved" in done.err) == (6, True)
    assert list(Path().glob("*.wav")) == []
    exists(wild, {"musicId": ONE})
    assert wild.run("resume").code == 0


@pytest.mark.long
def test_of_several_songs_that_wait_for_a_task_none_is_chosen_by_chance(wild: Wild) -> None:
    with journal_of(wild) as journal:
        for audio_id in (ONE, TWO):
            lost(journal, audio_id)
    done = wild.run("resume", OTHER)
    assert done.code == 2
    assert f"names no song, and several wait for a task: {ONE}, {TWO}" in done.err
    wild.serves(musicId=TWO)
    assert wild.run("resume", OTHER).out == f"{Path(f'{TWO}.wav').absolute()}\n"


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("heard", [False, True], ids=["at once", "after `status --wait`"])
def test_a_task_whose_record_names_the_song_settles_it_by_status_alone(wild: Wild, heard: bool) -> None:
    """Nothing is downloaded, and the song still has one conversion, which has the task."""
    with journal_of(wild) as journal:
        lost(journal, ONE)
        lost(journal, TWO)
    if heard:
        wild.run("status", OTHER, "--wait")
    wild.serves(musicId=ONE if heard else ONE.upper())
    assert wild.run("status", OTHER, "--wait").code == 0
    assert wild.run("convert", ONE, "--out", "song.wav").out == "song.wav\n"
    assert paid(wild) == 0
    with journal_of(wild) as journal:
        (waiting,) = journal.awaiting_task()
        assert waiting.audio_id == TWO


@pytest.mark.long
def test_a_second_program_waits_for_the_answer_of_the_first(sandbox: Sandbox) -> None:
    """It pays nothing, with --resubmit neither, and continues the task as soon as it is there."""
    (task,) = sandbox.run("convert", "demo+twice-real", "--no-wait").out.split()
    home, song = Path(os.environ["SUNO_WAV_HOME"]), "demo+twice-claimed"
    (home / "journal.sqlite3").unlink()
    with open_journal(home / "journal.sqlite3", sandbox.service) as first:
        claimed = first.claim(Song(audio_id=song), Path("first.wav")).entry
        late = sandbox.run("convert", song, "--resubmit", "--timeout", "200ms")
        assert (late.code, "--resubmit" in late.err) == (8, False)
        assert "another program is still submitting this song" in late.err
        with started(sandbox, "convert", song, "--resubmit", "--out", "song.wav") as second:
            read_until(second, named("other_run_awaited"))
            first.accept(claimed, task)
            read_until(second, named("saved"))
    assert sandbox.counted("submissions", song) == 0
