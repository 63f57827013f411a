"""Completion with titles and ids that try to reach the shell: by its protocol, and in real shells."""

from __future__ import annotations

import os
import pty
import select
import shlex
import shutil
import subprocess
import termios
import time
import unicodedata
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suno_wav_cli.cli.completion import describe
from suno_wav_cli.journal import open_journal
from suno_wav_cli.journal.entry import Account
from suno_wav_cli.models import Song, Track
from tests.support.program import REPOSITORY, command_line, run_program

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVICE = Account(base_url="https://api.sunoapi.org", provider="sunoapi", kept_days=15)
FIRST, SECOND = "988e5c0f14b24a3f9a57e1d0c6b2c8d3", "988e5c0f24b24a3f9a57e1d0c6b2c8d3"
_PATIENCE = 30.0

HOSTILE_TITLES = [
    pytest.param("hit $(touch pwned) song", id="command"),
    pytest.param("hit `touch pwned` song", id="backquotes"),
    pytest.param(r"hit \$(touch pwned) \\$(touch pwned) \`touch pwned\` song", id="backslashes"),
    pytest.param('hit "; touch pwned; " song', id="double quotes"),
    pytest.param("hit ''; touch pwned; '' song", id="single quotes"),
    pytest.param("hit ))'; touch pwned; : '(( song", id="end of the list"),
    pytest.param("hit ${(e):-$(touch pwned)} <(touch pwned) =(touch pwned) song", id="zsh expansions"),
    pytest.param("hit *(e:'touch pwned':) song", id="zsh glob qualifier"),
    pytest.param("hit $(touch${IFS}pwned)\n; touch pwned\r\n\ttouch pwned song", id="lines"),
    pytest.param("hit [/] song", id="markup that closes nothing"),
    pytest.param("hit [red]x[/blue] [link=file:x]y song", id="markup"),
    pytest.param("hit \x1b]0;x\x07\x1b[2J\x9b1m\u202e song", id="escape sequences"),
    pytest.param("hit ::: x : y \\: :boom: song", id="colons"),
    pytest.param("hit (touch pwned) & | > < ~ # % ! ; ^ song", id="operators"),
    pytest.param("hit " + "x" * 100_000 + " song", id="long word"),
    pytest.param("hit " + "歌 " * 1_000 + "song", id="many wide words"),
]

# Each shell's protocol, asked to complete `suno-wav status 98`.
PROTOCOLS = {
    "bash": {"COMP_LINE": "suno-wav status 98"},
    "zsh": {"_TYPER_COMPLETE_ARGS": "suno-wav status 98"},
    "fish": {
        "_TYPER_COMPLETE_ARGS": "suno-wav status 98",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    },
    "powershell": {
        "_TYPER_COMPLETE_ARGS": "suno-wav status 98",
        "_TYPER_COMPLETE_WORD_TO_COMPLETE": "98",
    },
}


def record(task_id: str, title: str, audio_id: str = "song") -> None:
    path = Path(os.environ["SUNO_WAV_HOME"]) / "journal.sqlite3"
    with open_journal(path, SERVICE) as journal:
        journal.history.remember(
            [
                Track(
                    audio_id=audio_id,
                    music_task_id="music",
                    title=title,
                    tags=None,
                    duration=None,
                    complete=True,
                )
            ]
        )
        journal.accept(journal.claim(Song(audio_id=audio_id), Path("song.wav")).entry, task_id)


def complete(shell: str, **more: str) -> list[str]:
    env = {"_SUNO_WAV_COMPLETE": f"complete_{shell}", **PROTOCOLS[shell], **more}
    done = run_program(env=env)
    assert (done.code, done.err) == (0, "")
    return done.out.splitlines()


def test_a_title_that_the_encoding_does_not_have_is_escaped() -> None:
    record("988e5c0f14b24a3f9a57e1d0c6b2c8d3", "\u6b4c")
    (line,) = complete("powershell", PYTHONIOENCODING="cp1252")
    assert line.startswith("988e5c0f14b24a3f9a57e1d0c6b2c8d3")
    assert "\\u6b4c" in line


def described(shell: str, lines: list[str]) -> dict[str, str]:
    """Read what the shell would: each id with its description. Any other text fails."""
    if shell == "zsh":
        text = "\n".join(lines)
        assert text.startswith("_arguments '*: :((")
        assert text.endswith("))'")
        lines = text.removeprefix("_arguments '*: :((").removesuffix("))'").splitlines()
        parts = [line.removeprefix('"').removesuffix('"').split('":"') for line in lines]
    else:
        parts = [line.split({"fish": "\t", "powershell": ":::", "bash": "\0"}[shell]) for line in lines]
    return {part[0]: part[1] if len(part) > 1 else "" for part in parts}


