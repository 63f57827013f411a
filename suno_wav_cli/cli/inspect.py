"""`suno-wav inspect`: what is in a file."""

from pathlib import Path
from typing import Annotated

import typer

from suno_wav_cli.config.run import Run


def inspect(
    run: Run,
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="WAV files, or what ought to be some.", show_default=False),
    ],
) -> int:
    """Show what is in WAV files, and whether they are whole.

    Format, length, peak and loudness, clipping, silence, tags and the waveform of each; of a file that ends early, of what is there. Asks nobody: it needs no key and no network.
    """
    from suno_wav_cli.commands import inspect as inspection

    return inspection.inspect_files(files, run.report)
