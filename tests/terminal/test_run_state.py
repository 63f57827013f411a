"""What a run has to show, from its events alone: no terminal, and no clock but the one given."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from suno_wav_cli.events import payments, songs
from suno_wav_cli.terminal.run_note import take_note
from suno_wav_cli.terminal.run_state import RunState, Stage
from suno_wav_cli.terminal.run_view import headline, view
from tests.terminal.run_story import fails, song_id, story


def state_after(songs: int, until: float) -> RunState:
    state = RunState(window_rate=2.0)
    for time, event in story(songs):
        if time > until:
            break
        take_note(state, event, time)
    return state


def texts(state: RunState, now: float, columns: int = 80, rows: int = 24) -> list[str]:
    return ["".join(text for text, _ in line) for line in view(state, now, columns=columns, rows=rows)]


def test_the_counts_are_those_of_the_events() -> None:
    state = state_after(1000, 100.0)
    ended = [number for number in range(1000) if number / 2 + 32 <= 100.0]
    failed = [number for number in range(1000) if fails(number) and number / 2 + 30 <= 100.0]
    late = [number for number in ended if number % 9 == 4 and number / 2 + 33 > 100.0]
    assert state.failed == len(failed)
    assert state.saved == len([number for number in ended if not fails(number) and number not in late])
    assert state.submitted == 200
    assert state.to_submit == 800
    assert state.spent == Decimal(80)


def test_downloads_come_first_and_then_the_songs_that_wait_longest() -> None:
    state = state_after(1000, 100.3)
    rows = state.rows(8, 100.3)
    stages = [row.stage for row in rows]
    moving = [stage for stage in stages if stage is not Stage.CONVERTING]
    assert stages == moving + [Stage.CONVERTING] * (8 - len(moving))
    assert len(moving) == 4
    waiting = [row.since for row in rows if row.stage is Stage.CONVERTING]
    assert waiting == sorted(waiting)


def test_a_song_on_its_way_to_the_service_is_shown_if_that_takes_long() -> None:
    state = state_after(2, 0.1)
    assert state.rows(8, 0.1) == []
    assert [row.stage for row in state.rows(8, 1.0)] == [Stage.SUBMITTING]


def test_songs_that_have_not_begun_take_no_memory() -> None:
    """Thousands may wait for their turn."""
    state = state_after(1000, 20.0)
    assert len(state.rows(2000, 20.0)) == 40


@pytest.mark.parametrize("until", [100.0, 250.0, 450.0, 515.0])
def test_the_time_left_is_about_what_the_run_still_takes(until: float) -> None:
    end = story(1000)[-1][0]
    left = state_after(1000, until).seconds_left(until)
    assert left == pytest.approx(end - until, rel=0.15, abs=10)


def test_no_time_is_estimated_before_a_song_has_ended() -> None:
    assert state_after(1000, 25.0).seconds_left(25.0) is None
    assert "left" not in headline(state_after(1000, 25.0), 25.0)


def test_no_time_is_estimated_when_no_song_goes_on() -> None:
    """All that are on their way may hang."""
    state = state_after(1000, 100.0)
    assert state.seconds_left(130.0) is not None
    assert state.seconds_left(300.0) is None
    assert "left" not in headline(state, 300.0)


def test_no_time_is_estimated_while_submissions_pause() -> None:
    state = state_after(1000, 100.0)
    take_note(state, payments.SubmissionsPaused(reason="too many requests", seconds=12.0), 100.0)
    assert state.seconds_left(101.0) is None
    assert "submissions pause, next try in 10 s" in headline(state, 102.0)
    take_note(state, payments.SubmissionsResumed(), 103.0)
    assert state.seconds_left(103.0) is not None


def test_songs_that_are_not_begun_any_more_are_counted_and_not_waited_for() -> None:
    state = state_after(1000, 100.0)
    take_note(state, payments.SubmissionsPaused(reason="no credits", seconds=12.0), 100.0)
    take_note(
        state, payments.SubmissionsStopped(reason="no credits", not_begun=800, price=Decimal(320)), 101.0
    )
    assert state.to_submit == 0
    assert " · 800 not begun · " in headline(state, 101.0)
    left = state.seconds_left(101.0)
    assert left is not None
    assert left < 60


def test_the_line_for_all_leaves_out_what_matters_least() -> None:
    state = state_after(1000, 100.2)
    take_note(state, payments.SubmissionScheduled(seconds=5.0), 100.2)
    whole = headline(state, 101.2)
    assert whole == (
        "131/1000 saved · 6 failed · 60 at the service · next submission in 4 s · 80.4 of 400 credits · "
        "about 8 min left"
    )
    narrower = [headline(state, 101.2, columns) for columns in (100, 80, 60, 40, 20, 8)]
    assert narrower == [
        "131/1000 saved · 6 failed · 60 at the service · next submission in 4 s · about 8 min left",
        "131/1000 saved · 6 failed · next submission in 4 s · about 8 min left",
        "131/1000 saved · 6 failed · next submission in 4 s",
        "131/1000 saved · 6 failed",
        "131/1000 saved",
        "131/100…",
    ]


def test_a_wait_that_is_over_at_once_is_not_worth_a_word() -> None:
    state = state_after(30, 5.3)
    assert "next submission" not in headline(state, 5.3)


@pytest.mark.parametrize(("columns", "rows"), [(60, 12), (80, 24), (120, 40), (20, 6), (5, 2), (1, 1)])
def test_no_line_is_wider_than_the_terminal_and_most_rows_stay_free(columns: int, rows: int) -> None:
    for moment in (1.5, 41.3, 100.3):
        state = state_after(1000, moment)
        lines = texts(state, moment, columns, rows)
        assert len(lines) <= max(rows // 3 + 1, 2)
        # Three of the titles are in wide characters.
        assert max(map(len, lines)) <= columns


def test_what_hinders_a_song_stands_in_its_row() -> None:
    state = state_after(30, 20.0)
    first, second = song_id(0), song_id(1)
    take_note(state, songs.LookupFailed(audio_id=first, task_id="t", message="the service is away"), 20.0)
    take_note(state, songs.TaskMessage(audio_id=second, task_id="t", message="no\x1b[2J worker"), 20.0)
    _, one, two, *_ = texts(state, 21.0)
    assert "the service is away" in one
    assert "no\N{REPLACEMENT CHARACTER}[2J worker" in two


def test_a_title_cannot_control_the_terminal() -> None:
    state = RunState(window_rate=2.0)
    begun = story(30)[0][1]
    take_note(state, begun, 0.0)
    take_note(state, payments.Resumed(audio_id="one", title="a\x1b]0;b\x07", task_id="t", reason="r"), 0.0)
    assert "a\N{REPLACEMENT CHARACTER}]0;b\N{REPLACEMENT CHARACTER} (one)" in texts(state, 0.0)[1]


def test_nothing_is_shown_after_the_summary() -> None:
    state = state_after(30, 60.0)
    assert state.ended
    assert view(state, 60.0, columns=80, rows=24) == []


def test_a_run_of_one_song_has_its_bar_and_no_line_for_all() -> None:
    state = RunState(window_rate=2.0)
    for time, event in story(1)[1:-3]:
        take_note(state, event, time)
    row = state.rows(1, 31.0)[0]
    assert replace(row, samples=()) != row
    (line,) = texts(state, 31.2)
    assert line.startswith(song_id(0)[:10])
    assert "━" in line
    assert line.endswith("MB 15.0 MB/s 0:01")


def test_a_song_that_goes_back_is_counted_once() -> None:
    """A download that is begun again is one song still."""
    state = state_after(30, 31.2)
    before = len(state.rows(100, 31.2))
    for stage in (1, 2):
        take_note(
            state,
            songs.DownloadStarted(audio_id=song_id(0), title=None, task_id="t", path=None, received=stage),
            31.3,
        )
    assert len(state.rows(100, 31.3)) == before
    assert state.title_of(song_id(0)) == "Night Drive"
