"""`suno-wav listen`: receive callbacks."""

from suno_wav_cli.cli.options import option
from suno_wav_cli.config.run import Run

SETTINGS = (
    option("port", str, metavar="N", help="Port of the receiver. Default: 3000."),
    "path",
    "no_secret",
    "tunnel",
    "domain",
    "public_url",
    "forward_to",
    option(
        "out", str, "--out", "-o", metavar="DIR", help="Download the files of confirmed deliveries to DIR."
    ),
    "save",
    "max_events",
    "poll_interval",
    option(
        "timeout", str, metavar="TIME", help="How long to ask about a delivery that is pending. Default: 30m."
    ),
    "retries",
    "force",
)


def listen(run: Run) -> int:
    """Receive callbacks, and show them.

    Opens a public address (ngrok, or your own), acknowledges each delivery at once, and then asks the service whether it is true. Prints the address to give to the service, and each delivery, on standard output.
    """
    from suno_wav_cli.commands.listen import command as listening

    return listening.listen(run)