def is_harmless(text: str) -> bool:
    return all(
        character == " " or unicodedata.category(character)[0] in "LM" or character.isdecimal()
        for character in text
    )


@pytest.mark.first_cases(3)
@pytest.mark.parametrize("title", HOSTILE_TITLES)
@pytest.mark.parametrize("shell", PROTOCOLS)
def test_no_title_says_anything_but_words(shell: str, title: str) -> None:
    record(FIRST, title)
    record(SECOND, "Second", "second")
    shown = described(shell, complete(shell))
    assert list(shown) == [SECOND, FIRST]
    assert all(is_harmless(text) and len(text) < 100 for text in shown.values())
    if shell != "bash":
        assert shown[FIRST].startswith("hit")
        assert shown[FIRST].endswith("submitted")
        assert shown[SECOND] == "Second submitted"


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("width", ["COLUMNS", "TERMINAL_WIDTH"])
@pytest.mark.parametrize("shell", ["fish", "powershell"])
def test_no_word_of_a_title_becomes_a_candidate_in_a_narrow_terminal(shell: str, width: str) -> None:
    record(FIRST, "A long title of many words")
    assert described(shell, complete(shell, **{width: "10"})) == {
        FIRST: "A long title of many words submitted"
    }


@pytest.mark.first_cases(3)
@pytest.mark.parametrize(
    "task_id",
    [
        "98$(touch pwned)",
        "98`touch pwned`",
        "98;touch pwned",
        "98 -rf",
        '98"x',
        "98'x",
        "98[/]",
        "98:::x",
        "98/../x",
        "98é",
        "98" + "0" * 127,
    ],
)
@pytest.mark.parametrize("shell", PROTOCOLS)
def test_an_id_that_would_be_refused_is_not_offered(shell: str, task_id: str) -> None:
    record(FIRST, "First")
    record(task_id, "Second", "second")
    assert list(described(shell, complete(shell))) == [FIRST]
    assert run_program("status", task_id, env={"SUNO_API_KEY": "any"}).code == 2


@pytest.mark.parametrize(
    "title", ["Ünïcödé 2", "हिन्दी गीत", "Привет мир", "שלום עולם", "أغنية ٣", "歌 たち", "e\u0301te\u0301"]
)
def test_titles_of_every_script_keep_their_words(title: str) -> None:
    assert describe(title, "failed") == f"{title} failed"


def test_what_stood_on_several_lines_stays_several_words() -> None:
    assert describe("  two\nlines,\tand-more ", "failed") == "two lines andmore failed"


def test_a_title_of_signs_alone_leaves_the_state() -> None:
    assert describe("!!! $$$", "failed") == "failed"


@given(st.text())
def test_a_description_is_words_and_short(title: str) -> None:
    text = describe(title, "failed")
    assert is_harmless(text)
    assert len(text) <= 70
    assert text == " ".join(text.split())


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put `suno-wav` on PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "suno-wav").write_text(f'#!/bin/sh\nexec {shlex.join(command_line())} "$@"\n')
    (folder / "suno-wav").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder / "suno-wav"


def executable(shell: str) -> str:
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"{shell} is not installed")
    return found


def read_terminal(terminal: int, *wanted: str) -> str:
    """Read until all of `wanted` has been shown."""
    shown = ""
    deadline = time.monotonic() + _PATIENCE
    while not all(text in shown for text in wanted):
        ready, _, _ = select.select([terminal], [], [], max(0.0, deadline - time.monotonic()))
        assert ready, f"{wanted} never appeared, but {shown!r}"
        shown += os.read(terminal, 65536).decode(errors="replace")
    return shown


def record_hostile_titles() -> list[str]:
    """Record a task for each title. Return their ids."""
    task_ids = [f"98{number:030x}" for number in range(len(HOSTILE_TITLES))]
    for task_id, title in zip(task_ids, HOSTILE_TITLES, strict=True):
        record(task_id, str(title.values[0]), task_id[2:])
    return task_ids


COMPLETED = {
    "suno-wav status @": ["@last"],
    "suno-wav resume @": ["@last"],
    "suno-wav convert --provider s": ["sunoapi", "sandbox"],
    "suno-wav convert --provider sandbox demo-ea": ["demo-early"],
    "suno-wav convert demo-ea": ["demo-early"],
    "suno-wav trigger --event wrong-t": ["wrong-type"],
    "suno-wav trigger --event=wrong-t": ["wrong-type"],
    "suno-wav config set time": ["timeout"],
    "suno-wav help age": ["agents"],
    "suno-wav --install-completion f": ["fish"],
    "suno-wav conf": ["config"],
    "suno-wav convert --sk": ["--skip-existing"],
}
"""Beginnings of a command line, and what may stand at their end. """


