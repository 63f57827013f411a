"""Shows events: as lines, with what goes on below them, or as JSON."""

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
    from suno_wav_cli.terminal.streams import Results


@contextmanager
def display(settings: Settings, results: Results) -> Iterator[Report]:
    """Yield the function that shows an event, as the settings and the terminal ask for.

    Lines for standard output are written to `results`. Raise UsageError if the log file cannot be written.
    """
    streams.prepare_stderr()
    with ExitStack() as stack:
        sinks: list[Callable[[Event], None]] = []
        if settings.log_file is not None:
            sinks.append(_open_log_file(settings.log_file, stack))
        sinks.append(_open_display(settings, results, stack))

        def report(event: Event) -> None:
            for show in sinks:
                # A closed terminal must not end paid work.
                with suppress(OSError):
                    show(event)

        yield report


def is_interactive(settings: Settings) -> bool:
    """Return whether messages go to a terminal that can move its cursor."""
    terminal = sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    return terminal and not settings.json and not settings.quiet


def _open_display(settings: Settings, results: Results, stack: ExitStack) -> Callable[[Event], None]:
    if settings.json:
        from suno_wav_cli.terminal.json_lines import JsonDisplay

        return JsonDisplay(results).show
    from suno_wav_cli.terminal.run_state import RunState
    from suno_wav_cli.terminal.ticker import ticking

    state = RunState(window_rate=settings.window.submissions / settings.window.seconds)
    if not is_interactive(settings):
        from suno_wav_cli.terminal.plain import BETWEEN_HEADLINES, PlainDisplay

        plain = PlainDisplay(state, results, quiet=settings.quiet, verbose=settings.verbose)
        stack.enter_context(ticking(plain.say_how_far, BETWEEN_HEADLINES))
        return plain.show
    from rich.console import Console

    from suno_wav_cli.terminal.live import BETWEEN_DRAWS, LiveDisplay

    console = Console(stderr=True, no_color=settings.no_color or None, highlight=False)
    live = LiveDisplay(console, state, results, verbose=settings.verbose)
    stack.callback(live.stop)
    stack.enter_context(ticking(live.draw, BETWEEN_DRAWS))
    return live.show


def _open_log_file(path: Path, stack: ExitStack) -> Callable[[Event], None]:
    from suno_wav_cli.terminal.json_lines import LogFile

    try:
        log = LogFile(path)
    except OSError as error:
        raise UsageError(
            f"the log file {path} cannot be written: {error.strerror}", "Name another one."
        ) from error
    stack.callback(log.close)
    return log.show
