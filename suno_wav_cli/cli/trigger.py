"""`suno-wav trigger`: post a callback as the service would."""

from pathlib import Path
from typing import Annotated

import typer

from suno_wav_cli.config.run import Run


def trigger(
    run: Run,
    *,
    url: Annotated[
        str | None,
        typer.Argument(metavar="URL", help="The receiver's address, with its path.", show_default=False),
    ] = None,
    event: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="What to post; --list shows all. Default: success.", show_default=False
        ),
    ] = None,
    list_events: Annotated[
        bool, typer.Option("--list", help="List the events and what each is, and exit.")
    ] = False,
    task_id: Annotated[
        str | None,
        typer.Option(
            metavar="ID", help="The task that it tells of. Default: a random one.", show_default=False
        ),
    ] = None,
    wav_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="The file's address that it tells.", show_default=False),
    ] = None,
    recording: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE", help="Post a recorded callback as it is.", show_default=False),
    ] = None,
    sign: Annotated[
        bool, typer.Option("--sign", help="Sign it with the key of SUNO_WAV_HMAC_KEY or config.toml.")
    ] = False,
    retries: Annotated[
        bool,
        typer.Option(
            "--retries", help="Repeat a failed delivery as the service does: after 1, 5 and 15 minutes."
        ),
    ] = False,
    speed: Annotated[
        float, typer.Option(min=0.001, max=10000, help="Divide every waiting time by this.")
    ] = 1.0,
) -> int:
    """Post a callback as the service would.

    Shows what the receiver answers, how long it takes, and what the service would make of it. Prints that as one line a delivery on standard output. Exit code 11: the receiver does not answer as it must.
    """
    from suno_wav_cli.commands.trigger import command
    from suno_wav_cli.commands.trigger.request import Request

    if list_events:
        return command.list_events(run)
    request = Request(
        url=url,
        event=event,
        task_id=task_id,
        wav_url=wav_url,
        recording=recording,
        sign=sign,
        retries=retries,
        speed=speed,
    )
    return command.trigger(request, run)
