"""`suno-wav listen`: receive callbacks."""

import os

from suno_wav_cli.commands.invocation import Run

SETTINGS = (
    "port",
    "path",
    "no_secret",
    "tunnel",
    "domain",
    "public_url",
    "forward_to",
    "out",
    "save",
    "max_events",
    "poll_interval",
    "timeout",
    "retries",
    "force",
)


def listen(run: Run) -> int:
    """Receive callbacks, and show them.

    Opens a public address (ngrok, or your own), acknowledges each delivery at once, and then asks the service whether it is true. Prints the address to give to the service, and each delivery, on standard output.
    """
    from suno_wav_cli import listening

    return listening.listen(run.settings, run.secrets, os.environ, run.report)
