"""The command line as data, for programs: `suno-wav help --json`. Made from the commands themselves."""

from __future__ import annotations

import re
from dataclasses import fields
from inspect import cleandoc
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from suno_wav_cli import __version__
from suno_wav_cli.api.providers import PROVIDERS
from suno_wav_cli.cli import options
from suno_wav_cli.cli.layout import EXAMPLES
from suno_wav_cli.config.settings import Settings
from suno_wav_cli.errors import ExitCode
from suno_wav_cli.models import TunnelMode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typer._click.core import Command, Parameter

EXIT_CODES: Mapping[int, str] = MappingProxyType(
    {
        ExitCode.OK: "done",
        ExitCode.BUG: "a bug in suno-wav",
        ExitCode.USAGE: "wrong usage, or a file or folder that cannot be used",
        ExitCode.NOT_AUTHORIZED: "no API key, or the service refused it",
        ExitCode.NO_CREDITS: "not enough credits, or more than --max-credits",
        ExitCode.SOME_FAILED: "some songs failed, others succeeded",
        ExitCode.UNAVAILABLE: "the service is away, or it is unknown whether it took a paid request",
        ExitCode.CONVERSION_FAILED: "the conversion failed",
        ExitCode.STILL_RUNNING: "not finished in time: go on with `suno-wav resume`",
        ExitCode.DOWNLOAD_FAILED: "the download failed, or the file is not a whole WAV",
        ExitCode.OUTPUT_EXISTS: "the file exists, and was not touched",
        ExitCode.TUNNEL_FAILED: "no public address or port, or a receiver that answers wrongly",
        129: "hung up; go on with `suno-wav resume`",
        130: "interrupted; go on with `suno-wav resume`",
        143: "terminated; go on with `suno-wav resume`",
    }
)
VARIABLES: Mapping[str, str] = MappingProxyType(
    {
        "SUNO_API_KEY": "API key; takes precedence over the one that `login` keeps",
        "NGROK_AUTHTOKEN": "token of your ngrok account",
        "SUNO_WAV_HMAC_KEY": "webhook key, to check and to sign callbacks",
        "SUNO_WAV_HOME": "one folder for config.toml, the journal and the keys",
    }
)
"""Those that are no options. The others are SUNO_WAV_ and the name of an option."""

_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "TIME": "duration",
        "SPEED": "bytes per second",
        "SIZE": "bytes",
        "N": "integer",
        "X": "number",
        "N/TIME": "integer/duration",
        "ID": "id",
        "TASK_ID": "id",
        "URL": "address",
        "FILE": "path",
        "PATH": "path",
        "/PATH": "path of an address",
        "DELIVERY": "path",
        "DIR": "path",
        "COMMAND": "command",
    }
)
_SETTINGS: Mapping[str, object] = MappingProxyType({field.name: field.default for field in fields(Settings)})


def make_reference(commands: Mapping[str, Command]) -> dict[str, Any]:
    """Return the whole reference, which `json.dumps` takes."""
    from suno_wav_cli.terminal.event_schema import make_schema

    some = next(iter(commands.values()))
    return {
        "program": "suno-wav",
        "version": __version__,
        "commands": {name: describe_command(name, command) for name, command in commands.items()},
        "global_options": [_describe(parameter) for parameter in some.params if _is_global(parameter)],
        "variables": dict(VARIABLES),
        "exit_codes": {str(int(code)): meaning for code, meaning in EXIT_CODES.items()},
        "events": make_schema(),
    }


def describe_command(name: str, command: Command) -> dict[str, Any]:
    summary, _, more = cleandoc(command.help or "").partition("\n")
    own = [one for one in command.params if not _is_global(one) and not getattr(one, "hidden", False)]
    return {
        "summary": summary,
        "description": more.strip(),
        "arguments": [_describe(one) for one in own if one.param_type_name == "argument"],
        "options": [_describe(one) for one in own if one.param_type_name == "option"],
        "examples": [*EXAMPLES.get(name, ())],
    }


def _is_global(parameter: Parameter) -> bool:
    return parameter.name in options.GLOBAL


def _describe(parameter: Parameter) -> dict[str, Any]:
    text = str(getattr(parameter, "help", None) or "")
    metavar = str(getattr(parameter, "metavar", None) or "")
    if parameter.param_type_name == "argument":
        return {
            "name": metavar.strip("[].") or parameter.name,
            "required": parameter.required,
            "many": parameter.nargs != 1,
            "help": text,
        }
    is_flag = bool(getattr(parameter, "is_flag", False))
    described: dict[str, Any] = {
        "names": [*parameter.opts],
        "type": "boolean" if is_flag else _TYPES.get(metavar, "text"),
        "value": None if is_flag else metavar,
        "default": False if is_flag else _default(parameter, text),
        "variable": f"SUNO_WAV_{(parameter.name or '').upper()}" if parameter.name in _SETTINGS else None,
        "help": text,
    }
    choices = _choices(parameter.name)
    return {**described, "type": "choice", "choices": choices} if choices else described


def _default(parameter: Parameter, text: str) -> str | None:
    """Return the default as one would type it, None if there is none."""
    found = re.search(r"Default: (\S+?)\.(?: |$)", text)
    if found is None or (_SETTINGS.get(parameter.name or "", "") is None and not found[1].isdigit()):
        return None
    return found[1]


def _choices(name: str | None) -> list[str]:
    if name == "event":
        from suno_wav_cli.commands.trigger.samples import SAMPLES

        return [*SAMPLES]
    return {"provider": [*PROVIDERS], "tunnel": [str(mode) for mode in TunnelMode]}.get(name or "", [])
