"""`suno-wav credits`: the remaining credits."""

import typer

from suno_wav_cli.cli import options
from suno_wav_cli.cli.invocation import run_command
from suno_wav_cli.config.run import Run


def show_credits(context: typer.Context, *, retries: options.Retries = None) -> None:
    """Show the remaining credits.

    Prints the number on standard output.
    """

    def run_credits(run: Run) -> int:
        from suno_wav_cli.commands import credits as command

        return command.show_credits(run)

    run_command(context, run_credits)
