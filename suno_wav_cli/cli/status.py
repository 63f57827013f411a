"""`suno-wav status`: what the service says of a task."""

from typing import Annotated

import typer

from suno_wav_cli.cli import options
from suno_wav_cli.cli.completion import complete_task_id
from suno_wav_cli.cli.invocation import run_command
from suno_wav_cli.config.run import Run


def status(
    context: typer.Context,
    *,
    task_ids: Annotated[
        list[str],
        typer.Argument(
            metavar="TASK_ID...",
            help="WAV tasks, by id or its beginning; @last is the newest.",
            autocompletion=complete_task_id,
        ),
    ],
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the tasks have finished.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Wait, and show each change of state.")] = False,
    download: Annotated[
        bool, typer.Option("--download", help="Download the files, to where `convert` was to save them.")
    ] = False,
    raw: Annotated[
        bool, typer.Option("--raw", help="Print the service's records as they came, as JSON.")
    ] = False,
    out: options.Out = None,
    force: options.Force = None,
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
    """Show the state of WAV tasks, or finish them.

    Prints what the service says of each task, or with --download the path of each finished file.
    """

    def run_status(run: Run) -> int:
        from suno_wav_cli.commands import status as command

        request = command.Request(
            task_ids=tuple(task_ids), wait=wait, watch=watch, download=download, raw=raw
        )
        return command.show_tasks(request, run)

    run_command(context, run_status)
