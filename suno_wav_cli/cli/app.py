"""The program: its commands and its global options."""

from typing import Annotated

import typer

from suno_wav_cli import __version__
from suno_wav_cli.cli import options
from suno_wav_cli.cli.config import config
from suno_wav_cli.cli.convert import convert
from suno_wav_cli.cli.credits import show_credits
from suno_wav_cli.cli.doctor import doctor
from suno_wav_cli.cli.help import START, show_help
from suno_wav_cli.cli.inspect import inspect
from suno_wav_cli.cli.jobs import jobs
from suno_wav_cli.cli.listen import listen
from suno_wav_cli.cli.login import login, logout
from suno_wav_cli.cli.program import Command, Program
from suno_wav_cli.cli.resume import resume
from suno_wav_cli.cli.sandbox import sandbox
from suno_wav_cli.cli.shells import SHELLS, install, show
from suno_wav_cli.cli.status import status
from suno_wav_cli.cli.tracks import tracks
from suno_wav_cli.cli.trigger import trigger
from suno_wav_cli.config.settings import check_flags

app = typer.Typer(
    cls=Program,
    name="suno-wav",
    help="Get WAV files of Suno songs: submit, wait, download, and never pay twice.",
    context_settings={"help_option_names": ["-h", "--help"]},
    # Plain help is twice as fast, and stays plain in pipes and CI.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    # Ours takes the name of a shell, and says what it did.
    add_completion=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"suno-wav {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", "-V", help="Show the version and exit.", callback=_show_version, is_eager=True
        ),
    ] = False,
    install_completion: Annotated[
        str | None,
        typer.Option(
            metavar="SHELL",
            help=f"Install completion for {', '.join(SHELLS)}; without a name, for your shell.",
            callback=install,
            is_eager=True,
            autocompletion=lambda: [*SHELLS],
        ),
    ] = None,
    show_completion: Annotated[
        str | None,
        typer.Option(
            metavar="SHELL",
            help="Print the script for SHELL.",
            callback=show,
            is_eager=True,
            autocompletion=lambda: [*SHELLS],
        ),
    ] = None,
    json: options.Json = None,
    quiet: options.Quiet = None,
    verbose: options.Verbose = None,
    no_color: options.NoColor = None,
    provider: options.Provider = None,
    base_url: options.BaseUrl = None,
    log_file: options.LogFile = None,
) -> None:
    if context.invoked_subcommand is None:
        check_flags(context.obj or {})
        typer.echo(START, nl=False)


app.command("convert", cls=Command)(convert)
app.command("listen", cls=Command)(listen)
app.command("status", cls=Command)(status)
app.command("jobs", cls=Command)(jobs)
app.command("resume", cls=Command)(resume)
app.command("tracks", cls=Command)(tracks)
app.command("credits", cls=Command)(show_credits)
app.command("login", cls=Command)(login)
app.command("logout", cls=Command)(logout)
app.command("config", cls=Command)(config)
app.command("doctor", cls=Command)(doctor)
app.command("inspect", cls=Command)(inspect)
app.command("trigger", cls=Command)(trigger)
app.command("sandbox", cls=Command)(sandbox)
app.command("help", cls=Command)(show_help)
