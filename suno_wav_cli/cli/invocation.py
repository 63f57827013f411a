"""From parsed options to the exit code of a command: the one place where errors are caught."""

from __future__ import annotations

import os
import sys
import traceback
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

from suno_wav_cli.api.timing import ApiTiming
from suno_wav_cli.cli.judgement import TYPED, without_effect
from suno_wav_cli.config.credentials import how_to_close, take_secrets
from suno_wav_cli.config.paths import find_paths
from suno_wav_cli.config.run import Run
from suno_wav_cli.config.settings import (
    Settings,
    choose,
    let_typed_win,
    make_settings,
    raise_interval,
    read_config,
    unknown_variables,
)
from suno_wav_cli.config.usual_service import find_usual_service
from suno_wav_cli.config.wait_limits import WaitLimits
from suno_wav_cli.conversion.resume_hint import advise, describe_command
from suno_wav_cli.errors import ExitCode, ProgramBug, SunoWavError
from suno_wav_cli.remote.limits import UploadLimits
from suno_wav_cli.system.signals import Stopped, exit_code_of, handle_signals, stop_on_signals
from suno_wav_cli.terminal import display, is_interactive
from suno_wav_cli.terminal.queries import hide_queries
from suno_wav_cli.terminal.streams import Results, discard_rest, report_loss

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from suno_wav_cli.config.credentials import Secrets
    from suno_wav_cli.errors import UsageError
    from suno_wav_cli.events import Event, Report
    from suno_wav_cli.events.account import SecretsIgnored


def run_command(
    context: typer.Context,
    command: Callable[[Run], int],
    *,
    without_settings: Callable[[SunoWavError, Report], int] | None = None,
) -> NoReturn:
    """Call `command` with the settings in force, report its errors, exit with its code.

    If the settings cannot be read, `without_settings` is called in place of reporting that. The context's `obj` holds the global options, and may hold other `wait_limits`,
    `upload_limits` and another `api_timing` than the usual ones.
    """
    given = context.obj or {}
    results = Results()
    code = _run(
        command,
        results,
        partial(_notes, context),
        read_flags(context),
        wait_limits=given.get("wait_limits", WaitLimits()),
        api_timing=given.get("api_timing", ApiTiming()),
        upload_limits=given.get("upload_limits", UploadLimits()),
        without_settings=without_settings,
    )
    raise typer.Exit(_end(code, results))


def read_flags(context: typer.Context) -> dict[str, object]:
    """Return the settings that were given on the command line: the command's and the global ones."""
    given = {**(context.obj or {}), **context.params}
    names = [field.name for field in fields(Settings)]
    return {name: given[name] for name in names if given.get(name) is not None}


def _notes(context: typer.Context, wanted: Settings) -> Iterator[Event]:
    """Yield what is odd about the command line and the settings, and no error."""
    unknown = list(unknown_variables(os.environ))
    typed = context.meta.get(TYPED, frozenset())
    idle = list(without_effect(str(context.info_name), typed, wanted))
    used = raise_interval(wanted).poll_interval
    is_raised = used != wanted.poll_interval and "poll_interval" in context.params
    if not (unknown or idle or is_raised):
        return
    # Usually there is nothing to say, and nothing of this need be loaded.
    from suno_wav_cli.events.account import OptionIgnored, PollIntervalRaised, VariableUnknown

    for name, suggestion in unknown:
        yield VariableUnknown(name=name, suggestion=suggestion)
    for option, reason in idle:
        yield OptionIgnored(option=option, reason=reason)
    if is_raised:
        yield PollIntervalRaised(asked=wanted.poll_interval, poll_interval=used)


def report_usage(error: UsageError, *, json: bool) -> int:
    """Report a command line that cannot be read, and return the exit code."""
    results = Results()
    with display(Settings(json=json), results) as report:
        code = _fail(error, report, verbose=False)
    return _end(code, results)


def _end(code: int, results: Results) -> int:
    """Return the exit code: 2 for results that are lost. Another error of the command tells more."""
    discard_rest()
    if results.lost is None:
        return code
    report_loss(results.lost)
    return code or ExitCode.USAGE


def _run(
    command: Callable[[Run], int],
    results: Results,
    notes: Callable[[Settings], Iterator[Event]],
    flags: Mapping[str, object],
    *,
    wait_limits: WaitLimits,
    api_timing: ApiTiming,
    upload_limits: UploadLimits,
    without_settings: Callable[[SunoWavError, Report], int] | None,
) -> int:
    try:
        config = read_config(find_paths(os.environ).config_file)
        secrets = take_secrets(os.environ, config)
        choices = choose(let_typed_win(flags), os.environ, config)
        wanted = make_settings(choices)
        settings = raise_interval(wanted)
        with display(settings, results) as report:
            run = Run(
                settings=settings,
                choices=choices,
                secrets=secrets,
                environ=os.environ,
                report=report,
                interactive=is_interactive(settings),
                wait_limits=wait_limits,
                api_timing=api_timing,
                upload_limits=upload_limits,
                argv=_typed(),
                usual_service=find_usual_service(os.environ, config),
            )
            if secrets.ignored:
                report(_describe_ignored(secrets))
            for note in notes(wanted):
                report(note)
            return _call(command, run)
    except SunoWavError as error:
        # From the settings or the display itself: of the options only --json is certain.
        with display(Settings(json=bool(flags.get("json"))), results) as report:
            try:
                if without_settings is not None:
                    return without_settings(error, report)
            except SunoWavError as another:
                error = another
            return _fail(error, report, verbose=False)


def _describe_ignored(secrets: Secrets) -> SecretsIgnored:
    from suno_wav_cli.events.account import SecretsIgnored

    path = secrets.config_file or Path()
    return SecretsIgnored(path=path, names=secrets.ignored, remedy=how_to_close(path))


def _typed() -> tuple[str, ...]:
    """Return the command as it was typed."""
    return ("suno-wav", *sys.argv[1:])


def _call(command: Callable[[Run], int], run: Run) -> int:
    try:
        with stop_on_signals():
            return command(run)
    except SunoWavError as error:
        return _fail(error, run.report, verbose=run.settings.verbose)
    except Stopped as stop:
        from suno_wav_cli.events.ends import Interrupted

        # A second and third Ctrl-C must not hide how to continue.
        with handle_signals(lambda _number, _frame: None):
            argv = stop.continue_argv
            run.report(
                Interrupted(
                    signal=stop.signal.name,
                    resume_hint=describe_command(argv, typed=run.argv) if argv else None,
                    continue_argv=argv,
                )
            )
        return exit_code_of(stop.signal)
    except Exception as bug:  # noqa: BLE001 - every other exception is a bug, and is reported as one
        return _fail(ProgramBug(bug), run.report, verbose=run.settings.verbose)


def _fail(error: SunoWavError, report: Report, *, verbose: bool) -> int:
    from suno_wav_cli.events.ends import Failed

    report(
        Failed(
            exit_code=error.exit_code,
            message=error.message,
            remedy=advise(error, typed=_typed()),
            continue_argv=error.continue_argv,
        )
    )
    if verbose and isinstance(error, ProgramBug) and error.__cause__ is not None:
        # The text of an exception may hold the address of a request.
        sys.stderr.write(hide_queries("".join(traceback.format_exception(error.__cause__))))
    return error.exit_code
