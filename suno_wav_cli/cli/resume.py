"""`suno-wav resume`: finish earlier conversions."""

from typing import Annotated

import typer

from suno_wav_cli.cli import options
from suno_wav_cli.cli.completion import complete_unfinished_task_id
from suno_wav_cli.cli.invocation import run_command
from suno_wav_cli.config.run import Run


def resume(
    context: typer.Context,
    *,
    tasks: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TASK_ID...",
            help="WAV tasks or songs, by id or its beginning; @last is the newest. Default: all unfinished.",
            autocompletion=complete_unfinished_task_id,
        ),
    ] = None,
    resubmit: Annotated[
        bool,
        typer.Option(
            "--resubmit",
            help="Pay again for songs that are unknown; if named, also failed or forgotten ones.",
        ),
    ] = False,
    out: options.Out = None,
    force: options.Force = None,
    jobs: options.Jobs = None,
    window: options.Window = None,
    poll_interval: options.PollInterval = None,
    timeout: options.Timeout = None,
    retries: options.Retries = None,
    tag: options.Tag = None,
    exec: options.Exec = None,
    info_json: options.InfoJson = None,
    checksums: options.Checksums = None,
    connections: options.Connections = None,
    limit_rate: options.LimitRate = None,
    min_speed: options.MinSpeed = None,
    stall_timeout: options.StallTimeout = None,
    max_size: options.MaxSize = None,
    allow_private_hosts: options.AllowPrivateHosts = None,
) -> None:
    """Finish earlier conversions without paying again.

    Waits for every conversion that is paid for but not saved, and downloads the file; those that
    the service deletes first come first. Prints the path of each finished file.
    """

    def run_resume(run: Run) -> int:
        from suno_wav_cli.commands import resume as command

        return command.resume(command.Request(names=tuple(tasks or ()), resubmit=resubmit), run)

    run_command(context, run_resume)
