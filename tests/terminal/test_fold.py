"""Messages on narrow terminals: lines end between words, and what is to be pasted stays in one piece."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suno_wav_cli.terminal.fold import fold, wrap
from suno_wav_cli.terminal.tables import width_of

COMMAND = "suno-wav resume demo-fails --resubmit --provider sandbox --base-url http://127.0.0.1:41293"


def test_each_line_of_a_message_continues_below_its_beginning() -> None:
    text = (
        "error: this would cost 0.4 credits, and --max-credits allows 0.1\n"
        "  Nothing was submitted. A song costs 0.4; raise --max-credits."
    )
    assert fold(text, 60).splitlines() == [
        "error: this would cost 0.4 credits, and --max-credits allows",
        "  0.1",
        "  Nothing was submitted. A song costs 0.4; raise",
        "  --max-credits.",
    ]


@pytest.mark.parametrize("width", [None, 10, 200])
def test_a_pipe_and_what_fits_and_what_is_hopeless_stay_as_they_are(width: int | None) -> None:
    text = "error: this would cost 0.4 credits\n  Nothing was submitted."
    assert fold(text, width) == text


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        (f"  Nothing is paid twice by itself. To pay for another try: {COMMAND}", COMMAND),
        (f"  To continue: {COMMAND}", COMMAND),
        (
            "  Run suno-wav login and enter the key, or send it in: suno-wav login < FILE",
            "suno-wav login < FILE",
        ),
        (
            "  Install it: /opt/my-python/bin/python3 -m pip install 'mutagen>=1.47'",
            "-m pip install 'mutagen>=1.47'",
        ),
        ("  It may be too new, too old, or of another service: --provider sandbox", "--provider sandbox"),
        (
            "suno-wav: 3 songs were refused or given up here: `suno-wav jobs --failed` tells",
            "`suno-wav jobs --failed`",
        ),
        (
            "  Check the network, then try again. `suno-wav doctor --base-url http://127.0.0.1:41293` looks closer.",
            "`suno-wav doctor --base-url http://127.0.0.1:41293`",
        ),
        (
            "  suno-wav login --provider kie --base-url http://127.0.0.1:41293 says where to find it, and keeps it",
            "suno-wav login --provider kie --base-url http://127.0.0.1:41293",
        ),
        (
            "  For a WAV task, see suno-wav status 0123456789abcdef --provider kie. To convert all tracks:",
            "suno-wav status 0123456789abcdef --provider kie",
        ),
        (
            "error: /home/me/My Songs/Night Drive (8551ab12).wav exists, and more",
            "/My Songs/Night Drive (8551ab12).wav",
        ),
        (
            "error: album/A song of the long night (8551ab12).wav cannot be written",
            "album/A song of the long night (8551ab12).wav",
        ),
        (
            "error: A song of the long, long night (8551ab12).wav exists, and more",
            "long night (8551ab12).wav",
        ),
        (
            "suno-wav: callbacks arrive again at https://example.ngrok.app/suno-wav-callback/0123456789abcdef",
            "https://example.ngrok.app/suno-wav-callback/0123456789abcdef",
        ),
        (
            "error: /a/path/without/any/blank/that/is/longer/than/the/terminal/has/columns.wav exists",
            "error: /a/path/without/any/blank/that/is/longer/than/the/terminal/has/columns.wav",
        ),
    ],
)
def test_what_is_to_be_pasted_stays_in_one_piece(text: str, whole: str) -> None:
    lines = fold(text, 40).splitlines()
    assert len(lines) > 1
    assert [line for line in lines if whole in line]


def test_a_command_has_a_line_of_its_own() -> None:
    assert fold(f"  To pay for another try: {COMMAND}", 60).splitlines() == [
        "  To pay for another try:",
        f"  {COMMAND}",
    ]


def test_a_long_word_gets_less_of_an_indent() -> None:
    path = "/a/path/without/any/blank.wav"
    row = wrap(f"{path} and more", 34, first="file      ", others=" " * 10)
    assert row == ["file", f"     {path}", "          and more"]
    assert wrap(path * 2, 34, first="file      ", others=" " * 10) == [f"file      {path * 2}"]


def test_what_only_looks_like_a_command_is_broken() -> None:
    text = "error: suno-wav config has no option --out, and this is a long sentence"
    assert max(map(len, fold(text, 40).splitlines())) <= 40


def test_names_that_are_given_stay_whole() -> None:
    lines = wrap("a file is at Night Drive.wav or so", 24, others="", whole=["Night Drive.wav"])
    assert lines == ["a file is at", "Night Drive.wav or so"]


@given(st.lists(st.text("aé雨\u200d\u0301./'`:-", min_size=1, max_size=12), min_size=1), st.integers(20, 80))
def test_nothing_is_lost_and_what_can_be_broken_fits(words: list[str], width: int) -> None:
    text = " ".join(words)
    lines = wrap(text, width, others="  ")
    assert " ".join(line.strip(" ") for line in lines) == text.strip(" ")
    longest = [line for line in lines if width_of(line) > width]
    assert not [line for line in longest if not {"/", "'", "`", ":"} & set(line) and len(line.split()) > 1]
