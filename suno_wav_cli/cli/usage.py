"""Wrong command lines in the program's own words. Loaded only if one is wrong."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

from typer._click import exceptions as parsing

from suno_wav_cli.conversion.ids import is_uuid
from suno_wav_cli.errors import UsageError
from suno_wav_cli.system.shell_words import say_how

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from typer._click.core import Command, Context, Parameter

_KEY_OPTIONS = ("--key", "--api-key", "--token", "--authtoken", "--hmac-key")
_TAKES = {
    "login": "login takes no argument",
    "logout": "logout takes no argument",
    "config": "config takes an action, a name and one value, no more",
}
"""What is said in place of a word too much that may be a key."""
_TOO_MANY = re.compile(r"Got unexpected extra argument\(s\) \((.*)\)", re.DOTALL)


def explain(error: parsing.UsageError, context: Context) -> UsageError:
    """Return the error with what is wrong and what to do about it. It never repeats a key."""
    if isinstance(error, parsing.NoSuchOption):
        return _explain_option(error.option_name, context)
    return UsageError(_say(error, context), see_help(context))


def _say(error: parsing.UsageError, context: Context) -> str:
    match error:
        case parsing.BadOptionUsage():
            needs = "takes no value" if _is_flag(error.option_name, context) else "needs a value"
            return f"{error.option_name} {needs}"
        case parsing.MissingParameter(param=parameter) if parameter is not None:
            return f"{name_of(parameter)} is missing"
        case parsing.BadParameter(param=parameter) if parameter is not None:
            return f"{name_of(parameter)}: {error.message}"
    found = _TOO_MANY.match(error.message)
    if found is None:
        return error.message
    return _TAKES.get(context.info_name or "", f"unexpected argument: {found[1]}")


def refuse_command(name: str, commands: Collection[str], context: Context) -> UsageError:
    """Return the error for a command that does not exist."""
    if is_uuid(name) or name.startswith(("https://suno.com/", "http://suno.com/")):
        return UsageError(
            f"'{name}' is a song, not a command",
            say_how("To convert it", "suno-wav", "convert", name, *_typed_service(context)),
        )
    near = get_close_matches(name.lower(), commands, n=1)
    return UsageError(
        f"there is no command '{name}'",
        f"Did you mean {near[0]}?" if near else "`suno-wav --help` lists the commands.",
    )


def _typed_service(context: Context) -> Iterator[str]:
    """Yield the options before the name that choose a service. No settings are read here."""
    for option, name in (("--provider", "provider"), ("--base-url", "base_url")):
        if (value := (context.obj or {}).get(name)) is not None:
            yield from (option, str(value))


def refuse_value(parameter: Parameter, context: Context, *, is_empty: bool) -> UsageError:
    """Return the error for a value that nothing can be called by."""
    what = "is empty" if is_empty else "holds a null character"
    return UsageError(f"{name_of(parameter)} {what}", see_help(context))


def see_help(context: Context) -> str:
    return f"`{context.command_path} --help` shows how."


def name_of(parameter: Parameter) -> str:
    """Return the name that a user knows: the longest form of an option, what stands for an argument."""
    if parameter.param_type_name == "argument":
        return str(getattr(parameter, "metavar", None) or parameter.name).strip("[].")
    return max(parameter.opts, key=len)


def _is_flag(option: str, context: Context) -> bool:
    return any(
        getattr(parameter, "is_flag", False)
        for parameter in context.command.params
        if option in parameter.opts
    )


def _explain_option(option: str, context: Context) -> UsageError:
    message = f"there is no option {option}"
    if option.startswith(_KEY_OPTIONS):
        return UsageError(message, "A key is never an option. `suno-wav login` keeps it.")
    others = [name for name, command in _siblings(context).items() if option in command_options(command)]
    if others:
        return UsageError(
            f"{context.command_path} has no option {option}", f"It is an option of {', '.join(others)}."
        )
    near = get_close_matches(option, command_options(context.command), n=1)
    return UsageError(message, f"Did you mean {near[0]}?" if near else see_help(context))


def command_options(command: Command) -> list[str]:
    return [option for parameter in command.params for option in parameter.opts if option.startswith("--")]


def _siblings(context: Context) -> Mapping[str, Command]:
    found: Mapping[str, Command] = getattr(context.find_root().command, "commands", {})
    return found
