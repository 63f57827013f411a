"""The options of all commands: their names, their help, and who decides."""

from __future__ import annotations

import json
import re
from dataclasses import fields

import pytest
import typer.main

from suno_wav_cli.cli.app import app
from suno_wav_cli.cli.options import GLOBAL
from suno_wav_cli.config.settings import Settings
from tests.support.program import run_program

PROGRAM = typer.main.get_group(app)
SETTINGS = {field.name for field in fields(Settings)}
COMMANDS = [pytest.param(command, id=name) for name, command in PROGRAM.commands.items()]


@pytest.mark.first_cases(3)
@pytest.mark.parametrize("name", PROGRAM.commands)
def test_no_help_text_shows_a_type_of_python(name: str) -> None:
    shown = run_program(name, "--help").out
    assert re.findall(r"<[a-z ]+>|\b(TEXT|INTEGER|FLOAT)\b", shown) == []


@pytest.mark.parametrize("command", COMMANDS)
def test_an_option_named_as_a_setting_is_that_setting(command: typer.core.TyperCommand) -> None:
    """The settings are read from the parameters by name, so a command's own options need other names."""
    settings = [parameter for parameter in command.params if parameter.name in SETTINGS]
    assert [parameter.default for parameter in settings] == [None] * len(settings)
    for parameter in settings:
        assert "--" + str(parameter.name).replace("_", "-") in parameter.opts


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_accepts_the_global_options(command: typer.core.TyperCommand) -> None:
    assert [parameter.name for parameter in command.params if parameter.name in GLOBAL] == [*GLOBAL]


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    ("arguments", "provider"),
    [
        pytest.param(["--json", "--provider", "kie", "config"], "kie", id="before the command"),
        pytest.param(["config", "--provider", "kie", "--json"], "kie", id="after the command"),
        pytest.param(
            ["--provider", "kie", "--json", "config", "--provider", "sandbox"],
            "sandbox",
            id="both: the last one wins",
        ),
    ],
)
def test_global_options_stand_before_or_after_the_command(arguments: list[str], provider: str) -> None:
    shown = map(json.loads, run_program(*arguments).out.splitlines())
    assert [event["value"] for event in shown if event.get("name") == "provider"] == [provider]


def test_an_option_that_is_not_given_leaves_the_setting_to_the_environment() -> None:
    env = {"SUNO_WAV_PROVIDER": "kie", "SUNO_WAV_QUIET": "true"}
    shown = map(json.loads, run_program("config", "--json", env=env).out.splitlines())
    sources = {event["name"]: event.get("source") for event in shown if event["event"] == "setting_shown"}
    assert {sources[name] for name in ("provider", "quiet")} == {"variable"}
    assert (sources["json"], sources["verbose"]) == ("flag", "default")
