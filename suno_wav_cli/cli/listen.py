"""`suno-wav listen`: receive callbacks."""

from typing import Annotated

import typer

from suno_wav_cli.cli import options
from suno_wav_cli.cli.invocation import run_command
from suno_wav_cli.config.run import Run
from suno_wav_cli.config.settings import LISTEN_PORT


def listen(
    context: typer.Context,
    *,
    port: Annotated[
        str | None, typer.Option(metavar="N", help=f"Port of the receiver. Default: {LISTEN_PORT}.")
    ] = None,
    path: options.CallbackPath = None,
    no_secret: options.NoSecret = None,
    tunnel: options.Tunnel = None,
    tunnel_command: options.TunnelCommand = None,
    domain: options.Domain = None,
    public_url: options.PublicUrl = None,
    forward_to: options.ForwardTo = None,
    keep_forwarded_headers: options.KeepForwardedHeaders = None,
    out: Annotated[
        str | None,
        typer.Option("--out", "-o", metavar="DIR", help="Download the files of confirmed deliveries to DIR."),
    ] = None,
    save: options.Save = None,
    max_events: options.MaxEvents = None,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="TASK_ID",
            help="End when a genuine callback of this task has come: confirmed, or signed if there is no API key.",
        ),
    ] = None,
    poll_interval: options.PollInterval = None,
    timeout: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="End after this time, with exit code 8 if what was awaited has not come. Default: never.",
        ),
    ] = None,
    retries: options.Retries = None,
    force: options.Force = None,
    allow_private_hosts: options.AllowPrivateHosts = None,
) -> None:
    """Receive callbacks and show them.

    Opens a public URL (through ngrok, or your own), acknowledges each delivery at once, then checks
    it with the API. Prints the callback URL and each delivery.
    """

    def run_listen(run: Run) -> int:
        from suno_wav_cli.commands.listen import command
        from suno_wav_cli.commands.listen.awaited import Awaited
        from suno_wav_cli.conversion.ids import id_of

        settings = run.settings
        awaited = Awaited(
            # That of the environment is for each conversion.
            seconds=None if timeout is None else settings.timeout,
            task_id=None if until is None else id_of(until, "a task id", "--until"),
            events=settings.max_events,
        )
        return command.listen(run, default_port=LISTEN_PORT, awaited=awaited)

    run_command(context, run_listen)
