"""From Typer's arguments to a command's run, and from whatever happens there to an exit code.

The one place where errors are caught.
"""

from __future__ import annotations

import functools
import inspect
import os
import traceback
from typing import TYPE_CHECKING, Any

import typer

from suno_wav_cli.cli.options import BY_NAME, GLOBAL
from suno_wav_cli.config.credentials import take_secrets
from suno_wav_cli.config.paths import find_paths
from suno_wav_cli.config.run import Run
from suno_wav_cli.config.settings import Settings, choose, make_settings, read_config
from suno_wav_cli.errors import ExitCode, SunoWavError
from suno_wav_cli.events import Failed, Interrupted
from suno_wav_cli.system.signals import Stopped, handle_signals, stop_on_signals
from suno_wav_cli.terminal import display, is_interactive
from suno_wav_cli.terminal.streams import discard_rest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from suno_wav_cli.events import Report

_SIGNAL_BASE = 128


def command(
    app: typer.Typer, name: str, settings: Iterable[str | inspect.Parameter]
) -> Callable[[Callable[..., int]], None]:
    """Register `function(run, …) -> exit code` under `name`, with these settings and the global ones as options.

    A setting is named, or declared anew where it means something of its own to the command.
    """
    options = [BY_NAME[setting] if isinstance(setting, str) else setting for setting in settings]
    options += GLOBAL

    def register(function: Callable[..., int]) -> None:
        own = [parameter for parameter in _parameters(function) if parameter.name != "run"]

        def entry(context: typer.Context, **arguments: Any) -> None:
            given = {option.name: arguments.pop(option.name) for option in options}
            flags = context.obj | {key: value for key, value in given.items() if value is not None}
            code = _run(function, flags, arguments)
            discard_rest()
            raise typer.Exit(code)

        app.command(name, help=inspect.getdoc(function))(_with_signature(entry, [*own, *options]))

    return register


def remember_global_options(function: Callable[..., None]) -> Callable[..., None]:
    """Let the global options stand before the command too."""

    @functools.wraps(function)
    def callback(context: typer.Context, **arguments: Any) -> None:
        context.obj = {option.name: arguments.pop(option.name) for option in GLOBAL}
        function(context, **arguments)

    own = [parameter for parameter in _parameters(function) if parameter.name != "context"]
    return _with_signature(callback, [*own, *GLOBAL])


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    return list(inspect.signature(function, eval_str=True).parameters.values())


def _with_signature(
    function: Callable[..., None], parameters: list[inspect.Parameter]
) -> Callable[..., None]:
    """Show Typer these parameters, after the context; it reads both the signature and the annotations."""
    keyword_only = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters]
    context = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    function.__signature__ = inspect.Signature([context, *keyword_only])  # type: ignore[attr-defined]
    function.__annotations__ = {
        parameter.name: parameter.annotation for parameter in [context, *keyword_only]
    }
    return function


def _run(function: Callable[..., int], flags: dict[str, Any], arguments: dict[str, Any]) -> int:
    try:
        config = read_config(find_paths(os.environ).config_file)
        secrets = take_secrets(os.environ, config)
        choices = choose(flags, os.environ, config)
        settings = make_settings(choices)
        with display(settings) as report:
            return _guarded(
                function,
                Run(
                    settings=settings,
                    choices=choices,
                    secrets=secrets,
                    environ=os.environ,
                    report=report,
                    interactive=is_interactive(settings),
                ),
                arguments,
            )
    except SunoWavError as error:
        # The settings or the display itself; of what was asked for, only the wish for JSON is sure.
        with display(Settings(json=bool(flags.get("json")))) as report:
            return _failed(error, report)


def _guarded(function: Callable[..., int], run: Run, arguments: dict[str, Any]) -> int:
    try:
        with stop_on_signals():
            return function(run, **arguments)
    except SunoWavError as error:
        return _failed(error, run.report)
    except Stopped as stop:
        # Whoever presses Ctrl-C three times shall still read how to go on.
        with handle_signals(lambda _number, _frame: None):
            run.report(Interrupted(signal=stop.signal.name, continue_with=stop.continue_with))
        return _SIGNAL_BASE + stop.signal
    except Exception as bug:  # noqa: BLE001 - not one of ours, and so a bug, which shows itself
        verbose = run.settings.verbose
        advice = "Please report it, with the traceback" + (" below." if verbose else " that -v shows.")
        remedy = " ".join([advice, *getattr(bug, "__notes__", [])])
        run.report(
            Failed(
                exit_code=ExitCode.BUG,
                message=f"a bug in suno-wav: {type(bug).__name__}: {bug}",
                remedy=remedy,
            )
        )
        if verbose:
            traceback.print_exception(bug)
        return ExitCode.BUG


def _failed(error: SunoWavError, report: Report) -> int:
    report(Failed(exit_code=error.exit_code, message=error.message, remedy=error.advice))
    return error.exit_code
