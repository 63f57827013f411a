"""Names of songs: titles where they are known, and never two that look alike."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suno_wav_cli.terminal.names import name_songs, shorten_name, shorten_names, shorten_paths
from suno_wav_cli.terminal.tables import printable, width_of


@pytest.mark.parametrize(
    ("songs", "names"),
    [
        pytest.param([("8551ab12-34cd", "One"), ("9661ab12-34cd", "Two")], ["One", "Two"], id="other titles"),
        pytest.param(
            [("8551ab12-34cd", "One"), ("9661ab12-34cd", "One")],
            ["One (8551ab12)", "One (9661ab12)"],
            id="one title",
        ),
        pytest.param(
            [("demo-slow+1", "One"), ("demo-slow+2", "One")],
            ["One (demo-slow+1)", "One (demo-slow+2)"],
            id="and one beginning of their ids",
        ),
        pytest.param([("8551ab12", "One"), ("8551ab12", "One")], ["One", "One"], id="two tries of one song"),
        pytest.param(
            [("8551ab12", "One"), ("One", None)], ["One (8551ab12)", "One"], id="an id like a title"
        ),
        pytest.param(
            [("a", "Li\x1bne"), ("b", "Li\x9bne")], ["Li\ufffdne (a)", "Li\ufffdne (b)"], id="hostile"
        ),
        pytest.param([("a", None), (None, None)], ["a", "-"], id="nothing known"),
    ],
)
def test_a_title_is_a_name_unless_two_songs_have_it(
    songs: list[tuple[str | None, str | None]], names: list[str]
) -> None:
    assert name_songs(songs) == names


def test_a_name_is_cut_in_its_middle() -> None:
    assert shorten_name("Night Drive (8551ab12)", 16) == "Night…(8551ab12)"
    assert shorten_name("雨の夜のうた (8551ab12)", 15) == "雨の…(8551ab12)"
    assert shorten_name("Night Drive", 11) == "Night Drive"


def test_names_that_differ_in_the_middle_alone_stay_whole() -> None:
    names = [f"A very long title, part {number} of the whole suite" for number in (1, 2)]
    assert shorten_names([*names, "Another very long title"], 16) == [*names, "Anothe…ong title"]


@pytest.mark.parametrize(
    ("name", "width", "short"),
    [
        ("Sandbox song 1", 12, "Sandbo…ong 1"),
        ("Night Drive, a long song, part 2.wav", 12, "Night …2.wav"),
        ("Night Drive (8551ab12).wav", 18, "Nig…(8551ab12).wav"),
        ("A very long title (live)", 16, "A very lo…(live)"),
    ],
)
def test_no_more_of_the_end_of_a_name_stays_than_of_its_beginning(name: str, width: int, short: str) -> None:
    """Unless it ends with an id."""
    assert shorten_name(name, width) == short


def test_a_path_loses_its_folders_first() -> None:
    paths = ["album/Night Drive.wav", "other/Harbor Lights at Night, Part One.wav", "-"]
    assert shorten_paths(paths, 42) == paths
    assert shorten_paths(paths, 20) == ["…/Night Drive.wav", "Harbor Li…rt One.wav", "-"]


def test_files_of_one_name_keep_their_folders() -> None:
    paths = ["one/long/Night Drive.wav", "two/long/Night Drive.wav", "three/long/Day.wav"]
    assert shorten_paths(paths, 17) == [*paths[:2], "…/Day.wav"]


@pytest.mark.parametrize(
    ("title", "width"),
    [("雨の夜", 6), ("e\u0301tude", 5), ("می\u200cروم", 5), ("👩\u200d🎤", 4), ("Café", 4)],
)
def test_letters_that_are_joined_are_shown_and_have_no_width(title: str, width: int) -> None:
    assert (printable(title), width_of(title)) == (title, width)


@given(st.lists(st.text("ab雨(é/", max_size=12)), st.integers(8, 20))
def test_no_two_paths_look_alike(paths: list[str], width: int) -> None:
    assert len(set(shorten_paths(paths, width))) == len(set(paths))


@given(st.lists(st.text("ab雨(é", max_size=12)), st.integers(8, 20))
def test_no_two_names_look_alike(names: list[str], width: int) -> None:
    cut = shorten_names(names, width)
    assert len(set(cut)) == len(set(names))
    assert all(width_of(short) <= width or short == name for short, name in zip(cut, names, strict=True))
