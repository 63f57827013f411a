"""`suno-wav config`: effective settings, where each comes from, and changes of config.toml."""

import os
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from suno_wav_cli.cli.completion import complete_setting
from suno_wav_cli.cli.invocation import read_flags, run_command
from suno_wav_cli.config.credentials import Secrets
from suno_wav_cli.config.paths import find_paths
from suno_wav_cli.config.run import Run
from suno_wav_cli.config.settings import choose, make_settings, read_config
from suno_wav_cli.errors import SunoWavError, UsageError

if TYPE_CHECKING:
    from suno_wav_cli.events import Report


class Action(StrEnum):
    GET = "get"
    SET = "set"
    UNSET = "unset"


def config(
    context: typer.Context,
    *,
    action: Annotated[
        Action | None,
        typer.Argument(
            metavar="[get|set|unset]", show_default=False, help="Print one setting, or change config.toml."
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Argument(metavar="[NAME]", help="Setting, such as timeout.", autocompletion=complete_setting),
    ] = None,
    value: Annotated[str | None, typer.Argument(metavar="[VALUE]", help="Its value, such as 1h.")] = None,
    show_path: Annotated[
        bool, typer.Option("--path", help="Print the path of config.toml and exit.")
    ] = False,
) -> None:
    """Show the settings and where each comes from, or change them.

    `config set timeout 1h` writes config.toml and keeps its comments. Secrets (hmac_key,
    ngrok_authtoken) are prompted for, or read as one line of standard input. They are never shown,
    only whether they are set.
    """

    def run_config(run: Run) -> int:
        from suno_wav_cli.commands import config as command
        from suno_wav_cli.terminal.prompt import read_secret

        if action is None or show_path:
            return (command.show_path if show_path else command.show_config)(run)
        if name is None:
            raise UsageError(f"config {action} needs the name of a setting", "`suno-wav config` lists them.")
        if value is not None and action is not Action.SET:
            raise UsageError(f"config {action} takes one name", "Give the name of the setting alone.")
        if action is Action.GET:
            return command.get_setting(run, name)
        if action is Action.UNSET:
            return command.unset_setting(run, name)
        return command.set_setting(run, name, value, read_value=read_secret)

    def mend(_error: SunoWavError, report: "Report") -> int:
        return run_config(_run_without_file(context, report))

    changes = action in (Action.SET, Action.UNSET)
    run_command(context, run_config, without_settings=mend if changes else None)


def _run_without_file(context: typer.Context, report: "Report") -> Run:
    """Return a run that does not use the values in config.toml. Raise UsageError if others are wrong too."""
    config = read_config(find_paths(os.environ).config_file)
    choices = choose(read_flags(context), os.environ, replace(config, written={}))
    return Run(
        settings=make_settings(choices),
        choices=choices,
        secrets=Secrets(api_key=None, ngrok_token=None, hmac_key=None),
        environ=os.environ,
        report=report,
        interactive=False,
    )
