"""The program's entry: what can be answered at once, and the way to the commands."""

from __future__ import annotations

import gc
import sys

from suno_wav_cli import __version__


def main() -> None:
    """Run the command line and exit with its code."""
    # Answered before typer is loaded, which takes ten times as long.
    if sys.argv[1:] in (["--version"], ["-V"]):
        sys.stdout.write(f"suno-wav {__version__}\n")
        return
    # What is loaded is never garbage: to look through it time and again, and once more at the end, takes a sixth of a
    # short run.
    gc.disable()
    try:
        # httpx loads its own command line, and click, rich and pygments with it; it does as well without.
        sys.modules["httpx._main"] = None  # type: ignore[assignment]
        from suno_wav_cli.cli.app import app
    except KeyboardInterrupt:
        # Pressed while the program was still loading.
        sys.exit(130)
    gc.freeze()
    gc.enable()
    try:
        app(prog_name="suno-wav")
    finally:
        gc.freeze()