@pytest.mark.first_cases(4)
@pytest.mark.parametrize("line", COMPLETED)
def test_each_kind_of_word_is_completed(line: str) -> None:
    record(FIRST, "First")
    done = run_program(env={"_SUNO_WAV_COMPLETE": "complete_bash", "COMP_LINE": line})
    assert done.out.split() == COMPLETED[line]


def test_last_is_offered_first_and_only_where_there_is_a_task() -> None:
    ask = {"_SUNO_WAV_COMPLETE": "complete_bash", "COMP_LINE": "suno-wav status "}
    assert run_program(env=ask).out.split() == []
    record(FIRST, "First")
    assert run_program(env=ask).out.split() == ["@last", FIRST]


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    ("line", "answer"),
    [
        (
            "suno-wav convert --from-file ",
            "_files -g '*.(txt|csv|json|jsonl|ndjson|TXT|CSV|JSON|JSONL|NDJSON)'",
        ),
        ("suno-wav convert --out ", "_files -/"),
        ("suno-wav inspect ", "_files -g '*.(wav|WAV)'"),
        ("suno-wav trigger --from ", "_files -g '*.(json|JSON)'"),
        ("suno-wav listen --save ", "_files -/"),
        ("suno-wav convert --errors ", "_files"),
        ("suno-wav convert --timeout ", ""),
        ("suno-wav convert --timeout=", ""),
        ("suno-wav trigger --from=s", "compset -P '*='; _files -g '*.(json|JSON)'"),
    ],
)
def test_zsh_offers_files_of_the_kind_that_is_taken(line: str, answer: str) -> None:
    done = run_program(env={"_SUNO_WAV_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": line})
    assert done.out.strip() == answer


@pytest.mark.first_cases(2)
@pytest.mark.parametrize(
    ("line", "files"),
    [
        ("suno-wav inspect ", ["a b.WAV", "folder/"]),
        ("suno-wav inspect fo", ["folder/"]),
        ("suno-wav inspect folder/", ["folder/c.wav"]),
        ("suno-wav inspect ./folder/c", ["./folder/c.wav"]),
        ("suno-wav inspect ~/", ["~/at-home.wav"]),
        ("suno-wav convert --from-file ", ["folder/", "list.txt"]),
        ("suno-wav convert --from-file=l", ["list.txt"]),
        ("suno-wav convert --out ", ["folder/"]),
        ("suno-wav inspect .", [".hidden.wav"]),
        ("suno-wav inspect absent/", []),
        ("suno-wav convert --errors ", []),
        ("suno-wav convert --timeout ", []),
    ],
)
@pytest.mark.parametrize("shell", ["bash", "fish"])
def test_bash_and_fish_get_the_files_of_the_kind_that_is_taken(
    shell: str, line: str, files: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    for folder in (Path("folder"), tmp_path / "user"):
        folder.mkdir()
    for name in ("a b.WAV", "list.txt", ".hidden.wav", "bad\nname.wav", "folder/c.wav", "folder/d.txt"):
        Path(name).touch()
    (tmp_path / "user" / "at-home.wav").touch()
    if shell == "bash":
        assert complete("bash", COMP_LINE=line) == (["files:", *files] if files else [""])
    else:
        option = "--from-file=" if "=" in line else ""
        assert complete("fish", _TYPER_COMPLETE_ARGS=line) == ([option + name for name in files] or [""])


@contextmanager
def typing(shell: str, setup: str, home: Path) -> Iterator[int]:
    """Start a shell on a terminal, and give the terminal when the shell is ready to be typed into."""
    options = {"zsh": ["-f", "-i"], "bash": ["--norc", "--noprofile", "-i"]}
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (40, 160))
    with subprocess.Popen(
        [executable(shell), *options[shell]],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        env=os.environ | {"ZDOTDIR": str(home), "TERM": "xterm", "LC_ALL": "C.UTF-8"},
    ) as process:
        os.close(theirs)
        try:
            os.write(ours, f"{setup}; PS1='REA''DY '\n".encode())
            read_terminal(ours, "READY ")
            yield ours
        finally:
            process.kill()
    os.close(ours)


ZSH = f"autoload -Uz compinit; compinit -u -D; source {REPOSITORY}/completions/_suno-wav"
BASH = f"source {REPOSITORY}/completions/suno-wav.bash"


