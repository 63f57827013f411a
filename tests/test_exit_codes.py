"""Each exit code of the READMEs' table, as a real run of the program ends with it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from suno_wav_cli.system.loopback import bind_socket
from tests.support.program import ENDS_WITHIN, REPOSITORY, named, read_until, started

if TYPE_CHECKING:
    from tests.support.program import Sandbox

NO_KEY = ("SUNO_WAV_PROVIDER", "sunoapi")
AWAY = ("SUNO_WAV_BASE_URL", "http://127.0.0.1:9")


@dataclass(frozen=True)
class Case:
    """A command line, a variable of its environment, and the exit code."""

    code: int
    line: tuple[str, ...]
    variable: tuple[str, str] | None = None


CASES = (
    Case(0, ("jobs",)),
    Case(2, ("jobs", "--no-such-option")),
    Case(2, ("convert", "demo+code-2", "--out", "file.txt/")),
    Case(3, ("credits",), NO_KEY),
    Case(3, ("convert", "demo-unauthorized+code-3")),
    Case(4, ("convert", "demo-no-credits+code-4")),
    Case(4, ("convert", "demo+code-4", "--max-credits", "0.1")),
    Case(5, ("convert", "demo+code-5", "demo-fails+code-5")),
    Case(5, ("convert", "demo+code-5-exec", "--exec", "false")),
    Case(6, ("credits", "--retries", "0"), AWAY),
    Case(6, ("convert", "demo-lost+code-6")),
    Case(7, ("convert", "demo-fails+code-7")),
    Case(7, ("status", "0" * 32)),
    Case(8, ("convert", "demo-never+code-8", "--timeout", "1s")),
    Case(9, ("convert", "demo-not-wav+code-9")),
    Case(9, ("inspect", "file.txt")),
    Case(10, ("convert", "demo+code-10", "--out", "file.txt")),
    Case(11, ("trigger", "http://127.0.0.1:9/hook")),
    Case(11, ("listen", "--tunnel", "none", "--port", "TAKEN")),
)
SIGNALS = {129: signal.SIGHUP, 130: signal.SIGINT, 143: signal.SIGTERM}
BUG = """
import typer
from suno_wav_cli.cli.invocation import run_command

app = typer.Typer()

@app.command()
def buggy(context: typer.Context) -> None:
    run_command(context, lambda run: 1 // 0)

app()
"""


@pytest.mark.parametrize("page", ["README.md", ".github/README.zh-CN.md"])
def test_each_code_of_the_table_has_a_case(page: str) -> None:
    rows = re.findall(r"^\| (\d[\d, ]*) \|", (REPOSITORY / page).read_text(encoding="utf-8"), re.MULTILINE)
    told = [int(code) for row in rows for code in row.split(",")]
    assert sorted(told) == sorted({1, *(case.code for case in CASES), *SIGNALS})


@pytest.mark.long
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.code}-{case.line[0]}")
def test_a_run_ends_with_the_code(sandbox: Sandbox, case: Case) -> None:
    Path("file.txt").write_text("not a WAV\n")
    with bind_socket(0) as taken:
        port = str(taken.getsockname()[1])
        line = [port if word == "TAKEN" else word for word in case.line]
        done = sandbox.run(*line, env=dict([case.variable] if case.variable else []))
    assert done.code == case.code, done
    assert Path("file.txt").read_text() == "not a WAV\n"


@pytest.mark.long
@pytest.mark.parametrize("verbose", [False, True])
def test_a_bug_is_code_1(verbose: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUNO_WAV_VERBOSE", str(int(verbose)))
    command = [sys.executable, "-c", BUG]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: a bug in suno-wav: ZeroDivisionError: ")
    assert ("Traceback" in done.stderr) is verbose


@pytest.mark.long
@pytest.mark.parametrize("code", SIGNALS)
def test_a_signal_is_128_and_its_number(sandbox: Sandbox, code: int) -> None:
    with started(sandbox, "convert", f"demo-never+code-{code}") as process:
        read_until(process, named("submitted"))
        process.send_signal(SIGNALS[code])
        process.communicate(timeout=2 * ENDS_WITHIN)
    assert process.returncode == code
