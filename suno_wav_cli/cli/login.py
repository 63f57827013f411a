"""`suno-wav login` and `suno-wav logout`: the stored API key."""

from typing import Annotated

import typer

from suno_wav_cli.cli import options
from suno_wav_cli.cli.invocation import run_command


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
    from suno_wav_cli.commands import login as command
    from suno_wav_cli.terminal.prompt import read_secret

    run_command(
        context,
        lambda run: command.login(run, read_key=read_secret, typed=bool(typed), unverified=unverified),
    )


def logout(context: typer.Context) -> None:
    """Remove a stored API key.

    Removes the key of this provider and base URL. Tells if SUNO_API_KEY still holds one.
    """
    from suno_wav_cli.commands import login as command

    run_command(context, command.logout)
