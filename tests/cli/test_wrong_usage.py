"""Every command with every kind of wrong command line: exit 2, a sentence, and nothing is changed."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer.main

from suno_wav_cli.cli.app import app
from tests.support.program import run_program
from tests.support.quick import shortlist

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from tests.support.program import Sandbox

PROGRAM = typer.main.get_group(app)
ARGUMENTS = {
    "convert": ["demo"],
    "status": ["0" * 32],
    "tracks": ["0" * 32],
    "inspect": ["song.wav"],
    "trigger": ["http://127.0.0.1:9/"],
}
"""What each command needs besides its options."""

NUMBERS = {
    "N": ("nan", "-1", "1e3", "9" * 23, "x", "1.5.5"),
    "X": ("nan", "inf", "-1", "1e400", "9" * 23, "x"),
    "TIME": ("nan", "0", "-1s", "9" * 23, "1e3", "soon"),
    "SPEED": ("nan", "0", "-1k", "9" * 23, "fast"),
    "SIZE": ("nan", "0", "-1k", "9" * 23, "big"),
    "N/TIME": ("nan", "0/10s", "20/0s", "9" * 23, "20/9999d"),
    "auto|ngrok|none": ("AUTO", "cloudflared", "1"),
}
"""Wrong values, by what the help calls the value."""

CONTRADICTIONS = (
    ("--force", "--skip-existing"),
    ("--quiet", "--verbose"),
    ("--public-url=https://a.example", "--callback-url=https://b.example"),
    ("--public-url=https://a.example", "--tunnel=ngrok"),
    ("--callback-url=https://a.example", "--tunnel=ngrok"),
    ("--tunnel-command=x", "--tunnel=ngrok"),
    ("--tunnel-command=x", "--public-url=https://a.example"),
    ("--tunnel-command=x", "--callback-url=https://a.example"),
)


def wrong_lines() -> Iterator[list[str]]:
    """Yield the wrong command lines of all commands."""
    yield from (["no-such-command"], ["convrt"], [""], ["--no-such-option"], ["--provider"], ["--json=1"])
    for name, command in PROGRAM.commands.items():
        line = [name, *ARGUMENTS.get(name, [])]
        yield [*line, "--no-such-option"]
        yield [*line, "-Z"]
        options = [parameter for parameter in command.params if parameter.param_type_name == "option"]
        for parameter in command.params:
            if parameter not in options:
                yield [name, ""]
                if parameter.required:
                    yield [name]
        if len(options) == len(command.params):
            yield [*line, "surplus"]
        known = {option for parameter in options for option in parameter.opts}
        for one, other in CONTRADICTIONS:
            if {one.partition("=")[0], other.partition("=")[0]} <= known:
                yield [*line, one, other]
        for parameter in options:
            yield from ([*line, *wrong] for wrong in _wrong_values(parameter))


def _wrong_values(parameter: Any) -> Iterator[list[str]]:
    option = max(parameter.opts, key=len)
    if parameter.is_flag:
        yield [f"{option}=1"]
        return
    yield [option]
    yield [option, ""]
    yield [f"{option}="]
    for value in NUMBERS.get(parameter.metavar or "", ()):
        yield [f"{option}={value}"]


def run_here(*arguments: str) -> int:
    """Run the program in this process, which takes milliseconds, and return its exit code."""

    def give_up(_number: int, _frame: FrameType | None) -> None:
        raise AssertionError(f"{arguments} was accepted, and does not end")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(60)
    try:
        with pytest.raises(SystemExit) as exited:
            PROGRAM.main([*arguments], prog_name="suno-wav")
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    return int(exited.value.code or 0)


def check(line: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code = run_here("--json", *line)
    shown = capsys.readouterr()
    assert (code, "Traceback" in shown.err) == (2, False), (line, shown)
    events = [json.loads(one) for one in shown.out.splitlines()]
    if events[-1]["event"] == "check_summary":
        # To doctor, a wrong setting is what it looks for.
        assert (events[0]["check"], bool(events[0]["fact"]), bool(events[0]["remedy"])) == (
            ("settings", True, True)
        ), line
        return
    (failed,) = (event for event in events if event["event"] == "failed")
    assert (failed["exit_code"], bool(failed["message"]), bool(failed["remedy"])) == (2, True, True), line
    assert f"error: {failed['message']}\n  {failed['remedy']}\n" in shown.err, line
    assert not failed["message"].startswith(("Invalid", "Missing", "No such", "Got")), line
    assert [*Path().iterdir()] == []
    assert not Path(os.environ["SUNO_WAV_HOME"]).exists(), line


def test_a_wrong_command_line_is_exit_2_and_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    for line in [*wrong_lines()][::9]:
        check(line, capsys)


@pytest.mark.long
def test_every_wrong_command_line_is_exit_2_and_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    for line in wrong_lines():
        check(line, capsys)


@pytest.mark.parametrize(
    ("line", "said"),
    shortlist(
        [
            pytest.param(["convrt"], ("there is no command 'convrt'", "Did you mean convert?"), id="command"),
            pytest.param(
                ["jobs", "--unfinishd"],
                ("there is no option --unfinishd", "Did you mean --unfinished?"),
                id="option",
            ),
            pytest.param(
                ["jobs", "--tunnel", "none"],
                ("suno-wav jobs has no option --tunnel", "It is an option of convert, listen, doctor."),
                id="option of others",
            ),
            pytest.param(
                ["credits", "--provider", "kei"],
                (
                    "--provider: 'kei' is not one of: sunoapi, kie, kie-jobs, sandbox. Did you mean kie?",
                    "Correct it and run the command again.",
                ),
                id="provider",
            ),
            pytest.param(
                ["trigger", "http://127.0.0.1:9", "--event", "sucess"],
                (
                    "there is no event 'sucess'",
                    "Did you mean success? `suno-wav trigger --list` shows all of them.",
                ),
                id="event",
            ),
            pytest.param(
                ["8551ab12-34cd-4e5f-8a9b-0c1d2e3f662c"],
                (
                    "'8551ab12-34cd-4e5f-8a9b-0c1d2e3f662c' is a song, not a command",
                    "To convert it: suno-wav convert 8551ab12-34cd-4e5f-8a9b-0c1d2e3f662c",
                ),
                id="song",
            ),
            pytest.param(
                ["convert", "demo", "--api-key=sk-1"],
                ("there is no option --api-key", "A key is never an option. `suno-wav login` keeps it."),
                id="key",
            ),
        ],
        3,
    ),
)
def test_what_was_meant_is_named(
    line: list[str], said: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_here(*line) == 2
    assert capsys.readouterr().err == "error: {}\n  {}\n".format(*said)


@pytest.mark.parametrize(
    ("line", "note"),
    shortlist(
        [
            pytest.param(
                ["jobs", "--days", "2"], "--days has no effect here: it is for --expiring", id="days"
            ),
            pytest.param(
                ["sandbox", "--list", "--speed", "2"],
                "--speed has no effect here: --list starts no sandbox",
                id="list",
            ),
            pytest.param(
                ["trigger", "--list", "--sign"], "--sign has no effect here: --list posts nothing", id="sign"
            ),
        ],
        1,
    ),
)
def test_an_option_without_effect_is_noted(
    line: list[str], note: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_here(*line) == 0
    assert f"suno-wav: {note}\n" in capsys.readouterr().err


@pytest.mark.long
def test_the_environment_contradicts_nothing(sandbox: Sandbox) -> None:
    """What is typed wins, and two variables are for two commands."""
    both = {"SUNO_WAV_FORCE": "1", "SUNO_WAV_SKIP_EXISTING": "1", "SUNO_WAV_QUIET": "1"}
    assert sandbox.run("jobs", "-v", env=both).code == 0
    Path("demo+typed.wav").write_text("mine")
    done = sandbox.run("convert", "demo+typed", "--skip-existing", env=both)
    assert (done.code, Path("demo+typed.wav").read_text()) == (0, "mine")


@pytest.mark.long
def test_an_unknown_variable_is_a_warning_with_the_nearest_name() -> None:
    done = run_program("jobs", env={"SUNO_WAV_PROVDER": "kie", "SUNO_WAV_HOME": "home"})
    assert done.code == 0
    assert done.err.startswith(
        "suno-wav: warning: SUNO_WAV_PROVDER is set, and there is no such setting; "
        "did you mean SUNO_WAV_PROVIDER?\n"
    )


@pytest.mark.parametrize(
    ("address", "used"),
    [
        pytest.param("https://api.example.invalid", 5.0, id="a service"),
        pytest.param("http://127.0.0.1:9", None, id="this machine"),
    ],
)
def test_a_service_is_not_polled_too_often(address: str, used: float | None) -> None:
    done = run_program(
        "convert", "a", "-n", "--json", "--poll-interval", "1s", env={"SUNO_WAV_BASE_URL": address}
    )
    raised = [event["poll_interval"] for event in done.named("poll_interval_raised")]
    assert raised == ([] if used is None else [used])


def test_a_file_with_the_name_of_an_mp3_gets_a_note(sandbox: Sandbox) -> None:
    done = sandbox.run("convert", "demo+mp3", "-n", "--out", "song.mp3")
    assert done.code == 0
    assert "suno-wav: song.mp3 will be a WAV file, whatever its name says\n" in done.err
