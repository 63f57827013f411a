"""`suno-wav help agents`: one page for programs and coding agents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from suno_wav_cli.cli.reference import EXIT_CODES, describe_command
from suno_wav_cli.system.shell_words import adapt_example
from suno_wav_cli.terminal.fold import wrap

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typer._click.core import Command

_RULES = (
    (
        "Never pay twice. A conversion costs credits. After any failure, run `suno-wav resume` or the same "
        "`convert` again: both continue what is paid for. Add --resubmit only if a person has agreed to pay again."
    ),
    (
        "Try the sandbox first: --provider sandbox is free and needs no key: "
        "suno-wav convert demo --provider sandbox --out song.wav --json"
    ),
    "See the price first: convert ... --dry-run. Set a limit: --max-credits X.",
    (
        "Add --json. Each line of standard output is an object with `event`; read fields, not words. An error is "
        "`failed`, a song's `song_failed`. `continue_argv` is the command that continues, word by word."
    ),
    "Exit code 8 means go on: nothing failed. Run `suno-wav resume`.",
    f"The key is never an option. Set SUNO_API_KEY, or pipe it: {adapt_example('suno-wav login < FILE')}",
)
_MORE = (
    (
        "suno-wav help --json",
        "commands, options, defaults, variables, exit codes, and the events as JSON Schema",
    ),
    ("suno-wav help COMMAND", "the options of one command"),
)
_WIDEST = 78


def make_page(commands: Mapping[str, Command], width: int | None = None) -> str:
    """Return the page for a terminal of this width, or for a pipe."""
    width = min(width or _WIDEST, _WIDEST)
    parts = {
        "Rules": [(f"{number}.", rule) for number, rule in enumerate(_RULES, 1)],
        "Commands": [
            (f"{name:<8}", str(describe_command(name, command)["summary"]))
            for name, command in commands.items()
        ],
        "Exit codes": [(f"{code:>3} ", meaning) for code, meaning in EXIT_CODES.items()],
        "More": [(f"{line:<24}", meaning) for line, meaning in _MORE],
    }
    lines = ["suno-wav for programs and coding agents"]
    for title, rows in parts.items():
        lines += ["", title]
        for head, text in rows:
            lines += wrap(text, width, first=f"  {head} ", others=" " * (len(head) + 3))
    return "\n".join([*lines, ""])
