"""README, commands/README.md, events/README.md and the completion scripts agree with the program."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import wave
from array import array
from pathlib import Path

import pytest

from suno_wav_cli.commands.trigger.samples import SAMPLES
from suno_wav_cli.errors import ExitCode
from tests.support import events_page
from tests.support.program import REPOSITORY, run_program

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
PACKAGE = REPOSITORY / "suno_wav_cli"
COMMANDS = (PACKAGE / "commands" / "README.md").read_text(encoding="utf-8")


def shell_blocks() -> list[str]:
    return re.findall(r"```sh\n(.*?)```", README, re.DOTALL)


def masked(text: str) -> str:
    """Replace ports and ids, which differ from run to run."""
    return re.sub(r"[0-9a-f]{32}", "ID", re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", text))


@pytest.mark.long
def test_the_first_command_makes_a_song_on_a_fresh_machine(tmp_path: Path) -> None:
    """The README's command, in a fresh copy without a virtual environment, prints what the README shows."""
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, copy)
    shutil.copytree(PACKAGE, copy / "suno_wav_cli", ignore=shutil.ignore_patterns("__pycache__"))
    done = subprocess.run(
        ["sh", "-c", f'PATH="{Path(sys.executable).resolve().parent}:$PATH"; {shell_blocks()[0]}'],
        cwd=copy,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "song.wav\n"), done.stderr
    shown = re.search(r"```text\n(.*?)```", README, re.DOTALL)
    assert shown is not None
    # pip may have printed something before.
    assert masked(done.stderr + done.stdout).endswith(masked(shown[1]))
    with wave.open(str(copy / "song.wav")) as song:
        assert max(array("h", song.readframes(song.getnframes()))) > 8000, "silence"


def test_the_page_of_commands_lists_all_callbacks_of_trigger() -> None:
    rows = "\n".join(f"| `{name}` | {sample.about} |" for name, sample in SAMPLES.items())
    table = f"| event | what is posted |\n| --- | --- |\n{rows}\n"
    assert (
        COMMANDS.partition("<!-- trigger events: begin -->\n")[2].partition("<!-- trigger events: end -->")[0]
        == table
    )


def test_the_page_of_events_is_what_their_docstrings_say() -> None:
    """If this fails, run: python -m tests.support.events_page."""
    assert events_page.PAGE.read_text(encoding="utf-8") == events_page.make_page()


def test_every_exit_code_is_documented() -> None:
    tables = [
        page.partition("| exit code | meaning |")[2].partition("Songs that all fail")[0]
        for page in (README, COMMANDS)
    ]
    assert tables[0] == tables[1]
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", tables[0], re.MULTILINE)} == {*ExitCode}


@pytest.mark.first_cases(3)
@pytest.mark.parametrize(
    "command",
    [
        "convert",
        "listen",
        "status",
        "jobs",
        "resume",
        "tracks",
        "credits",
        "login",
        "logout",
        "config",
        "doctor",
        "inspect",
        "trigger",
        "sandbox",
    ],
)
def test_every_option_of_a_command_is_documented(command: str) -> None:
    shown = run_program(command, "--help").out
    assert set(re.findall(r"--[a-z-]+", shown)) - {"--list"} <= set(re.findall(r"--[a-z-]+", COMMANDS))


@pytest.mark.first_cases(2)
@pytest.mark.parametrize(
    ("arguments", "absent"),
    [
        pytest.param(
            ["--version"], {"typing", "typer", "httpx", "rich", "uvicorn", "asyncio"}, id="--version"
        ),
        pytest.param(["--help"], {"httpx", "rich", "pyngrok", "uvicorn", "starlette"}, id="--help"),
        pytest.param(["config"], {"httpx", "rich", "pyngrok", "uvicorn", "starlette"}, id="config"),
        pytest.param(
            ["convert", "--help"], {"httpx", "rich", "pyngrok", "uvicorn", "starlette"}, id="convert --help"
        ),
        pytest.param(
            ["inspect", "README.md"], {"numpy", "httpx", "mutagen"}, id="inspect of a file that is not a WAV"
        ),
        pytest.param(
            ["trigger", "--help"], {"httpx", "rich", "pyngrok", "uvicorn", "starlette"}, id="trigger --help"
        ),
    ],
)
def test_quick_answers_import_nothing_heavy(arguments: list[str], absent: set[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "suno_wav_cli", *arguments],
        # What counts coverage imports modules of its own.
        env={name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")},
        capture_output=True,
        text=True,
        check=False,
    )
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert imported & absent == set()


SHELLS = {
    "bash": "suno-wav.bash",
    "zsh": "_suno-wav",
    "fish": "suno-wav.fish",
    "powershell": "suno-wav.ps1",
}


@pytest.mark.first_cases(2)
@pytest.mark.parametrize(("shell", "file"), SHELLS.items())
def test_the_completion_scripts_are_up_to_date(shell: str, file: str) -> None:
    """If this fails, run: suno-wav --show-completion SHELL > completions/FILE."""
    generated = run_program("--show-completion", shell).out
    assert (REPOSITORY / "completions" / file).read_text(encoding="utf-8") == generated


def test_bash_completes_options_with_the_shipped_script(tmp_path: Path) -> None:
    (tmp_path / "suno-wav").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m suno_wav_cli "$@"\n')
    (tmp_path / "suno-wav").chmod(0o755)
    script = (
        f'PATH="{tmp_path}:$PATH"; source "{REPOSITORY}/completions/suno-wav.bash"; '
        'COMP_LINE="suno-wav convert --tunnel "; COMP_POINT=26; _suno_wav_completion suno-wav; echo "${COMPREPLY[@]}"'
    )
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "auto ngrok none\n"


def test_each_promise_of_the_security_page_names_tests_that_exist() -> None:
    page = (REPOSITORY / ".github" / "SECURITY.md").read_text(encoding="utf-8")
    promises = re.findall(r"^- .*\n(?:  .*\n)*", page.split("\n## ")[2], re.MULTILINE)
    assert promises
    for promise in promises:
        tests = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", promise)
        assert tests, promise
        for file, test in tests:
            source = (REPOSITORY / file).read_text(encoding="utf-8")
            assert re.search(rf"^(?:async )?def {test}\(", source, re.MULTILINE), f"{file}::{test}"
