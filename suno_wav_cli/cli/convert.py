"""`suno-wav convert`: submit, wait, download."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from suno_wav_cli.cli import options
from suno_wav_cli.cli.completion import complete_audio_id
from suno_wav_cli.cli.invocation import run_command
from suno_wav_cli.config import parsers
from suno_wav_cli.config.run import Run


def convert(
    context: typer.Context,
    *,
    audio_ids: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="AUDIO_ID...", help="Audio ids or URLs of songs.", autocompletion=complete_audio_id
        ),
    ] = None,
    task_id: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Music task of the songs. Without AUDIO_ID: all its songs."),
    ] = None,
    from_file: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Read more songs from FILE (- for standard input): AUDIO_ID [TASK_ID] per line, CSV, or JSON lines.",
        ),
    ] = None,
    errors: Annotated[
        Path | None,
        typer.Option(
            parser=partial(options.usable, parsers.path),
            metavar="FILE",
            help="Write the songs that failed to FILE, in the format of --from-file; if interrupted, all unsaved.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Show what would be done and its cost, then exit.")
    ] = False,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Submit, print the task ids, and exit.")] = False,
    resubmit: Annotated[
        bool,
        typer.Option(
            "--resubmit",
            help="Pay again for songs that failed, are unknown or were forgotten; with --force, for each AUDIO_ID.",
        ),
    ] = False,
    out: options.Out = None,
    force: options.Force = None,
    skip_existing: options.SkipExisting = None,
    max_credits: options.MaxCredits = None,
    jobs: options.Jobs = None,
    window: options.Window = None,
    poll_interval: options.PollInterval = None,
    timeout: options.Timeout = None,
    retries: options.Retries = None,
    tunnel: options.Tunnel = None,
    tunnel_command: options.TunnelCommand = None,
    domain: options.Domain = None,
    public_url: options.PublicUrl = None,
    callback_url: options.CallbackUrl = None,
    port: options.Port = None,
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
    """Convert songs to WAV files.

    Submits the songs, waits for the results, downloads the files and checks them. Prints the path
    of each finished file.
    """

    def run_convert(run: Run) -> int:
        from suno_wav_cli.commands import convert as command

        request = command.Request(
            audio_ids=tuple(audio_ids or ()),
            music_task_id=task_id,
            wait=not no_wait,
            resubmit=resubmit,
            dry_run=dry_run,
            from_file=from_file,
            errors=errors,
        )
        return command.convert_songs(request, run)

    run_command(context, run_convert)
