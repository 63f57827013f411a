"""A run of many songs on a terminal, as an emulator shows it: see screens/ for what it looks like."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest

from suno_wav_cli.events import follow_up, payments, songs
from tests.terminal.run_story import SCREENS, SIZES, Terminal, pictures, song_id, story


@pytest.mark.long
def test_the_screens_look_as_they_did() -> None:
    """If they are to look otherwise: python -m tests.terminal.run_story, and look at them."""
    drawn = dict(pictures())
    assert {path.name for path in SCREENS.glob("*-songs-*")} == {path.name for path in drawn}
    for path, picture in drawn.items():
        assert picture == path.read_text(encoding="utf-8"), path.name


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_the_last_lines_are_left_and_nothing_else(columns: int, rows: int) -> None:
    """Each song has its line in the scrollback, in whole, and the live lines leave nothing there."""
    terminal = Terminal(columns, rows)
    terminal.play(story(30))
    terminal.display.stop()
    text = " ".join(line.strip() for line in terminal.lines)
    assert terminal.lines[-1] == "suno-wav: 29 of 30 saved, 1 failed"
    assert text.count(": saved, ") == 29
    assert text.count(": error: ") == 1
    assert "converting" not in text
    assert "━" not in text
    assert [number for number in range(30) if song_id(number)[:8] not in text] == []
    assert len(terminal.lines) <= 30 + 4, "a saved song has more than one line"


@pytest.mark.long
def test_it_draws_at_most_four_times_a_second() -> None:
    terminal = Terminal(80, 24)
    terminal.play(story(1000), 40.0, drawn_from=34.0)
    seconds = Counter(int(moment) for moment in terminal.draws)
    assert max(seconds.values()) <= 4
    assert min(after - before for before, after in pairwise(terminal.draws)) >= 0.25


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(("columns", "rows"), [*SIZES, (200, 60)])
def test_little_is_written_while_only_time_passes(columns: int, rows: int) -> None:
    terminal = Terminal(columns, rows)
    terminal.play(story(1000), 25.0, drawn_from=20.0)
    before = terminal.written
    terminal.wait(35.0)
    assert 0 < (terminal.written - before) / 10 <= 5000


def test_nothing_is_written_while_nothing_changes() -> None:
    terminal = Terminal(80, 24)
    terminal.play(story(30)[:1], 1.0)
    before = terminal.written
    terminal.wait(60.0)
    assert terminal.written == before


@pytest.mark.long
def test_the_same_advice_is_given_once() -> None:
    terminal = Terminal(80, 24)
    terminal.play(story(40))
    text = " ".join(line.strip() for line in terminal.lines)
    assert text.count("error: the service could not convert the song") == 2
    assert text.count("To pay for another try") == 1


def test_what_is_said_of_one_of_many_songs_is_not_a_line() -> None:
    terminal = Terminal(80, 24)
    terminal.play(story(30), 20.0)
    terminal.display.show(songs.LookupFailed(audio_id=song_id(0), task_id="t", message="the service is away"))
    terminal.display.show(
        payments.SubmissionDelayed(audio_id=song_id(1), reason="the service is busy", seconds=1.0)
    )
    terminal.wait(21.0)
    assert terminal.lines[0].startswith("0/30 saved")
    assert [line.count("the service is away") for line in terminal.lines[1:3]] == [1, 0]


def test_what_all_json_files_lack_is_said_once() -> None:
    terminal = Terminal(120, 24)
    terminal.play(story(30), 5.0)
    for number in range(3):
        terminal.display.show(
            follow_up.InfoIncomplete(audio_id=song_id(number), reason="its task is not known")
        )
    terminal.wait(6.0)
    assert "".join(terminal.lines).count("its task is not known") == 1


def test_a_pause_of_all_submissions_is_one_line_however_often_it_is_tried() -> None:
    terminal = Terminal(80, 24)
    terminal.play(story(30), 5.0)
    for _ in range(3):
        terminal.display.show(payments.SubmissionsPaused(reason="too many requests", seconds=5.0))
    terminal.wait(6.0)
    assert terminal.lines[0].startswith("suno-wav: submissions pause: too many requests")
    assert "submissions pause, next try in 4 s" in terminal.lines[1]
