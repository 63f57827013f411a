"""The command that continues: as a list, and as a line that shells read as that very list."""

from __future__ import annotations

import re
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suno_wav_cli.conversion.resume_hint import (
    SAME_COMMAND,
    advise,
    command_for,
    describe_command,
    quote_command,
)
from suno_wav_cli.errors import UsageError

TASK = "988e5c0f14b24a3f9a57e1d0c6b2c8d3"
LINE = ("suno-wav", "resume", TASK)


@pytest.mark.parametrize(
    ("provider", "base_url", "options"),
    [
        pytest.param("sunoapi", "https://api.sunoapi.org", (), id="the default"),
        pytest.param("sunoapi", None, (), id="the provider's own address"),
        pytest.param("kie", "https://api.kie.ai", ("--provider", "kie"), id="another provider"),
        pytest.param(
            "sunoapi", "http://127.0.0.1:1", ("--base-url", "http://127.0.0.1:1"), id="another address"
        ),
        pytest.param(
            "gone",
            "https://x.example",
            ("--provider", "gone", "--base-url", "https://x.example"),
            id="a provider that is not known any more",
        ),
    ],
)
def test_a_command_chooses_the_service(provider: str, base_url: str | None, options: tuple[str, ...]) -> None:
    assert command_for(provider, base_url, "resume", [TASK]) == (*LINE, *options)


def test_many_tasks_are_all_that_is_unfinished() -> None:
    """A line for thousands of songs stays short."""
    assert command_for("sunoapi", None, "resume", [TASK] * 6, "--tag") == ("suno-wav", "resume", "--tag")


@given(words=st.lists(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), max_size=20)))
def test_a_posix_shell_reads_back_every_word(words: list[str]) -> None:
    line = quote_command(words, windows=False)
    assert line is None or shlex.split(line) == words


@pytest.mark.parametrize("word", ["a\nb", "\x1b[2J", "a\u202eb"])
def test_what_controls_a_terminal_is_in_no_line(word: str) -> None:
    assert quote_command(["suno-wav", word], windows=False) is None
    assert quote_command(["suno-wav", word], windows=True) is None


@pytest.mark.parametrize(
    ("word", "quoted"),
    [
        pytest.param(TASK, TASK, id="an id"),
        pytest.param("--provider", "--provider", id="an option"),
        pytest.param("-", "-", id="standard output"),
        pytest.param("@last", '"@last"', id="an @ would be a splatted variable in PowerShell"),
        pytest.param("http://127.0.0.1:1/kie", "http://127.0.0.1:1/kie", id="an address"),
        pytest.param("http://x/?a=1&b=2", '"http://x/?a=1&b=2"', id="an & separates commands"),
        pytest.param("C:\\My songs\\a.txt", '"C:\\My songs\\a.txt"', id="a blank"),
        pytest.param("it's", '"it\'s"', id="a quote of PowerShell"),
        pytest.param("-a.b", '"-a.b"', id="PowerShell would split it at the dot"),
    ],
)
def test_cmd_and_powershell_both_take_a_word_literally(word: str, quoted: str) -> None:
    assert quote_command([word], windows=True) == quoted


@pytest.mark.parametrize(
    "word", ["50%", "$HOME", "a`b", 'a"b', "a \N{RIGHT DOUBLE QUOTATION MARK}", "", "a b\\"]
)
def test_what_no_quoting_of_windows_keeps_is_not_printed(word: str) -> None:
    """The list has it all the same."""
    argv = ("suno-wav", "convert", "--from-file", word)
    assert quote_command(argv, windows=True) is None


@given(word=st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=20))
def test_a_line_for_windows_has_no_character_that_is_evaluated(word: str) -> None:
    line = quote_command([word], windows=True)
    if line is not None:
        assert line.strip('"') == word.strip('"')
        assert re.search(r'[%$`]|".*".*"', line) is None
        assert line.startswith('"') or re.fullmatch(r"[A-Za-z0-9_.+:/\\=-]+", line)


def test_the_command_that_was_typed_is_named_in_words() -> None:
    assert describe_command(LINE, typed=LINE) == SAME_COMMAND
    assert describe_command(LINE, typed=("suno-wav", "convert")) == f"suno-wav resume {TASK}"


@pytest.mark.parametrize(
    ("remedy", "advice"),
    [
        ("Try again.", f"Try again. To continue: suno-wav resume {TASK}"),
        ("", f"To continue: suno-wav resume {TASK}"),
        ("To ask there:", f"To ask there: suno-wav resume {TASK}"),
    ],
)
def test_a_remedy_ends_with_the_command(remedy: str, advice: str) -> None:
    assert advise(UsageError("why", remedy, continue_argv=LINE)) == advice
    assert advise(UsageError("why", remedy)) == remedy
