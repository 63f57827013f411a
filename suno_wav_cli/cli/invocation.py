"""From parsed options to the exit code of a command: the one place where errors are caught."""

from __future__ import annotations

import os
import traceback
from dataclasses import fields
from typing import TYPE_CHECKING, NoReturn

import typer

from suno_wav_cli.config.credentials import take_secrets
from suno_wav_cli.config.paths import find_paths
from suno_wav_cli.config.run import Run
from suno_wav_cli.config.settings import Settings, choose, make_settings, read_config
from suno_wav_cli.config.wait_limits import WaitLimits
from suno_wav_cli.errors import ExitCode, SunoWavError
from suno_wav_cli.events import Failed, Interrupted
from suno_wav_cli.system.signals import Stopped, handle_signals, stop_on_signals
from suno_wav_cli.terminal import display, is_interactive
from suno_wav_cli.terminal.streams import discard_rest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from suno_wav_cli.events import Report

_SIGNAL_BASE = 128


def run_command(context: typer.Context, command: Callable[[Run], int]) -> NoReturn:
    """Call `command` with the settings in force, report its errors, exit with its code.

    The context's `obj` holds the global options, and may hold other `wait_limits` than the usual ones.
    """
    wait_limits = (context.obj or {}).get("wait_limits") or WaitLimits()
    code = _run(command, _read_flags(context), wait_limits)
    discard_rest()
    raise typer.Exit(code)


def _read_flags(context: typer.Context) -> dict[str, object]:
    """Return the settings that were given on the command line: the command's and the global ones."""
    given = {**(context.obj or {}), **context.params}
    names = [field.name for field in fields(Settings)]
    return {name: given[name] for name in names if given.get(name) is not None}


def _run(command: Callable[[Run], int], flags: Mapping[str, object], wait_limits: WaitLimits) -> int:
    try:
        config = read_config(find_paths(os.environ).config_file)
        secrets = take_secrets(os.environ, config)
        choices = choose(flags, os.environ, config)
        settings = make_settings(choices)
        with display(settings) as report:
            run = Run(
                settings=settings,
                choices=choices,
                secrets=secrets,
                environ=os.environ,
                report=report,
                interactive=is_interactive(settings),
                wait_limits=wait_limits,
            )
            return _call(command, run)
    except SunoWavError as error:
        # From the settings or the display itself: of the options only --json is certain.
        with display(Settings(json=bool(flags.get("json")))) as report:
            return _fail(error, report)


def _call(command: Callable[[Run], int], run: Run) -> int:
    try:
        with stop_on_signals():
            return command(run)
    except SunoWavError as error:
        return _fail(error, run.report)
    except Stopped as stop:
        # A second and third Ctrl-C must not hide how to continue.
        with handle_signals(lambda _number, _frame: None):
            run.report(Interrupted(signal=stop.signal.name, resume_hint=stop.continue_with))
        return _SIGNAL_BASE + stop.signal
    except Exception as bug:  # noqa: BLE001 - every other exception is a bug, and is reported as one
        return _report_bug(bug, run)


def _fail(error: SunoWavError, report: Report) -> int:
    report(Failed(exit_code=error.exit_code, message=error.message, remedy=error.advice))
    return error.exit_code


def _report_bug(bug: Exception, run: Run) -> int:
    verbose = run.settings.verbose
    advice = "Please report it, with the traceback" + (" below." if verbose else " that -v shows.")
    run.report(
        Failed(
            exit_code=ExitCode.BUG,
            message=f"a bug in suno-wav: {type(bug).__name__}: {bug}",
            remedy=" ".join([advice, *getattr(bug, "__notes__", [])]),
        )
    )
    if verbose:
        traceback.print_exception(bug)
    return ExitCode.BUG
