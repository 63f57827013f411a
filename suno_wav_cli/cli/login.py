"""`suno-wav login` and `suno-wav logout`: the stored API key."""

from typing import Annotated

import typer

from suno_wav_cli.cli import options
from suno_wav_cli.cli.invocation import run_command
from suno_wav_cli.config.run import Run


def login(
    context: typer.Context,
    *,
    typed: Annotated[list[str] | None, typer.Argument(hidden=True)] = None,
    unverified: Annotated[
        bool, typer.Option("--unverified", help="Store the key without checking it with the API.")
    ] = False,
    retries: options.Retries = None,
) -> None:
    """Store an API key.

    Prompts for the key, or reads it as one line of standard input. The API must accept it. It is
    stored in the system's keyring, or in a file that only you can read, one for each provider and
    base URL. SUNO_API_KEY takes precedence.
    """

    def run_login(run: Run) -> int:
        from suno_wav_cli.commands import login as command
        from suno_wav_cli.terminal.prompt import read_secret

        return command.login(run, read_key=read_secret, typed=bool(typed), unverified=unverified)

    run_command(context, run_login)


def logout(context: typer.Context) -> None:
    """Remove a stored API key.

    Removes the key of this provider and base URL. Tells if SUNO_API_KEY still holds one.
    """

    def run_logout(run: Run) -> int:
        from suno_wav_cli.commands import login as command

        return command.logout(run)

    run_command(context, run_logout)