@pytest.mark.long
@pytest.mark.usefixtures("program")
def test_zsh_lists_tasks_and_runs_nothing(tmp_path: Path) -> None:
    task_ids = record_hostile_titles()
    record(FIRST, "Last")
    with typing("zsh", f"{ZSH}; setopt no_list_ambiguous", tmp_path) as terminal:
        os.write(terminal, b"suno-wav status 98\t")
        read_terminal(terminal, FIRST, *task_ids, "Last submitted", "hit touch pwned song submitted")
    assert not Path("pwned").exists()


@pytest.mark.long
@pytest.mark.usefixtures("program")
@pytest.mark.parametrize(("shell", "setup"), [("zsh", ZSH), ("bash", BASH)])
def test_each_kind_of_word_is_completed_at_the_terminal(shell: str, setup: str, tmp_path: Path) -> None:
    record(FIRST, "$(touch pwned)")
    Path("$(touch pwned) song.wav").touch()
    one = {line: found[0] for line, found in COMPLETED.items() if len(found) == 1}
    Path("list of songs.csv").touch()
    files = {"suno-wav inspect ": "song.wav", "suno-wav convert --from-file=li": "songs.csv"}
    for line, word in {**one, **files}.items():
        with typing(shell, setup, tmp_path) as terminal:
            os.write(terminal, f"{line}\t".encode())
            read_terminal(terminal, word)
    assert not Path("pwned").exists()


@pytest.mark.long
@pytest.mark.usefixtures("program")
def test_zsh_lists_all_options_of_a_command_with_their_words(tmp_path: Path) -> None:
    with typing("zsh", ZSH, tmp_path) as terminal:
        os.write(terminal, b"suno-wav convert --\t")
        read_terminal(terminal, "--window", "a reseller\N{RIGHT SINGLE QUOTATION MARK}s, or")


@pytest.mark.long
@pytest.mark.usefixtures("program")
def test_fish_lists_tasks_and_runs_nothing(tmp_path: Path) -> None:
    fish = executable("fish")
    task_ids = record_hostile_titles()
    script = f"source {REPOSITORY}/completions/suno-wav.fish; complete -C 'suno-wav status 98'"
    done = subprocess.run(
        [fish, "--no-config", "-c", script],
        env=os.environ | {"HOME": str(tmp_path), "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=True,
        timeout=_PATIENCE,
    )
    shown = described("fish", done.stdout.splitlines())
    assert sorted(shown) == task_ids
    assert shown[task_ids[0]] == "hit touch pwned song submitted"
    assert not Path("pwned").exists()


@pytest.mark.long
@pytest.mark.usefixtures("program")
def test_fish_completes_each_kind_of_word(tmp_path: Path) -> None:
    fish = executable("fish")
    record(FIRST, "$(touch pwned)")
    Path("$(touch pwned) song.wav").touch()
    Path("list of songs.csv").touch()
    lines = {
        **COMPLETED,
        "suno-wav inspect ": ["$(touch pwned) song.wav"],
        "suno-wav convert --from-file=li": ["list of songs.csv"],
    }
    for line, words in lines.items():
        script = f"source {REPOSITORY}/completions/suno-wav.fish; complete -C '{line}'"
        done = subprocess.run(
            [fish, "--no-config", "-c", script],
            env=os.environ | {"HOME": str(tmp_path), "LC_ALL": "C.UTF-8"},
            capture_output=True,
            text=True,
            check=True,
            timeout=_PATIENCE,
        )
        offered = [each.partition("\t")[0] for each in done.stdout.splitlines()]
        option = line.rpartition(" ")[2].partition("=")
        before = "".join(option[:2]) if option[1] else ""
        assert offered == sorted(before + word for word in words), line
    assert not Path("pwned").exists()


@pytest.mark.first_cases(1)
@pytest.mark.usefixtures("program")
@pytest.mark.parametrize("task_id", ["98$(touch pwned)", "98`touch pwned`", "98;touch pwned"])
def test_bash_completes_no_id_that_runs_a_command(task_id: str) -> None:
    bash = executable("bash")
    record(FIRST, "$(touch pwned)")
    record(task_id, "Second", "second")
    script = (
        f'source "{REPOSITORY}/completions/suno-wav.bash"; COMP_LINE="suno-wav status 98"; COMP_POINT=18; '
        '_suno_wav_completion suno-wav; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run([bash, "-c", script], capture_output=True, text=True, check=True, timeout=_PATIENCE)
    assert done.stdout == f"{FIRST}\n"
    assert not Path("pwned").exists()
