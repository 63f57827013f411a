"""A local port for callbacks, the receiver on it, and the tunnel that leads there."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from suno_wav_cli.api.providers import SANDBOX
from suno_wav_cli.callbacks.secret_path import choose_path
from suno_wav_cli.callbacks.tunnel.tunnel import (
    Destination,
    GivenAddress,
    TunnelTimeouts,
)
from suno_wav_cli.callbacks.tunnel.tunnel_command import TunnelCommand, check_tunnel_command
from suno_wav_cli.errors import UsageError
from suno_wav_cli.models import TunnelMode
from suno_wav_cli.system.loopback import address_of, open_port

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from suno_wav_cli.callbacks.handlers import Handlers
    from suno_wav_cli.callbacks.limited_server import ReceiverLimits
    from suno_wav_cli.callbacks.probe import Probe
    from suno_wav_cli.callbacks.tunnel.tunnel import Tunnel
    from suno_wav_cli.config.credentials import Secrets
    from suno_wav_cli.config.paths import Paths
    from suno_wav_cli.config.settings import Settings


@dataclass(frozen=True, kw_only=True)
class CallbackEndpoint:
    """Callbacks are accepted at `path` of the port, and `tunnel` leads there.

    `required` says that the person asked for this tunnel: polling may not take its place.
    `is_theirs` says that its address is the person's own, or comes from a command of theirs. `is_local`
    says that there is to be none: only this machine reaches the receiver.
    """

    bound: socket.socket
    path: str
    tunnel: Tunnel
    required: bool
    is_theirs: bool = False
    is_local: bool = False
    timeouts: TunnelTimeouts = field(default_factory=TunnelTimeouts)

    @property
    def local_url(self) -> str:
        return address_of(self.bound)


def is_required(settings: Settings) -> bool:
    """Tell whether the person asked for one certain tunnel."""
    return settings.public_url is not None or settings.tunnel is TunnelMode.NGROK or _has_command(settings)


def _has_command(settings: Settings) -> bool:
    """Tell whether a command of the person's opens the tunnel. An address of their own needs none."""
    wanted = settings.tunnel_command is not None and settings.public_url is None
    return wanted and settings.tunnel is not TunnelMode.NONE


@contextmanager
def open_endpoint(
    settings: Settings,
    secrets: Secrets,
    paths: Paths,
    *,
    port: int,
    timeouts: TunnelTimeouts | None = None,
) -> Iterator[CallbackEndpoint]:
    """Bind the port, and close the tunnel at the end. `paths` says where running tunnels are noted.

    Raise TunnelFailed if the port cannot be bound, and UsageError.
    """
    if settings.public_url is not None and not port:
        raise UsageError("--public-url needs the port it leads to", "Add --port N.")
    timeouts = timeouts or TunnelTimeouts()
    if _has_command(settings):
        if settings.tunnel is TunnelMode.NGROK:
            raise UsageError("--tunnel ngrok and --tunnel-command are two tunnels", "Leave one of them out.")
        check_tunnel_command(settings.tunnel_command or "", port)
        timeouts = replace(timeouts, open=timeouts.command_open, max_probe=timeouts.command_probe)
    with open_port(port) as bound:
        path = choose_path(settings, paths.callback_path)
        destination = Destination(local_url=address_of(bound), path=path, domain=settings.domain)
        with closing(_choose_tunnel(settings, secrets, paths.agents, destination, timeouts)) as tunnel:
            yield CallbackEndpoint(
                bound=bound,
                path=path,
                tunnel=tunnel,
                required=is_required(settings),
                is_theirs=settings.public_url is not None or _has_command(settings),
                is_local=isinstance(tunnel, GivenAddress) and settings.public_url is None,
                timeouts=timeouts,
            )


@asynccontextmanager
async def receive_callbacks(
    endpoint: CallbackEndpoint, handlers: Handlers, limits: ReceiverLimits | None = None
) -> AsyncIterator[Probe]:
    """Serve the receiver until the block is left. `handlers` get each request."""
    # A server takes long to load, and many runs do not need one.
    from suno_wav_cli.callbacks.limited_server import ReceiverLimits, serve
    from suno_wav_cli.callbacks.probe import Probe
    from suno_wav_cli.callbacks.receiver import receiver_app

    limits, probe = limits or ReceiverLimits(), Probe()
    app = receiver_app(endpoint.path, handlers, limits, probe)
    async with serve(app, endpoint.bound, limits, handlers.refused):
        yield probe


def _choose_tunnel(
    settings: Settings, secrets: Secrets, agents: Path, destination: Destination, timeouts: TunnelTimeouts
) -> Tunnel:
    if settings.public_url is not None:
        return GivenAddress(public_url=settings.public_url)
    if _has_command(settings):
        port = urlsplit(destination.local_url).port or 0
        environ = os.environ | secrets.taken_ngrok_variable
        return TunnelCommand(settings.tunnel_command or "", port, environ, agents, timeouts)
    service_is_here = settings.tunnel is TunnelMode.AUTO and settings.provider == SANDBOX
    if settings.tunnel is TunnelMode.NONE or service_is_here:
        return GivenAddress(public_url=destination.local_url)
    from suno_wav_cli.callbacks.tunnel.ngrok import Ngrok, has_own_token
    from suno_wav_cli.config.credentials import refuse_ignored

    if settings.tunnel is TunnelMode.NGROK and secrets.ngrok_token is None and not has_own_token():
        refuse_ignored(secrets, "ngrok_authtoken")
    return Ngrok(destination, secrets.ngrok_token, agents, timeouts)
