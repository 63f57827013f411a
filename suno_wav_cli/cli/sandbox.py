"""`suno-wav sandbox`: the service on this machine."""

from decimal import Decimal
from functools import partial
from typing import Annotated

import typer

from suno_wav_cli.cli.invocation import run_command
from suno_wav_cli.cli.options import usable
from suno_wav_cli.config import parsers
from suno_wav_cli.config.run import Run
from suno_wav_cli.models import SubmissionWindow


def sandbox(
    context: typer.Context,
    *,
    api_port: Annotated[
        int,
        typer.Option(
            "--port",
            parser=partial(usable, parsers.number(0, 65535)),
            metavar="N",
            help="Port to serve on; 0 is any free port. Default: 4010.",
            show_default=False,
        ),
    ] = 4010,
    speed: Annotated[
        float,
        typer.Option(
            parser=partial(usable, parsers.fraction(0.001, 10_000)),
            metavar="X",
            help="Divide all waiting times of the service by X. Default: 1.",
            show_default=False,
        ),
    ] = 1.0,
    answer_timeout: Annotated[
        float | None,
        typer.Option(
            parser=partial(usable, parsers.seconds),
            metavar="TIME",
            help="Time that a receiver has to answer a callback. Default: 15s.",
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            parser=partial(usable, parsers.number(0, 999_999_999)),
            metavar="N",
            help="Make task ids repeatable.",
        ),
    ] = None,
    credits_left: Annotated[
        Decimal | None,
        typer.Option(
            "--credits",
            parser=partial(usable, parsers.credits_amount),
            metavar="X",
            help="Credits that the account has. Default: 100.",
        ),
    ] = None,
    api_window: Annotated[
        SubmissionWindow | None,
        typer.Option(
            "--window",
            parser=partial(usable, parsers.window),
            metavar="N/TIME",
            help="Most submissions to accept within TIME, which --speed divides. Default: 20/10s.",
        ),
    ] = None,
    list_ids: Annotated[
        bool, typer.Option("--list", help="List the audio ids and what each does, then exit.")
    ] = False,
) -> None:
    """Run a local Suno WAV API.

    Free and offline. The audio id selects what goes wrong: demo, demo-slow, demo-fails, demo-cut and
    more (see --list).
    """

    def run_sandbox(run: Run) -> int:
        from suno_wav_cli.commands import sandbox as command

        if list_ids:
            return command.list_ids(run)
        return command.serve(
            run,
            port=api_port,
            speed=speed,
            seed=seed,
            credits_left=Decimal(100) if credits_left is None else credits_left,
            window=api_window or SubmissionWindow(),
            answer_timeout=15.0 if answer_timeout is None else answer_timeout,
        )

    run_command(context, run_sandbox)
