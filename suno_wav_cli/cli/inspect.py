"""`suno-wav inspect`: what is in a WAV file."""

from pathlib import Path
from typing import Annotated

import typer

from suno_wav_cli.cli.invocation import run_command


def inspect(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="WAV files.")],
) -> None:
    """Check WAV files and show what they contain.

    Shows format, length, peak and loudness, clipping, silence, tags and the waveform. A truncated
    file is measured as far as it goes. Needs no key and no network.
    """
    from suno_wav_cli.commands import inspect as command

    run_command(context, lambda run: command.inspect_files(files, run.report))
