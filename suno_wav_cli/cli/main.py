"""The entry point of the program."""

from __future__ import annotations

import gc
import sys

from suno_wav_cli import __version__


def main() -> None:
    """Run the command line and exit with its code."""
    # Answered before typer is imported, which takes ten times as long.
    if sys.argv[1:] in (["--version"], ["-V"]):
        sys.stdout.write(f"suno-wav {__version__}\n")
        return
    # Imported modules are never garbage: collecting them, now and at exit, takes a sixth of a short run.
    gc.disable()
    try:
        # Keeps httpx from importing its own command line, and with it click, rich and pygments.
        sys.modules["httpx._main"] = None  # type: ignore[assignment]
        from suno_wav_cli.cli.app import app
    except KeyboardInterrupt:
        # Ctrl-C while the program was loading.
        sys.exit(130)
    gc.freeze()
    gc.enable()
    try:
        app(prog_name="suno-wav")
    finally:
        gc.freeze()
