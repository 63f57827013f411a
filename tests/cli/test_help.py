"""What the program says of itself, to people and to programs."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer.main
from jsonschema import Draft202012Validator

from suno_wav_cli.cli.app import app
from suno_wav_cli.cli.layout import EXAMPLES, START_EXAMPLES
from suno_wav_cli.cli.options import GLOBAL
from suno_wav_cli.errors import ExitCode
from suno_wav_cli.system.shell_words import adapt_example
from tests.cli.test_wrong_usage import run_here
from tests.support.program import run_program

PROGRAM = typer.main.get_group(app)
LINES = [*START_EXAMPLES, *(line for lines in EXAMPLES.values() for line in lines)]


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run_here(*arguments) == 0
    return capsys.readouterr().out


def reference(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(said(capsys, "help", "--json"))
    return found


def test_without_a_command_and_with_help_it_says_what_to_do_first(capsys: pytest.CaptureFixture[str]) -> None:
    alone = said(capsys)
    assert alone == said(capsys, "help")
    assert "suno-wav convert demo --provider sandbox --out song.wav" in alone
    assert max(map(len, alone.splitlines())) <= 80


def test_help_works_whatever_the_configuration_is() -> None:
    done = run_program("help", "jobs", env={"SUNO_WAV_HOME": str(Path("no-folder")), "SUNO_WAV_JOBS": "x"})
    assert done.code == 0


def test_every_command_has_examples() -> None:
    assert EXAMPLES.keys() == PROGRAM.commands.keys()


@pytest.mark.parametrize("line", LINES)
def test_an_example_fits_the_terminal_and_is_accepted(line: str) -> None:
    assert len(line) <= 76
    program, *words = shlex.split(line.partition(" <")[0])
    assert program == "suno-wav"
    with PROGRAM.make_context("suno-wav", [*words]) as context:
        name, command, rest = PROGRAM.resolve_command(context, words)
        assert command is not None
        command.make_context(name, rest, parent=context)


@pytest.mark.parametrize("name", PROGRAM.commands)
def test_the_help_of_a_command_is_in_groups_and_fits(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    shown = said(capsys, "help", name)
    assert shown == said(capsys, name, "--help")
    assert max(map(len, shown.splitlines())) <= 80
    for parameter in PROGRAM.commands[name].params:
        if parameter.param_type_name == "option":
            for option in parameter.opts:
                assert len(re.findall(rf"(?<![\w-]){option}(?![\w-])", shown)) >= 1
    # Explained once, on the page of the program.
    assert "Print one JSON object per line." not in shown
    assert "Print one JSON object per line." in said(capsys, "--help")


def test_a_long_help_is_in_groups(capsys: pytest.CaptureFixture[str]) -> None:
    titles = re.findall(r"^(\w[\w ]*)(?: \(.*\))?:$", said(capsys, "help", "convert"), re.MULTILINE)
    assert titles == [
        *("Arguments", "Options", "Where to", "Waiting", "Callbacks", "Download", "Money"),
        *("Global options", "Examples"),
    ]


def test_the_page_for_agents_is_short_and_complete(capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(capsys, "help", "agents").splitlines()
    assert len(lines) <= 60
    assert max(map(len, lines)) <= 80
    assert {line.split()[0] for line in lines if line.startswith("  ")} >= PROGRAM.commands.keys()
    # As the shells of this system read it: PowerShell has no `<`.
    assert f"     {adapt_example('suno-wav login < FILE')}" in lines
    assert {line.split()[0] for line in lines if re.match(r" +\d+  ", line)} >= {
        str(int(code)) for code in ExitCode
    }


def test_the_reference_has_every_option_and_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    found = reference(capsys)
    assert found["commands"].keys() == PROGRAM.commands.keys()
    for name, command in PROGRAM.commands.items():
        own = [
            parameter.opts
            for parameter in command.params
            if parameter.param_type_name == "option" and parameter.name not in GLOBAL
        ]
        assert [option["names"] for option in found["commands"][name]["options"]] == own
    assert len(found["global_options"]) == len(GLOBAL)
    assert found["exit_codes"].keys() == {*map(str, map(int, ExitCode)), "129", "130", "143"}
    Draft202012Validator.check_schema(found["events"])


def test_the_reference_has_types_defaults_and_variables(capsys: pytest.CaptureFixture[str]) -> None:
    options = {option["names"][0]: option for option in reference(capsys)["commands"]["convert"]["options"]}
    shown = {
        name: (options[name]["type"], options[name]["default"], options[name]["variable"])
        for name in ("--timeout", "--force", "--window", "--max-credits", "--tunnel", "--task-id")
    }
    assert shown == {
        "--timeout": ("duration", "30m", "SUNO_WAV_TIMEOUT"),
        "--force": ("boolean", False, "SUNO_WAV_FORCE"),
        "--window": ("integer/duration", "20/10s", "SUNO_WAV_WINDOW"),
        "--max-credits": ("number", None, "SUNO_WAV_MAX_CREDITS"),
        "--tunnel": ("choice", "auto", "SUNO_WAV_TUNNEL"),
        "--task-id": ("id", None, None),
    }
    assert options["--tunnel"]["choices"] == ["auto", "ngrok", "none"]


def test_help_of_an_unknown_command_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_here("help", "convrt") == 2
    assert capsys.readouterr().err == "error: there is no command 'convrt'\n  Did you mean convert?\n"
