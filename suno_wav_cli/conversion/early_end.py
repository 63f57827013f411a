"""What ends a command early leaves with the command that continues it."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

from suno_wav_cli.errors import ProgramBug, SunoWavError, TunnelFailed
from suno_wav_cli.system.event_loop import CommandCancelled
from suno_wav_cli.system.signals import Stopped, handle_signals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def early_end(
    conclude: Callable[[], tuple[str, ...] | None], *, only_by_signal: bool = False
) -> Iterator[None]:
    """Call `conclude` if the block ends early. It returns the command that continues.

    No signal interrupts it. With `only_by_signal`, errors pass as they are.
    """

    def concluded() -> tuple[str, ...] | None:
        with handle_signals(lambda _number, _frame: None):
            return conclude()

    try:
        yield
    except (CommandCancelled, TunnelFailed):
        # A tunnel that does not open ends a run before it has begun anything.
        raise
    except asyncio.CancelledError:
        raise CommandCancelled(concluded()) from None
    except Stopped as stop:
        stop.continue_argv = stop.continue_argv or concluded()
        raise
    except SunoWavError as error:
        if only_by_signal:
            raise
        error.continue_argv = error.continue_argv or concluded()
        raise
    except Exception as bug:
        raise ProgramBug(bug, continue_argv=concluded()) from bug
