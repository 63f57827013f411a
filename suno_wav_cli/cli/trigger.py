"""`suno-wav trigger`: post a callback as the service would."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from suno_wav_cli.cli.completion import complete_callback
from suno_wav_cli.cli.invocation import run_command
from suno_wav_cli.cli.options import usable
from suno_wav_cli.config import parsers
from suno_wav_cli.config.run import Run


def trigger(
    context: typer.Context,
    *,
    url: Annotated[
        str | None, typer.Argument(metavar="URL", help="Address of the receiver, with its path.")
    ] = None,
    event: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Callback to post; see --list. `all` posts each of them. Default: success.",
            autocompletion=complete_callback,
        ),
    ] = None,
    list_events: Annotated[
        bool, typer.Option("--list", help="List the callbacks that --event accepts, then exit.")
    ] = False,
    task_id: Annotated[
        str | None, typer.Option(metavar="ID", help="Task id in the callback. Default: a random one.")
    ] = None,
    wav_url: Annotated[
        str | None,
        typer.Option(
            parser=partial(usable, parsers.http_url),
            metavar="URL",
            help="Address of the WAV file in the callback.",
        ),
    ] = None,
    serve: Annotated[
        bool,
        typer.Option(
            "--serve",
            help="Offer a WAV at an address of its own, and say whether the receiver fetches it, and when.",
        ),
    ] = False,
    recording: Annotated[
        Path | None,
        typer.Option(
            "--from",
            parser=partial(usable, parsers.path),
            metavar="FILE",
            help="Post a recorded callback as it is, a JSON body, or each of a folder.",
        ),
    ] = None,
    verify: Annotated[
        Path | None,
        typer.Option(
            parser=partial(usable, parsers.path),
            metavar="DELIVERY",
            help="Explain the signature of a recorded callback (a file, or -), then exit. Posts nothing.",
        ),
    ] = None,
    sign: Annotated[
        bool, typer.Option("--sign", help="Sign with the key of SUNO_WAV_HMAC_KEY or config.toml.")
    ] = False,
    repeat: Annotated[
        bool,
        typer.Option(
            "--retries", help="Repeat a failed callback as the service does: after 1, 5 and 15 min."
        ),
    ] = False,
    speed: Annotated[
        float,
        typer.Option(
            parser=partial(usable, parsers.fraction(0.001, 10_000)),
            metavar="X",
            help="Divide the pauses of --retries by X. Default: 1.",
            show_default=False,
        ),
    ] = 1.0,
    answer_timeout: Annotated[
        float | None,
        typer.Option(
            parser=partial(usable, parsers.seconds),
            metavar="TIME",
            help="Time that the receiver has to answer, and with --serve to fetch the file. Default: 15s.",
        ),
    ] = None,
) -> None:
    """Post a callback to a receiver as the service would.

    Prints, for each callback, what the receiver answered, how long it took, and whether the service
    would accept it. Exits with code 11 if it would not. With --event all or --serve, names the
    mistakes that receivers usually make.
    """

    def run_trigger(run: Run) -> int:
        from suno_wav_cli.commands.trigger import command
        from suno_wav_cli.commands.trigger.request import Request
        from suno_wav_cli.conversion.ids import id_of

        if list_events:
            return command.list_events(run)
        if verify is not None:
            from suno_wav_cli.commands.trigger.verify import verify_delivery

            return verify_delivery(verify, run)
        request = Request(
            url=url,
            event=event,
            task_id=None if task_id is None else id_of(task_id, "a task id", "--task-id"),
            wav_url=wav_url,
            recording=recording,
            sign=sign,
            retries=repeat,
            speed=speed,
            answer_timeout=15.0 if answer_timeout is None else answer_timeout,
            serve=serve,
        )
        return command.trigger(request, run)

    run_command(context, run_trigger)
