"""How `--help` is laid out: options by groups, the global ones once, and examples."""

from __future__ import annotations

import textwrap
from inspect import cleandoc
from types import MappingProxyType
from typing import TYPE_CHECKING

from suno_wav_cli.cli import options
from suno_wav_cli.system.shell_words import adapt_example

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from typer._click.core import Command, Context, Parameter
    from typer._click.formatting import HelpFormatter

_GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "Where to": (
            *("out", "force", "skip_existing", "errors", "save", "forward_to", "keep_forwarded_headers"),
            *("tag", "exec", "info_json", "checksums"),
        ),
        "Waiting": (
            *("no_wait", "wait", "watch", "poll_interval", "timeout", "retries", "until", "max_events"),
            "answer_timeout",
        ),
        "Callbacks": (
            *("tunnel", "tunnel_command", "domain", "public_url", "callback_url", "port", "path"),
            "no_secret",
        ),
        "Download": (
            *("download", "jobs", "connections", "limit_rate", "min_speed", "stall_timeout", "max_size"),
            "allow_private_hosts",
        ),
        "Money": ("dry_run", "max_credits", "window", "resubmit"),
    }
)
_FEW = 10
"""So many options of its own need no groups."""

START_EXAMPLES = (
    "suno-wav convert demo --provider sandbox --out song.wav",
    "suno-wav help convert",
)
EXAMPLES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "convert": (
            "suno-wav convert demo --provider sandbox --out song.wav",
            "suno-wav convert --from-file songs.txt -o wavs/ --dry-run",
            "suno-wav convert --from-file songs.txt --max-credits 4",
        ),
        "listen": (
            "suno-wav listen --port 3000",
            "suno-wav listen --forward-to localhost:8000/callback",
            "suno-wav listen --save deliveries/",
        ),
        "status": ("suno-wav status @last --watch", "suno-wav status @last --wait --download"),
        "jobs": ("suno-wav jobs", "suno-wav jobs --expiring --days 5", "suno-wav jobs --json"),
        "resume": ("suno-wav resume", "suno-wav resume @last --timeout 1h"),
        "tracks": ("suno-wav tracks demo-album --provider sandbox",),
        "credits": ("suno-wav credits", "suno-wav credits --provider kie"),
        "login": ("suno-wav login", "suno-wav login < key.txt"),
        "logout": ("suno-wav logout",),
        "config": ("suno-wav config",),
        "inspect": ("suno-wav inspect song.wav",),
        "trigger": (
            "suno-wav trigger localhost:3000/hook",
            "suno-wav trigger localhost:3000/hook --event all --serve",
            "suno-wav trigger --list",
        ),
        "doctor": ("suno-wav doctor", "suno-wav doctor --offline --json"),
        "help": ("suno-wav help convert", "suno-wav help agents", "suno-wav help --json"),
        "sandbox": ("suno-wav sandbox", "suno-wav sandbox --speed 10"),
    }
)


def write_commands(commands: Mapping[str, Command], to: HelpFormatter) -> None:
    """Write each command with its summary, none of which is cut."""
    with to.section("Commands"):
        _write_list([(name, summarize(command)) for name, command in commands.items()], to)


def summarize(command: Command) -> str:
    """Return the first line of a command's help."""
    return cleandoc(command.help or "").partition("\n")[0]


def write_command_options(
    name: str, parameters: Iterable[Parameter], context: Context, to: HelpFormatter
) -> None:
    """Write a command's arguments, its options by groups, the names of the global ones, and examples."""
    parameters = [*parameters]
    own = [parameter for parameter in parameters if parameter.name not in options.GLOBAL]
    for title, members in group(own).items():
        records = [record for member in members if (record := member.get_help_record(context)) is not None]
        if records:
            with to.section(title):
                _write_list(records, to)
    shared = [parameter for parameter in parameters if parameter.name in options.GLOBAL]
    with to.section("Global options (explained by `suno-wav --help`)"):
        to.write_text(" ".join("/".join(sorted(parameter.opts, key=len)) for parameter in shared))
    write_examples(EXAMPLES.get(name, ()), to)


def _write_list(records: list[tuple[str, str]], to: HelpFormatter) -> None:
    """Write names and what they mean side by side. No option is broken at its hyphens."""
    column = max(len(name) for name, _ in records) + 4
    wrapper = textwrap.TextWrapper(
        width=to.width, initial_indent=" " * column, subsequent_indent=" " * column, break_on_hyphens=False
    )
    for name, meaning in records:
        text = wrapper.fill(meaning)
        to.write(f"  {name:<{column - 4}}  {text[column:]}".rstrip() + "\n")


def write_examples(lines: Iterable[str], to: HelpFormatter) -> None:
    lines = [*lines]
    if lines:
        with to.section("Examples"):
            # Not wrapped: each line is to be pasted as it stands.
            for line in lines:
                to.write(f"  {adapt_example(line)}\n")


def group(parameters: Iterable[Parameter]) -> dict[str, list[Parameter]]:
    """Return a command's own parameters under the titles of their groups."""
    parameters = [*parameters]
    arguments = [parameter for parameter in parameters if parameter.param_type_name == "argument"]
    chosen = [parameter for parameter in parameters if parameter.param_type_name == "option"]
    titles = {name: title for title, names in _GROUPS.items() for name in names}
    if len(chosen) <= _FEW:
        titles = {}
    groups: dict[str, list[Parameter]] = {"Arguments": arguments, "Options": []}
    groups |= {title: [] for title in _GROUPS}
    for parameter in chosen:
        groups[titles.get(parameter.name or "", "Options")].append(parameter)
    return {title: members for title, members in groups.items() if members}
