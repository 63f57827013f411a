"""`suno-wav credits`: what is left."""

from suno_wav_cli.config.run import Run

SETTINGS = ("retries",)


def credits_left(run: Run) -> int:
    """Show what is left in the account.

    Prints the number of credits on standard output, and nothing else.
    """
    from suno_wav_cli.commands import credits as balance

    return balance.show_credits(run)
