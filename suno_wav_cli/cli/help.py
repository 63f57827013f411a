"""`suno-wav help`: what to do first, the help of a command, or all of it as data."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from suno_wav_cli.cli.completion import complete_topic
from suno_wav_cli.config.settings import check_flags

START = """\
suno-wav gets WAV files of Suno songs, and never pays twice.

Try it first. This needs no key and costs nothing:
  suno-wav convert demo --provider sandbox --out song.wav
  suno-wav jobs --provider sandbox

Then with your own songs:
  suno-wav login                 asks for your API key, once
  suno-wav convert AUDIO_ID      converts a song
  suno-wav convert --task-id ID  all songs of a music task
  suno-wav resume                finishes what was left

All commands: suno-wav --help
One of them:  suno-wav help convert
"""


def show_help(
    context: typer.Context,
    *,
    topic: Annotated[
        str | None,
        typer.Argument(
            metavar="[COMMAND]",
            help="A command, or `agents`: one page for programs.",
            show_default=False,
            autocompletion=complete_topic,
        ),
    ] = None,
) -> None:
    """Tell what to do first, or show the help of a command.

    With --json: all commands, options, variables, exit codes and events as one JSON object.
    """
    program = context.find_root()
    commands = program.command.commands  # type: ignore[attr-defined]
    check_flags(context.obj or {})
    as_json = (context.obj or {}).get("json")
    if topic is None:
        if as_json:
            from suno_wav_cli.cli.reference import make_reference

            typer.echo(json.dumps(make_reference(commands), indent=2))
        else:
            typer.echo(START, nl=False)
    elif topic == "agents":
        from suno_wav_cli.cli.agents import make_page
        from suno_wav_cli.terminal.tables import get_width

        typer.echo(make_page(commands, get_width(sys.stdout)), nl=False)
    elif topic not in commands:
        from suno_wav_cli.cli.usage import refuse_command

        raise refuse_command(topic, [*commands, "agents"], context)
    elif as_json:
        from suno_wav_cli.cli.reference import describe_command

        typer.echo(json.dumps(describe_command(topic, commands[topic]), indent=2))
    else:
        # The class of typer's own context, which has no public name.
        own = type(context)(commands[topic], info_name=topic, parent=program)
        typer.echo(commands[topic].get_help(own))
