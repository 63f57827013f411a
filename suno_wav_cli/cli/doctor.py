"""`suno-wav doctor`: check everything that can go wrong."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from suno_wav_cli.cli import options
from suno_wav_cli.cli.invocation import run_command
from suno_wav_cli.config.run import Run
from suno_wav_cli.errors import SunoWavError

if TYPE_CHECKING:
    from suno_wav_cli.events import Report


def doctor(
    context: typer.Context,
    *,
    offline: Annotated[
        bool, typer.Option("--offline", help="Open no connection; skip what needs one.")
    ] = False,
    tunnel: options.Tunnel = None,
    tunnel_command: options.TunnelCommand = None,
    domain: options.Domain = None,
    public_url: options.PublicUrl = None,
    callback_url: options.CallbackUrl = None,
    port: options.Port = None,
    forward_to: Annotated[
        str | None, typer.Option(metavar="URL", help="Try your own receiver at URL, with every sample.")
    ] = None,
    out: options.Out = None,
    allow_private_hosts: options.AllowPrivateHosts = None,
) -> None:
    """Check everything that can go wrong, and say what to do.

    Tries the key, the tunnel, the network, the service, the folder and the journal, one after another. Costs no
    credits, and changes nothing. The output holds no secrets: attach that of --json to a bug report.
    Exits with 0, or with the code that `convert` would end with.
    """

    def run_doctor(run: Run) -> int:
        from suno_wav_cli.commands.doctor import command

        return command.examine(run, offline=offline)

    def without_settings(error: SunoWavError, report: "Report") -> int:
        from suno_wav_cli.commands.doctor import command

        return command.report_bad_settings(error, report, os.environ)

    run_command(context, run_doctor, without_settings=without_settings)
