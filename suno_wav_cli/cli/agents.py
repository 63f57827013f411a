"""`suno-wav help agents`: one page for programs and coding agents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from suno_wav_cli.cli.reference import EXIT_CODES, describe_command
from suno_wav_cli.system.shell_words import adapt_example

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typer._click.core import Command

_PAGE = """\
suno-wav for programs and coding agents

Rules
  1. Never pay twice. A conversion costs credits. After any failure, run
     `suno-wav resume` or the same `convert` again: both continue what is paid
     for. Add --resubmit only if a person has agreed to pay again.
  2. Try the sandbox first: --provider sandbox is free and needs no key:
     suno-wav convert demo --provider sandbox --out song.wav --json
  3. See the price first: convert ... --dry-run. Set a limit: --max-credits X.
  4. Add --json. Each line of standard output is an object with `event`; read
     fields, not words. An error is `failed`, a song's `song_failed`.
     `continue_argv` is the command that continues, word by word.
  5. Exit code 8 means go on: nothing failed. Run `suno-wav resume`.
  6. The key is never an option. Set SUNO_API_KEY, or pipe it:
     {login}

Commands
{commands}

Exit codes
{codes}

More
  suno-wav help --json     commands, options, defaults, variables, exit codes,
                           and the events as JSON Schema
  suno-wav help COMMAND    the options of one command
"""


def make_page(commands: Mapping[str, Command]) -> str:
    summaries = {name: describe_command(name, command)["summary"] for name, command in commands.items()}
    return _PAGE.format(
        login=adapt_example("suno-wav login < FILE"),
        commands="\n".join(f"  {name:<8} {summary}" for name, summary in summaries.items()),
        codes="\n".join(f"  {code:>3}  {meaning}" for code, meaning in EXIT_CODES.items()),
    )
