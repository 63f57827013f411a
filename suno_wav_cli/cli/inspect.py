"""`suno-wav inspect`: what is in a WAV file."""

from pathlib import Path
from typing import Annotated

import typer

from suno_wav_cli.cli.invocation import run_command
from suno_wav_cli.config.run import Run


def inspect(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="WAV files.")],
) -> None:
    """Check WAV files and show what they contain.

    Shows format, length, peak and loudness, clipping, silence, tags and the waveform. A truncated
    file is measured as far as it goes. Needs no key and no network.
    """

    def run_inspect(run: Run) -> int:
        from suno_wav_cli.commands import inspect as command

        return command.inspect_files(files, run.report)

    run_command(context, run_inspect)
