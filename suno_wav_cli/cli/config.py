"""`suno-wav config`: effective settings, and where each comes from."""

from typing import Annotated

import typer

from suno_wav_cli.config.run import Run


def config(
    run: Run,
    path: Annotated[bool, typer.Option("--path", help="Print where config.toml is, or would be.")] = False,
) -> int:
    """Show every setting in force, and where it comes from.

    Secrets are never shown, only whether they are set.
    """
    from suno_wav_cli.commands import config as overview

    if path:
        return overview.show_path(run)
    return overview.show_config(run)
