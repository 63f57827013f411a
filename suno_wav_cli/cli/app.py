"""The program: its commands and its global options."""

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from suno_wav_cli import __version__
from suno_wav_cli.cli import options
from suno_wav_cli.cli.config import config
from suno_wav_cli.cli.convert import convert
from suno_wav_cli.cli.credits import show_credits
from suno_wav_cli.cli.help import START, show_help
from suno_wav_cli.cli.inspect import inspect
from suno_wav_cli.cli.jobs import jobs
from suno_wav_cli.cli.listen import listen
from suno_wav_cli.cli.login import login, logout
from suno_wav_cli.cli.resume import resume
from suno_wav_cli.cli.sandbox import sandbox
from suno_wav_cli.cli.status import status
from suno_wav_cli.cli.tracks import tracks
from suno_wav_cli.cli.trigger import trigger


class Program(TyperGroup):
    """The commands. Each accepts the global options too, after its name."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        shared = [parameter for parameter in self.params if parameter.name in options.GLOBAL]
        for command in self.commands.values():
            command.params.extend(shared)


app = typer.Typer(
    cls=Program,
    name="suno-wav",
    help="Get WAV files of Suno songs: submit, wait, download, and never pay twice.",
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
def start(
    context: typer.Context,
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", "-V", help="Show the version and exit.", callback=_show_version, is_eager=True
        ),
    ] = False,
    json: options.Json = None,
    quiet: options.Quiet = None,
    verbose: options.Verbose = None,
    no_color: options.NoColor = None,
    provider: options.Provider = None,
    base_url: options.BaseUrl = None,
    log_file: options.LogFile = None,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(START, nl=False)


app.command("convert")(convert)
app.command("listen")(listen)
app.command("status")(status)
app.command("jobs")(jobs)
app.command("resume")(resume)
app.command("tracks")(tracks)
app.command("credits")(show_credits)
app.command("login")(login)
app.command("logout")(logout)
app.command("config")(config)
app.command("inspect")(inspect)
app.command("trigger")(trigger)
app.command("sandbox")(sandbox)
app.command("help")(show_help)
