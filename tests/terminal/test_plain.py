"""Lines of a run of many songs for a pipe, from its events alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from suno_wav_cli.terminal.plain import PlainDisplay
from suno_wav_cli.terminal.run_state import RunState
from suno_wav_cli.terminal.streams import Results
from tests.terminal.run_story import story

if TYPE_CHECKING:
    import pytest


def play(display: PlainDisplay, until: float, since: float = -1.0) -> None:
    for time, event in story(30):
        if since < time <= until:
            display.show(event)


def make_display(*, quiet: bool = False, verbose: bool = False) -> PlainDisplay:
    return PlainDisplay(RunState(window_rate=2.0), Results(), quiet=quiet, verbose=verbose)


def test_a_progress_line_says_how_far_the_run_is(capsys: pytest.CaptureFixture[str]) -> None:
    display = make_display()
    play(display, 10.0)
    display.say_how_far()
    assert capsys.readouterr().err == "suno-wav: 0/30 saved, 20 at the service, 8 of 12 credits\n"


def test_each_song_has_one_line_with_its_whole_id(capsys: pytest.CaptureFixture[str]) -> None:
    display = make_display()
    play(display, 100.0)
    display.say_how_far()
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 31, "a line for each, the summary, and no progress after it"
    assert lines[0] == (
        "Night Drive (00000000-3c1f-4d2e-8b7a-000000000000): saved, 2:50, 44.1 kHz, 16 bit PCM, stereo, 30.0 MB"
    )
    assert lines[-1] == "suno-wav: 29 of 30 saved, 1 failed"


def test_quiet_shows_what_failed_and_the_summary(capsys: pytest.CaptureFixture[str]) -> None:
    display = make_display(quiet=True)
    play(display, 40.0)
    display.say_how_far()
    play(display, 100.0, since=40.0)
    failure, summary = capsys.readouterr().err.splitlines()
    assert "error: the service could not convert the song" in failure
    assert summary == "suno-wav: 29 of 30 saved, 1 failed"


def test_verbose_shows_all_that_is_said_of_a_song(capsys: pytest.CaptureFixture[str]) -> None:
    display = make_display(verbose=True)
    play(display, 100.0)
    text = capsys.readouterr().err
    assert text.count(": submitted as task ") == 30
    assert text.count("the connection was closed; retrying in 1.0 s") == 3
