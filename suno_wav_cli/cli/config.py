"""`suno-wav config`: effective settings, and where each comes from."""

from typing import Annotated

import typer

from suno_wav_cli.cli.invocation import run_command
from suno_wav_cli.config.run import Run


def config(
    context: typer.Context,
    *,
    show_path: Annotated[
        bool, typer.Option("--path", help="Print the path of config.toml and exit.")
    ] = False,
) -> None:
    """Show the settings in force and where each comes from.

    Secrets are never shown, only whether they are set.
    """

    def run_config(run: Run) -> int:
        from suno_wav_cli.commands import config as command

        return (command.show_path if show_path else command.show_config)(run)

    run_command(context, run_config)
