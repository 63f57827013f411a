"""`suno-wav sandbox`: the service on this machine."""

from typing import Annotated

import typer

from suno_wav_cli.config.run import Run


def sandbox(
    run: Run,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where to listen; 0 takes a free port.")] = 4010,
    speed: Annotated[
        float, typer.Option(min=0.001, max=10000, help="Divide every waiting time by this.")
    ] = 1.0,
    seed: Annotated[
        int | None, typer.Option(help="Make the task ids repeatable.", show_default=False)
    ] = None,
    list_ids: Annotated[
        bool, typer.Option("--list", help="List the audio ids and what each does, and exit.")
    ] = False,
) -> int:
    """Run a Suno WAV API on this machine.

    Free, offline, and as unreliable as you ask for: behaviour is chosen by the audio id: demo, demo-slow, demo-fails, demo-cut ... (--list shows all of them).
    """
    from suno_wav_cli.commands import sandbox as practice

    if list_ids:
        return practice.list_ids(run.report)
    return practice.serve(port, speed=speed, seed=seed, hmac_key=run.secrets.hmac_key, report=run.report)
