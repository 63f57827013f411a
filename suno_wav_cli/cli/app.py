"""One file a command: options in, one call, nothing else."""

from typing import Annotated

import typer

from suno_wav_cli import __version__
from suno_wav_cli.cli import (
    config,
    convert,
    credits,  # noqa: A004 - a command's name
    inspect,
    jobs,
    listen,
    login,
    resume,
    sandbox,
    status,
    tracks,
    trigger,
)
from suno_wav_cli.cli.invocation import command, remember_global_options

app = typer.Typer(
    name="suno-wav",
    help="Real WAV files from the Suno API: submit, wait, download, and lose nothing that was paid for.",
    epilog="Try it without a key: suno-wav convert demo --provider sandbox --out song.wav",
    context_settings={"help_option_names": ["-h", "--help"]},
    # Plain help is twice as fast, and stays plain in pipes and CI.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"suno-wav {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
@remember_global_options
def _program(
    context: typer.Context,
    version: Annotated[  # noqa: ARG001 - answered by its callback
        bool,
        typer.Option(
            "--version", "-V", help="Show the version and exit.", callback=_show_version, is_eager=True
        ),
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


command(app, "convert", convert.SETTINGS)(convert.convert)
command(app, "listen", listen.SETTINGS)(listen.listen)
command(app, "status", status.SETTINGS)(status.status)
command(app, "jobs", ())(jobs.jobs)
command(app, "resume", resume.SETTINGS)(resume.resume)
command(app, "tracks", tracks.SETTINGS)(tracks.tracks)
command(app, "credits", credits.SETTINGS)(credits.credits_left)
command(app, "login", login.LOGIN_SETTINGS)(login.login)
command(app, "logout", ())(login.logout)
command(app, "config", ())(config.config)
command(app, "inspect", ())(inspect.inspect)
command(app, "trigger", ())(trigger.trigger)
command(app, "sandbox", ())(sandbox.sandbox)
