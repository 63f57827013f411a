"""The only place that shows anything: events in, lines, bars or JSON out."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from suno_wav_cli.errors import UsageError
from suno_wav_cli.terminal import streams

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from suno_wav_cli.config.settings import Settings
    from suno_wav_cli.events import Event, Report


@contextmanager
def display(settings: Settings) -> Iterator[Report]:
    """Yield the function that shows an event in the way the settings and the streams ask for.

    Raises UsageError where the log file cannot be written.
    """
    streams.prepare()
    with ExitStack() as stack:
        sinks: list[Callable[[Event], None]] = []
        if settings.log_file is not None:
            sinks.append(_log_file(settings.log_file, stack))
        sinks.append(_screen(settings, stack))

        def report(event: Event) -> None:
            for show in sinks:
                # A terminal that was closed must not end what is paid for.
                with suppress(OSError):
                    show(event)

        yield report


def is_interactive(settings: Settings) -> bool:
    """Tell whether somebody sees what is said: a terminal that moves its cursor."""
    terminal = sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    return terminal and not settings.json and not settings.quiet


def _screen(settings: Settings, stack: ExitStack) -> Callable[[Event], None]:
    if settings.json:
        from suno_wav_cli.terminal.json_lines import JsonLines

        return JsonLines().show
    if is_interactive(settings):
        from suno_wav_cli.terminal.progress import Live

        live = Live(verbose=settings.verbose, no_color=settings.no_color)
        stack.callback(live.stop)
        return live.show
    from suno_wav_cli.terminal.plain import Lines

    return Lines(quiet=settings.quiet, verbose=settings.verbose).show


def _log_file(path: Path, stack: ExitStack) -> Callable[[Event], None]:
    from suno_wav_cli.terminal.json_lines import LogFile

    try:
        log = LogFile(path)
    except OSError as error:
        raise UsageError(
            f"the log file {path} cannot be written: {error.strerror}", "Name another one."
        ) from error
    stack.callback(log.close)
    return log.show
