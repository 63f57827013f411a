"""`suno-wav help`: what to do first, or the help of a command."""

from typing import Annotated

import typer

from suno_wav_cli.cli.usage import refuse_command

START = """\
suno-wav gets WAV files of Suno songs, and never pays twice.

Try it first. This needs no key and costs nothing:
  suno-wav convert demo --provider sandbox --out song.wav
  suno-wav jobs --provider sandbox

Then with your own songs:
  suno-wav login                  tells where your API key is, and keeps it
  suno-wav convert AUDIO_ID       converts a song, and saves it here
  suno-wav convert --task-id ID   converts all songs of a music task
  suno-wav resume                 finishes what was interrupted

All commands: suno-wav --help       One of them: suno-wav help convert
"""


def show_help(
    context: typer.Context,
    *,
    name: Annotated[str | None, typer.Argument(metavar="[COMMAND]", show_default=False)] = None,
) -> None:
    """Tell what to do first, or show the help of a command."""
    program = context.find_root()
    if name is None:
        typer.echo(START, nl=False)
        return
    commands = program.command.commands  # type: ignore[attr-defined]
    if name not in commands:
        raise refuse_command(name, commands)
    # The class of typer's own context, which has no public name.
    own = type(context)(commands[name], info_name=name, parent=program)
    typer.echo(commands[name].get_help(own))
