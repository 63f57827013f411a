"""`suno-wav credits`: the remaining credits."""

import typer

from suno_wav_cli.cli import options
from suno_wav_cli.cli.invocation import run_command


def show_credits(context: typer.Context, *, retries: options.Retries = None) -> None:
    """Show the remaining credits.

    Prints the number on standard output.
    """
    from suno_wav_cli.commands import credits as balance

    run_command(context, balance.show_credits)
