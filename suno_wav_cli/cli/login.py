"""`suno-wav login` and `suno-wav logout`: keep the API key."""

from typing import Annotated

import typer

from suno_wav_cli.config.run import Run
from suno_wav_cli.errors import UsageError

LOGIN_SETTINGS = ("retries",)


def login(
    run: Run,
    typed: Annotated[list[str] | None, typer.Argument(hidden=True)] = None,
    unverified: Annotated[
        bool, typer.Option("--unverified", help="Keep it without asking the service, for use offline.")
    ] = False,
) -> int:
    """Keep the API key.

    Asks for it without showing it, or reads one line of standard input; has the service confirm it; and keeps it in the system's keyring, else in a file that only you can read. One key for each provider and base URL. SUNO_API_KEY wins over it.
    """
    from suno_wav_cli.commands import login as logins
    from suno_wav_cli.terminal.prompt import read_secret

    if typed:
        raise UsageError(
            "a key on the command line can be read by others on this machine, and stays in the shell's history",
            "suno-wav login asks for it, or reads it from standard input: suno-wav login < FILE",
        )
    return logins.login(run, read_key=read_secret, unverified=unverified)


def logout(run: Run) -> int:
    """Remove the API key that `login` has kept.

    For this provider and base URL. Says whether SUNO_API_KEY still holds one.
    """
    from suno_wav_cli.commands import login as logins

    return logins.logout(run)
