"""How a command line is read: typer parses it, and what is wrong is told as every other error."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer
from typer._click.exceptions import UsageError as ParserError
from typer._click.shell_completion import add_completion_class
from typer._completion_classes import completion_init
from typer.core import TyperCommand, TyperGroup

from suno_wav_cli.cli import options
from suno_wav_cli.cli.judgement import TYPED, refuse_contradictions
from suno_wav_cli.cli.shells import name_shell
from suno_wav_cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typer._click.core import Context
    from typer._click.formatting import HelpFormatter


_LINE = "suno_wav_cli.line"
"""Under this name, the `meta` of typer's context holds the words of the command line."""


class Command(TyperCommand):
    """A command, which refuses empty values and contradictions."""

    def parse_args(self, context: Context, args: list[str]) -> list[str]:
        if context.resilient_parsing:
            # The shell completes what is only half typed.
            return super().parse_args(context, args)
        with _explained(context):
            _note_typed(self, context, args)
            rest = super().parse_args(context, args)
        refuse_contradictions(context.meta[TYPED])
        return rest

    def collect_usage_pieces(self, context: Context) -> list[str]:
        """Return what follows the name in the line of usage: no hidden argument, and no braces around others."""
        shown = [one for one in self.get_params(context) if not getattr(one, "hidden", False)]
        pieces = [piece.strip("{}") for one in shown for piece in one.get_usage_pieces(context)]
        return [self.options_metavar or "", *pieces]

    def format_options(self, context: Context, formatter: HelpFormatter) -> None:
        from suno_wav_cli.cli.layout import write_command_options

        write_command_options(context.info_name or "", self.get_params(context), context, formatter)


class Program(TyperGroup):
    """The commands. Each accepts the global options too, after its name."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        shared = [parameter for parameter in self.params if parameter.name in options.GLOBAL]
        for command in self.commands.values():
            command.params.extend(shared)

    def make_context(self, info_name: str | None, args: list[str], *rest: Any, **more: Any) -> Context:
        typed = [*args]
        args = name_shell(args)
        with _reported(typed):
            context = super().make_context(info_name, args, *rest, **more)
        context.meta[_LINE] = typed
        return context

    def invoke(self, context: Context) -> Any:
        with _reported(context.meta[_LINE]):
            return super().invoke(context)

    def _main_shell_completion(self, *arguments: Any, **more: Any) -> None:
        # typer does this only where it adds its own options for completion.
        completion_init()
        from suno_wav_cli.cli.shell_protocols import Bash, Fish, Zsh

        add_completion_class(Bash, Bash.name)
        add_completion_class(Zsh, Zsh.name)
        add_completion_class(Fish, Fish.name)
        super()._main_shell_completion(*arguments, **more)

    def parse_args(self, context: Context, args: list[str]) -> list[str]:
        if context.resilient_parsing:
            return super().parse_args(context, args)
        with _explained(context):
            _note_typed(self, context, args)
            return super().parse_args(context, args)

    def format_commands(self, context: Context, formatter: HelpFormatter) -> None:  # noqa: ARG002 - typer passes it
        from suno_wav_cli.cli.layout import write_commands

        write_commands(self.commands, formatter)

    def format_epilog(self, context: Context, formatter: HelpFormatter) -> None:  # noqa: ARG002 - typer passes it
        from suno_wav_cli.cli.layout import START_EXAMPLES, write_examples

        write_examples(START_EXAMPLES, formatter)

    def resolve_command(self, context: Context, args: list[str]) -> Any:
        if args[0] not in self.commands and not context.resilient_parsing:
            from suno_wav_cli.cli.usage import refuse_command

            raise refuse_command(args[0], self.commands, context)
        return super().resolve_command(context, args)


@contextmanager
def _explained(context: Context) -> Iterator[None]:
    """Turn the parser's errors into ours."""
    try:
        yield
    except ParserError as error:
        from suno_wav_cli.cli.usage import explain

        raise explain(error, context) from None


@contextmanager
def _reported(args: list[str]) -> Iterator[None]:
    """Report a wrong command line and exit with its code."""
    try:
        yield
    except UsageError as error:
        from suno_wav_cli.cli.invocation import report_usage

        wanted = os.environ.get("SUNO_WAV_JSON", "").lower()
        as_json = "--json" in args or wanted in ("1", "true", "yes", "on")
        raise typer.Exit(report_usage(error, json=as_json)) from None


def _note_typed(command: TyperCommand | TyperGroup, context: Context, args: list[str]) -> None:
    """Keep which options were typed, for the judgement. Raise UsageError for an empty value or a null character."""
    given, _, _ = command.make_parser(context).parse_args(args=list(args))
    typed = set()
    for parameter in command.params:
        value = given.get(parameter.name or "")
        words = value if isinstance(value, list | tuple) else [value]
        if any(isinstance(word, str) and (not word or "\0" in word) for word in words):
            from suno_wav_cli.cli.usage import refuse_value

            raise refuse_value(parameter, context, is_empty="" in words)
        if value is not None and parameter.param_type_name == "option":
            name = max(parameter.opts, key=len)
            typed |= {name, f"{name} {value}"}
    context.meta[TYPED] = context.meta.get(TYPED, frozenset()) | typed
