"""The entry point of the program."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import contextmanager, suppress

from suno_wav_cli import __version__

TYPE_CHECKING = False  # the one of typing takes a quarter of `--version`
if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def _told_if_lost() -> Iterator[None]:
    """Exit with 2 if help or the version cannot be written. A command reports its errors itself."""
    try:
        yield
    except OSError as error:
        from suno_wav_cli.terminal.streams import discard_rest, report_loss

        discard_rest()
        if not isinstance(error, BrokenPipeError):
            report_loss(error)
            sys.exit(2)


def _escape_output() -> None:
    """Escape what the encoding of standard output cannot carry, such as a title's letters in cp1252."""
    if getattr(sys.stdout, "errors", None) == "strict" and hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")


def _read_words() -> list[str]:
    """Return the words of the command line, with the files that `*` stands for, as cmd does not do it."""
    if os.name != "nt":
        return sys.argv[1:]
    from suno_wav_cli.system.shell_words import expand_wildcards

    return expand_wildcards(sys.argv[1:])


def main() -> None:
    """Run the command line and exit with its code."""
    # Answered before typer is imported, which takes ten times as long.
    if sys.argv[1:] in (["--version"], ["-V"]):
        with _told_if_lost():
            sys.stdout.write(f"suno-wav {__version__}\n")
            sys.stdout.flush()
        return
    # Imported modules are never garbage: collecting them, now and at exit, takes a sixth of a short run.
    gc.disable()
    try:
        # Keeps httpx from importing its own command line, and with it click, rich and pygments.
        sys.modules["httpx._main"] = None  # type: ignore[assignment]
        from suno_wav_cli.cli.app import app

        gc.freeze()
        gc.enable()
        with safe_end(), _told_if_lost():
            _escape_output()
            app(_read_words(), prog_name="suno-wav")
    except KeyboardInterrupt:
        # Ctrl-C while the program was loading. A command says itself that it was stopped.
        sys.exit(130)
    finally:
        gc.freeze()


@contextmanager
def safe_end() -> Iterator[None]:
    """End the process without Python's own end, which stops the threads of obstore, if there are any.

    One that has just delivered a result still waits for Python. Being stopped there, it aborts the whole
    program (measured with obstore 0.12.1 on Python 3.11).
    """
    try:
        yield
    except SystemExit as ended:
        if "obstore" not in sys.modules:
            raise
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(ended.code if isinstance(ended.code, int) else 0)
