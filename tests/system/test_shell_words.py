"""Command lines that every shell reads as the very words: shown by the shells themselves."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import shlex
import shutil
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suno_wav_cli.system.shell_words import (
    adapt_example,
    as_operand,
    expand_wildcards,
    quote_command,
    quote_word,
    say_how,
)

TASK = "988e5c0f14b24a3f9a57e1d0c6b2c8d3"

SHELLS = {
    "sh": ["sh", "-i"],
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "-i"],
}
"""As a person pastes into them: a terminal, with history expansion on."""

HOSTILE = [
    "a'; touch PWN; echo '",
    "a\\",
    "; touch PWN #",
    "' '; touch PWN; '",
    "\\'; touch PWN #",
    '\\"; touch PWN #',
    "$(touch PWN)",
    "`touch PWN`",
    "(touch PWN)",
    "|touch PWN",
    ">PWN",
    "!!",
    "a!b",
    "\\!b",
    "\\'!b'",
    "\"'!b'\"",
    "'\\!!'\\",
    "!?x?",
    "^a^b",
    "=ls",
    "%self",
    "%1",
    "~",
    "~root",
    "*",
    "[a]",
    "a{b,c}d",
    "{}",
    "#",
    "$HOME",
    "é \\'\N{RIGHT SINGLE QUOTATION MARK}",
    "--x=y",
    "",
]
SHOW = "import json, sys; open(sys.argv[1], 'a').write(json.dumps(sys.argv[2:]) + '\\n')"


class Terminal:
    """A shell on a terminal, into which lines are pasted."""

    def __init__(self, argv: list[str]) -> None:
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="dumb", LC_ALL="C.UTF-8", HOME=str(Path.cwd()))
            os.execvp(argv[0], argv)  # noqa: S606 - it is the shell that is tried
        self._said = b""

    def paste(self, line: str) -> None:
        os.write(self._terminal, f"{line}\n".encode())

    def wait_for(self, happened: str, seconds: float = 60.0) -> None:
        """Wait until a file is there."""
        deadline = time.monotonic() + seconds
        while not Path(happened).exists():
            assert time.monotonic() < deadline, self._said.decode(errors="replace")
            if select.select([self._terminal], [], [], 0.02)[0]:
                self._said += os.read(self._terminal, 65536)

    def close(self) -> None:
        os.close(self._terminal)
        os.waitpid(self.pid, 0)


@pytest.mark.parametrize(
    "shell", [pytest.param(name, marks=() if name == "sh" else pytest.mark.long) for name in SHELLS]
)
def test_a_line_pasted_into_a_shell_runs_nothing_but_what_it_says(shell: str) -> None:
    """Each word is followed by one that would run a program if the first had opened a quote."""
    if shutil.which(SHELLS[shell][0]) is None:
        pytest.skip(f"there is no {shell}")
    told = [[word, "; touch PWN #"] for word in HOSTILE]
    show = [sys.executable, "-c", SHOW, str(Path("shown").absolute())]
    terminal = Terminal(SHELLS[shell])
    try:
        terminal.paste("echo ls b touch PWN")
        for words in told:
            line = quote_command([*show, *words], windows=False)
            assert line is not None
            terminal.paste(line)
        terminal.paste("echo > end")
        terminal.wait_for("end")
    finally:
        terminal.close()
    assert [json.loads(line) for line in Path("shown").read_text().splitlines()] == told
    assert not Path("PWN").exists()


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


@pytest.mark.parametrize("word", ["=ls", "%self", "a\\", "it's", "", "a b", "!!"])
def test_a_word_is_quoted_as_in_a_command(word: str) -> None:
    assert quote_command([word], windows=False) == quote_word(word, windows=False) != word


def test_advice_without_a_line_is_still_advice() -> None:
    assert say_how("Make it first", "mkdir", "songs") == "Make it first: mkdir songs"
    assert say_how("Make it first", "mkdir", "a\nb") == "Make it first."


def test_an_operand_is_no_option() -> None:
    assert (as_operand(Path("-rf")), as_operand(Path("songs"))) == (f".{os.sep}-rf", "songs")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("suno-wav login < key.txt", "type key.txt | suno-wav login"),
        ("suno-wav config set hmac-key < FILE", "type FILE | suno-wav config set hmac-key"),
        ("suno-wav status @last --watch", 'suno-wav status "@last" --watch'),
        ("suno-wav convert ID --out 'wavs/{title}.wav'", 'suno-wav convert ID --out "wavs/{title}.wav"'),
        ("suno-wav trigger localhost:3000/callback", "suno-wav trigger localhost:3000/callback"),
        ("suno-wav convert ID --exec 'echo $HOME'", "suno-wav convert ID --exec 'echo $HOME'"),
    ],
)
def test_an_example_is_one_for_cmd_and_powershell(line: str, expected: str) -> None:
    assert adapt_example(line, windows=True) == expected
    assert adapt_example(line, windows=False) == line


def test_wildcards_stand_for_files_and_brackets_for_themselves(tmp_path: Path) -> None:
    for name in ("b.wav", "a.wav", "song 1.wav", "song [1].wav", "notes.txt"):
        (tmp_path / name).touch()
    here = str(tmp_path)

    def expand(*words: str) -> list[str]:
        return [word.replace(f"{here}{os.sep}", "") for word in expand_wildcards(words)]

    assert expand("inspect", f"{here}/?.wav") == ["inspect", "a.wav", "b.wav"]
    assert expand(f"{here}/song [1]*") == ["song [1].wav"]
    assert expand(f"{here}/song [1].wav") == ["song [1].wav"]
    kept = ["*.flac", "https://suno.com/song/x?sh=1", "--out", "$HOME/{title}.wav", "%PATH%", "@last", ""]
    assert expand(*kept) == kept
    assert expand_wildcards(["~/Music"]) == [str(Path.home() / "Music")]
