"""asyncio, but signals cancel the main task, and host names are resolved in daemon threads."""

from __future__ import annotations

import asyncio
import socket
import sys
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from suno_wav_cli.system.signals import Stopped, handle_signals
from suno_wav_cli.system.threads import start_in_thread

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from types import FrameType

T = TypeVar("T")

if sys.platform == "win32":
    _PlatformLoop = asyncio.ProactorEventLoop
else:
    _PlatformLoop = asyncio.SelectorEventLoop


class CommandCancelled(asyncio.CancelledError):
    """A command was cancelled by a signal. `continue_argv` is the command that goes on with it."""

    def __init__(self, continue_argv: tuple[str, ...] | None) -> None:
        super().__init__()
        self.continue_argv = continue_argv


_SECOND = 2


class _Loop(_PlatformLoop):
    """Resolves names in daemon threads, so that a silent name server does not delay Ctrl-C."""

    async def getaddrinfo(self, host: Any, port: Any, **more: Any) -> Any:
        return await start_in_thread(partial(socket.getaddrinfo, host, port, **more), "resolver")


def run_async(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` in an event loop.

    A signal cancels `main`, which can clean up, and then raises Stopped. A second signal raises it in
    the loop: it cancels whatever is left, the clean-up too. Later ones change nothing.
    """
    received: list[int] = []
    continue_argv: tuple[str, ...] | None = None

    async def run_main() -> T:
        nonlocal continue_argv
        task = asyncio.current_task()
        loop = asyncio.get_running_loop()

        def stop(number: int, _frame: FrameType | None) -> None:
            received.append(number)
            if len(received) == 1 and task is not None:
                loop.call_soon_threadsafe(task.cancel)
            elif len(received) <= _SECOND:
                # Raised here, it would be lost if Python just frees an object.
                loop.call_soon_threadsafe(_stop, number)
            # A third one would hide how to continue.

        with handle_signals(stop):
            try:
                return await main
            except asyncio.CancelledError as cancelled:
                continue_argv = _find_hint(cancelled)
                raise

    try:
        with asyncio.Runner(loop_factory=_Loop) as runner:
            result = runner.run(run_main())
    except asyncio.CancelledError:
        if not received:
            raise
        raise Stopped(received[0], continue_argv) from None
    except Stopped as stop:
        stop.continue_argv = stop.continue_argv or continue_argv
        raise
    if received:
        # The signal came too late to cancel `main`. The caller must not go on.
        raise Stopped(received[0])
    return result


def _stop(number: int) -> None:
    raise Stopped(number)


def _find_hint(error: BaseException | None) -> tuple[str, ...] | None:
    """Return the hint of a cancelled command, also if a second cancellation has ended its clean-up."""
    while error is not None:
        if isinstance(error, CommandCancelled):
            return error.continue_argv
        error = error.__context__
    return None
